# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Results as tables, with what the papers report."""
