# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""
A pose graph that shows how a back end uses the candidates; needs GTSAM, which nothing else does.

`candidate_edges` makes measurements of rows of `~/candidates`, `PoseGraph` ties together with them
what `Consensus` believes.
"""
