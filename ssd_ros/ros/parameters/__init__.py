# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Every parameter of the node, its file and its server."""
