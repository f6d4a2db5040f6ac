# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Maps of a city: rows in a file for each square of the ground, read where they are needed."""
