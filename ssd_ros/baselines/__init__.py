# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Handcrafted methods that need no training, to judge the learned one by."""
