# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""From polar BEV images to descriptors: networks, scan contexts, and their contract."""
