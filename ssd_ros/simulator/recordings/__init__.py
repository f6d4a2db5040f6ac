# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Simulated drives with the interface of recorded ones, and the benchmark made of them."""
