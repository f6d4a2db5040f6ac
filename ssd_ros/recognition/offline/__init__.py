# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Recorded drives through the chain of the recogniser: their odometry, maps of them, submaps."""
