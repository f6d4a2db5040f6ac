# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""One visit to a place: changes, traffic, the drive."""
