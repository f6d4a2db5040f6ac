# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""
How well a method recognises places: one protocol for networks in training, models and drives.

`evaluate.evaluate` asks cached drives, `answers.select_queries` begins with recorded ones; both
end in `query_records`, from which `score`, `paired`, `breakdown` and `tables` are computed.
"""
