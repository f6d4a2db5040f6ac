# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""A map that a fleet shares: its server, and who asks it; both need aiohttp."""
