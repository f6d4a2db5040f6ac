# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Recorded drives: what a drive is, its poses, and the readers of all formats."""
