# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Heterogeneous radar place recognition: 4D radar queries in a spinning-radar map."""

__version__ = '0.1.0'
