# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Programs beside the node: player, collector, load, an example of a back end."""
