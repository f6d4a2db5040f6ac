# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""How likely a candidate is right: the model, its file and its fit."""
