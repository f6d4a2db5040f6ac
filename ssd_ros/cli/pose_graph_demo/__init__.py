# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Command `pose_graph_demo`: what loop closures do for a back end."""
