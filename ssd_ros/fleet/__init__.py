# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""A map that a fleet shares: its server, which needs aiohttp, and who asks it, who does not."""
