# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The recogniser behind a thread that works on the newest query."""
