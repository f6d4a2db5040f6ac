# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The node itself: lifecycle, session, services, reports."""
