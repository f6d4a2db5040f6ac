# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""From a run to the models that ship."""
