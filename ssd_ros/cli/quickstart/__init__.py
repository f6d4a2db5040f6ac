# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Command `quickstart`: from a running radar to the first pose on the map."""
