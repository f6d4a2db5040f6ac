# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The reports of commands: sections of text, tables and charts, as Markdown or as one page."""
