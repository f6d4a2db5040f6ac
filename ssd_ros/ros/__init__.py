# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The node: all that needs ROS, and what of it other programs use without ROS."""
