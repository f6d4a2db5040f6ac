# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""A page in the browser that shows what is recognised, and its server; needs no ROS."""
