# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Rows of bytes compared with a query, compiled, and most of them by a part of them."""
