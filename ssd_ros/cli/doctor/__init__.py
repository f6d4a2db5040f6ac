# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Command `doctor`: whether a recording is fit for use, and what is to be mended."""
