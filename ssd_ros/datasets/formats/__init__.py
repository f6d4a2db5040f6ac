# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The readers, one a data set, and how the right one is found."""
