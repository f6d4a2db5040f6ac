# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Command `trust`: how far accepted candidates can be trusted."""
