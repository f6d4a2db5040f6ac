# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The images that encoders see: polar BEV, or density from above."""
