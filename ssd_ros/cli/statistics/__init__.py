# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Command `statistics`: how far simulated radar is from real one, and whether it can be told."""
