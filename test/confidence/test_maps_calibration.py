# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Check what becomes of a calibration that a map carries, of this version and of earlier ones."""

from dataclasses import asdict
import json

import pytest
from ssd_ros.confidence.file import confidence_of_map, shipped_confidence
from ssd_ros.encoders.place_encoder import open_encoder
from ssd_ros.radar.types import RADARS
from ssd_ros.shared_files import ENCODERS, shared_file
from support.calibrations import EASY

# As maps had it before distances were told relative to the map.
EARLIER = {
    'supported': {'weights': [-1.0, -2.0, 3.0, 4.0], 'bias': 0.5},
    'unsupported': {'weights': [-1.0, -3.0, 5.0], 'bias': 1.5},
    'threshold': 0.9,
    'tolerance_m': 2.0,
    'data': 'made up',
}


def as_json(model: object) -> object:
    return json.loads(json.dumps(asdict(model)))  # type: ignore[call-overload]


def test_a_map_keeps_its_calibration() -> None:
    assert confidence_of_map(as_json(EASY), 'network', '0' * 64, '4d') == EASY
    assert confidence_of_map(None, 'network', '0' * 64, '4d') is None


@pytest.mark.parametrize(
    ('encoder', 'sensor'),
    [*((encoder, sensor) for encoder in ENCODERS for sensor in RADARS), ('network', 'lidar')],
)
def test_the_installed_calibration_takes_the_place_of_an_earlier_one(
    encoder: str, sensor: str
) -> None:
    space = open_encoder(shared_file(ENCODERS[encoder].student), 'cpu').contract.descriptor_space
    newer = confidence_of_map(EARLIER, encoder, space, sensor)
    assert newer == shipped_confidence(encoder, space, sensor)
    assert newer is not None
    assert newer.is_for(sensor)


def test_an_earlier_calibration_of_models_that_have_no_other_is_refused() -> None:
    with pytest.raises(ValueError, match=r'fitted on other features.*trust --fit.*--confidence'):
        confidence_of_map(EARLIER, 'network', '0' * 64, '4d')


def test_a_damaged_calibration_is_refused() -> None:
    with pytest.raises(ValueError, match=r'confidence\. is \[1\], expected a mapping'):
        confidence_of_map([1], 'network', '0' * 64, '4d')
    broken = {**asdict(EASY), 'threshold': 2.0}
    with pytest.raises(ValueError, match=r'threshold is 2\.0'):
        confidence_of_map(json.loads(json.dumps(broken)), 'network', '0' * 64, '4d')
