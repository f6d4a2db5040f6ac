# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The contract of a model as small as any."""

from __future__ import annotations

from ssd_ros.bev.polar_bev import PolarGrid
from ssd_ros.bev.preprocessing import PreprocessingConfig
from ssd_ros.encoders.model_contract import FORMAT_VERSION, ModelContract

CONTRACT = ModelContract(
    format_version=FORMAT_VERSION,
    sensor='4d',
    preprocessing=PreprocessingConfig(grid=PolarGrid(num_ranges=4, num_azimuths=2)),
    num_views=1,
    descriptor_size=2,
    descriptor_space='0123456789abcdef' * 4,
    accept_max_distance=0.8,
    accept_max_ratio=0.9,
    training_data='none, weights set by hand',
    commit='unknown',
    created='2026-01-31',
)
