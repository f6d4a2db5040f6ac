# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What is asked, in which map, by which images, and what is right."""
