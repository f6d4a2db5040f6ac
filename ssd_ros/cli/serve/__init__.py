# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Command `serve`: a map for a fleet."""
