# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Training of teacher and student, and their export; the only place of PyTorch."""
