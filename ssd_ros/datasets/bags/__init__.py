# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""rosbag2 recordings, read and written without ROS."""
