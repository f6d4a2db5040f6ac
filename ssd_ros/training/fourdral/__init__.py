# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""4DRaL: 4D radar in 4D radar or LiDAR maps, taught by LiDAR."""
