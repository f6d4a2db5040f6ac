# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Command `estimate_rcs_correction`: how much more the 4D radar's cells are worth."""
