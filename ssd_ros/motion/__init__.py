# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Where vehicles are and how they move: trajectories and odometry."""
