# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Command `map`: what a map holds, new poses for it, and squares."""
