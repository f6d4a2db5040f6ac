# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Check what the parameters of the input accept, and what the decoder and the radars get."""

from __future__ import annotations

import array
import math
from typing import Any

import pytest
from ssd_ros.radar.fields import DecoderConfig
from ssd_ros.ros.parameters.inputs import RadarTopic
from ssd_ros.ros.parameters.node import NodeParameters

ZEROS = (0.0,) * 6


def test_the_default_is_one_radar_on_points_read_by_the_known_names() -> None:
    assert NodeParameters().radar_topics() == (RadarTopic('points', '', ZEROS),)
    assert NodeParameters().decoder_config() == DecoderConfig()


def test_the_decoder_gets_its_share() -> None:
    values = {
        'field_map.doppler': 'speed',
        'field_map.range': 'dist',
        'intensity_kind': 'snr_db',
        'angle_unit': 'deg',
        'doppler_sign': -1,
        'min_range': 0.5,
    }
    assert NodeParameters.from_values(values).decoder_config() == DecoderConfig(
        field_map={'doppler': 'speed', 'range': 'dist'},
        intensity_kind='snr_db',
        angle_unit='deg',
        doppler_sign=-1,
        min_range_m=0.5,
    )


def test_a_spinning_radar_is_one_and_has_a_layout() -> None:
    assert NodeParameters().sensor == '4d'
    values = {'input_type': 'polar_image', 'spinning.preset': 'mulran'}
    parameters = NodeParameters.from_values(values)
    assert parameters.sensor == 'spinning'
    assert parameters.spinning_preset().range_resolution_m == 0.05952
    values = {**values, 'spinning.range_resolution': 0.1}
    assert NodeParameters.from_values(values).spinning_preset().range_resolution_m == 0.1
    with pytest.raises(ValueError, match='input_topics has 2 names, expected the one of a spin'):
        NodeParameters.from_values({**values, 'input_topics': ['a', 'b']})
    with pytest.raises(ValueError, match=r'spinning\.preset: preset fomo is of navtech_msgs'):
        NodeParameters.from_values({**values, 'spinning.preset': 'fomo'})


def test_each_radar_has_its_frame_and_its_place() -> None:
    values = {
        'input_topics': ['front', 'rear'],
        'frame_override': ['', 'rear_radar'],
        'radar_extrinsics': array.array('d', [1, 2, 3, 0, 0, 0, -1, 0, 0, 0, 0, math.pi]),
    }
    assert NodeParameters.from_values(values).radar_topics() == (
        RadarTopic('front', '', (1, 2, 3, 0, 0, 0)),
        RadarTopic('rear', 'rear_radar', (-1, 0, 0, 0, 0, math.pi)),
    )


def test_of_several_radars_those_without_numbers_must_be_in_tf() -> None:
    topics = NodeParameters.from_values({'input_topics': ['a', 'b', 'c']}).radar_topics()
    assert [topic.extrinsics for topic in topics] == [ZEROS, None, None]
    assert [topic.frame_override for topic in topics] == ['', '', '']


@pytest.mark.parametrize(
    ('values', 'reason'),
    [
        ({'input_topics': 'points'}, "input_topics is 'points', expected a list of texts"),
        ({'input_topics': []}, r'input_topics is \[\], expected a list of texts'),
        ({'input_topics': [1]}, r'input_topics is \[1\], expected a list of texts'),
        ({'input_topics': ['a', '']}, r"input_topics is \['a', ''\], expected different names"),
        ({'input_topics': ['a', 'a']}, 'expected different names'),
        (
            {'input_topics': ['a', 'b', 'c'], 'frame_override': ['x', 'y']},
            'frame_override has 2 frames, expected 3, one for each of input_topics',
        ),
        (
            {'input_topics': ['a', 'b'], 'frame_override': ['x']},
            'frame_override has 1 frames, expected 2',
        ),
        ({'radar_extrinsics': [0.0] * 12}, 'has 12 numbers, expected 6, six for each'),
        (
            {'input_topics': ['a', 'b', 'c'], 'radar_extrinsics': [0.0] * 12},
            'has 12 numbers, expected 18, six for each of input_topics',
        ),
        ({'radar_extrinsics': [0.0] * 7}, 'expected 6 finite numbers .* for each radar'),
        ({'radar_extrinsics': []}, 'expected 6 finite numbers'),
        ({'input_type': 'laser'}, "is 'laser'; choose from auto, pointcloud2, pointcloud, radar"),
        ({'intensity_kind': 'dbsm'}, 'choose from auto, rcs_dbsm, rcs_linear, snr_db, power_db'),
        ({'field_map.colour': 'x'}, 'unknown parameter field_map.colour'),
        ({'qos_reliability': 'perhaps'}, 'choose from auto, best_effort, reliable'),
    ],
)
def test_what_does_not_fit_together_is_refused(values: dict[str, Any], reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        NodeParameters.from_values(values)
