# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Drives to queries and maps, queries and maps to answers."""
