# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The place database: files, index, search, builder, and the live session."""
