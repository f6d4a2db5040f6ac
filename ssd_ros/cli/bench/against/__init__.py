# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""An earlier build beside this one, by turns in one run."""
