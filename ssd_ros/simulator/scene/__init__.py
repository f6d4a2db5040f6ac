# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What stands in a town: scatterers, and what hides them."""
