# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The LiDARs: surfaces of the elements that the radars see, beams, weather."""
