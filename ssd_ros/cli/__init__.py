# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The command `ssd_ros`: `main` and a folder for each of its commands, `command.py` in it."""
