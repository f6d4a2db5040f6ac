# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The benchmark of shift: radars, worlds and maps unlike those that calibration knows."""
