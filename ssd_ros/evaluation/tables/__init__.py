# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Results as Markdown, with what the papers report."""
