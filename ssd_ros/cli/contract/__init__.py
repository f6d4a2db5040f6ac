# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Command `contract`: anybody's encoder becomes a model that maps and the node take."""
