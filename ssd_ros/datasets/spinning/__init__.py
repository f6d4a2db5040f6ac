# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""One turn of a spinning radar, however it is stored or sent."""
