# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Check what the parameters of the node accept."""

from __future__ import annotations

import array
import math
from typing import Any

import pytest
from ssd_ros.recognition.answer import RecognizerConfig
from ssd_ros.ros.parameters.node import NodeParameters, OPTIONS


def test_dotted_names_are_nested_fields() -> None:
    parameters = NodeParameters.from_values({'accept.max_ratio': 0.5, 'top_k': 3})
    assert parameters.accept.max_ratio == 0.5
    assert parameters.top_k == 3
    assert parameters.accept.max_distance == NodeParameters().accept.max_distance


def test_ros_gives_lists_of_numbers_as_arrays() -> None:
    values = array.array('d', [1, 2, 3, 0, 0, 0.5])
    parameters = NodeParameters.from_values({'radar_extrinsics': values})
    assert parameters.radar_extrinsics == (1, 2, 3, 0, 0, 0.5)


def test_the_recognizer_gets_its_share() -> None:
    values = {'top_k': 3, 'ambiguity_radius': 7.0, 'aggregation.min_points': 9}
    config = NodeParameters.from_values(values).recognizer_config()
    assert (config.top_k, config.ambiguity_radius_m, config.min_points) == (3, 7, 9)
    assert NodeParameters().recognizer_config() == RecognizerConfig()


@pytest.mark.parametrize(
    ('name', 'value', 'reason'),
    [
        ('max_ratio', 0.5, 'unknown parameter max_ratio; did you mean accept.max_ratio'),
        ('accept.max_distanc', 0.5, 'did you mean accept.max_distance'),
        ('frobnicate', 1, 'known are input_type, input_topics, frame_override'),
        ('accept', 0.5, 'unknown parameter accept'),
        ('accept.max_ratio', 1, 'is the integer 1, expected .* decimal point: write 1.0'),
        ('accept.max_ratio', 1.5, r'is 1.5, expected 0.0 \.\. 1.0'),
        ('accept.max_ratio', math.nan, r'is nan, expected 0.0 \.\. 1.0'),
        ('accept.max_ratio', '0.5', "is '0.5', expected float"),
        ('top_k', 0, r'is 0, expected 1 \.\. 50'),
        ('top_k', 2.0, 'is 2.0, expected int'),
        ('top_k', True, 'is True, expected int'),
        ('autostart', 1, 'is 1, expected bool'),
        ('doppler_sign', 0, 'is 0; choose from -1, 1'),
        ('device', 'tpu', "is 'tpu'; choose from auto, cpu, cuda, openvino, openvino_bf16"),
        ('index_path', 2026, 'is 2026, expected str'),
        ('radar_extrinsics', [1.0, 2.0], r'is \[1.0, 2.0\], expected 6 finite numbers'),
        ('radar_extrinsics', [0, 0, 0, 0, 0, 0], 'expected 6 finite numbers with a decimal'),
        ('radar_extrinsics', [math.inf] * 6, 'expected 6 finite numbers'),
        ('radar_extrinsics', 1.0, 'expected 6 finite numbers'),
        ('radar_extrinsics', '123456', 'expected 6 finite numbers'),
    ],
)
def test_what_cannot_be_is_refused_by_name(name: str, value: Any, reason: str) -> None:
    with pytest.raises(ValueError, match=f'parameter {name}.*') as caught:
        NodeParameters.from_values({name: value})
    caught.match(reason)


def test_every_bound_itself_is_accepted() -> None:
    for option in OPTIONS:
        if not math.isnan(option.low):
            kind = type(option.default)
            for bound in (option.low, option.high):
                NodeParameters.from_values({option.name: kind(bound)})
