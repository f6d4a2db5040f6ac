# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""
How well a method recognises places: one protocol for networks in training, models and drives.

`judging.encoders.evaluate` asks cached drives, `queries.answers.select_queries` begins with
recorded ones; both end in `queries.records`, from which `scores` and `tables` are computed.
"""
