# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""
Fuzz the way of a PointCloud2 from the driver to the image that the network sees.

Every message starts as one of a real driver and is then spoilt. `make soak` sets SSD_ROS_FUZZ to
10,000 messages, other ones each time; a test run takes fewer, always the same.
"""

from __future__ import annotations

from collections.abc import Sequence
import os
from types import SimpleNamespace
from typing import Any

from hypothesis import given, HealthCheck, settings, strategies
from hypothesis.strategies import DrawFn
import numpy as np
from ssd_ros.bev.preprocessing import CloudPreprocessor
from ssd_ros.radar.ars548 import ARS548_DTYPE
from ssd_ros.radar.fields import DecoderConfig
from ssd_ros.ros.inputs.intake import Intake
from ssd_ros.ros.inputs.scan_decoders import cloud_decoder
from ssd_ros.ros.inputs.stamp_source import StampSource
from ssd_ros.ros.parameters.inputs import InputParameters
from support.posts import SMALL

NUM_MESSAGES = int(os.environ.get('SSD_ROS_FUZZ', '1000'))
REASONS = {'short_data', 'bad_layout', 'missing_field', 'empty', 'no_valid_point'}
CONFIGS = [
    DecoderConfig(),
    DecoderConfig(require_doppler=False, angle_unit='deg', min_range_m=1.0),
    DecoderConfig(require_doppler=False, doppler_sign=-1),
]
# Name, offset and datatype of the fields, then point_step.
LAYOUTS: dict[str, tuple[list[tuple[str, int, int]], int]] = {
    'ars548': (
        [
            (name, int(offset), 1 if dtype.itemsize == 1 else 7)
            for name, (dtype, offset, *_) in (ARS548_DTYPE.fields or {}).items()
        ],
        ARS548_DTYPE.itemsize,
    ),
    'doubles': (
        [(name, 8 * place, 8) for place, name in enumerate(['x', 'y', 'z', 'doppler', 'snr'])],
        40,
    ),
    'spherical': (
        [(name, 4 * place, 7) for place, name in enumerate(['range', 'azimuth', 'v', 'power'])],
        24,
    ),
    'altos': (
        [(name, 4 * place, 7) for place, name in enumerate(['x', 'y', 'z', 'h', 's', 'v'])],
        24,
    ),
}
SIZES = strategies.integers(0, 3) | strategies.sampled_from([2**31 - 1, 2**31, 2**32 - 1])
SPOILT_FIELDS = {
    'offset': SIZES | strategies.integers(0, 50),
    'datatype': strategies.integers(0, 9) | strategies.integers(0, 255),
    'count': SIZES,
    'name': strategies.sampled_from(['', 'x', 'X', 'rgb', 'v', 'rcs', 'x\x00', 'é']),
}
SPOILT_SIZES = ['height', 'width', 'point_step', 'row_step']


@strategies.composite
def messages(draw: DrawFn) -> Any:
    """Return a message of a driver with some of its attributes spoilt."""
    layout, step = LAYOUTS[draw(strategies.sampled_from(sorted(LAYOUTS)))]
    num_points = draw(strategies.integers(0, 60))
    fields = [SimpleNamespace(name=n, offset=o, datatype=d, count=1) for n, o, d in layout]
    msg = SimpleNamespace(
        header=SimpleNamespace(
            stamp=SimpleNamespace(
                sec=draw(strategies.integers(-(2**31), 2**31 - 1)),
                nanosec=draw(strategies.integers(0, 2**32 - 1)),
            ),
            frame_id=draw(strategies.sampled_from(['radar', '', '/radar', 'r' * 300])),
        ),
        height=1,
        width=num_points,
        fields=fields,
        is_bigendian=draw(strategies.booleans()),
        point_step=step,
        row_step=step * num_points,
        data=b'',
        is_dense=draw(strategies.booleans()),
    )
    for name in draw(strategies.lists(strategies.sampled_from(SPOILT_SIZES), max_size=2)):
        setattr(msg, name, draw(SIZES | strategies.integers(0, 200)))
    for name in draw(strategies.lists(strategies.sampled_from(sorted(SPOILT_FIELDS)), max_size=2)):
        setattr(draw(strategies.sampled_from(fields)), name, draw(SPOILT_FIELDS[name]))
    for field in draw(strategies.lists(strategies.sampled_from(fields), max_size=1)):
        fields.remove(field)
    values = draw(strategies.sampled_from(['bytes', 'floats', 'ones', 'not a number', 'huge']))
    seed = draw(strategies.integers(0, 2**32 - 1))
    num_missing = draw(strategies.sampled_from([0, 0, 0, 1, 40, 10_000]))
    num_bytes = max(step * num_points - num_missing, 0)
    msg.data = payload(values, num_bytes, np.random.default_rng(seed))
    return msg


def payload(values: str, num_bytes: int, generator: np.random.Generator) -> bytes:
    """Return bytes of a kind that goes wrong in its own way."""
    num = num_bytes // 4 + 1
    match values:
        case 'bytes':
            return generator.bytes(num_bytes)
        case 'floats':
            numbers = generator.normal(0, 40, num).astype(np.float32)
        case 'ones':
            numbers = np.ones(num, np.float32)
        case 'not a number':
            numbers = generator.choice(
                np.array([np.nan, np.inf, -np.inf, 0, -0.0, 1e-45], np.float32), num
            )
        case _:
            numbers = generator.choice(np.array([3.4e38, -3.4e38, 1e20, 5], np.float32), num)
    return numbers.tobytes()[:num_bytes]


@settings(
    max_examples=NUM_MESSAGES // 2,
    deadline=None,
    derandomize='SSD_ROS_FUZZ' not in os.environ,
    suppress_health_check=list(HealthCheck),
    database=None,
)
@given(strategies.lists(messages(), min_size=2, max_size=3), strategies.sampled_from(CONFIGS))
def test_no_message_gets_past_the_intake_that_the_network_cannot_see(
    stream: Sequence[Any], config: DecoderConfig
) -> None:
    by_arrival = StampSource(lambda: InputParameters(stamp_source='receive'), lambda text: None)
    intake = Intake(cloud_decoder(config), lambda text: None, by_arrival, 'points')
    preprocessor = CloudPreprocessor(SMALL)
    num_used = 0
    for msg in stream:
        scans = intake.receive(msg, 0.0, 10**18).samples
        if not scans:
            continue
        ((_, cloud),) = scans
        num_used += 1
        assert 1 <= len(cloud) <= int(msg.height) * int(msg.width)
        assert np.isfinite(cloud.xyz_m).all()
        image = preprocessor.process(cloud)
        assert image.bev.shape == (64, 48)
        assert np.isfinite(image.points_m).all()
    errors = intake.statistics.errors
    assert set(errors) <= REASONS
    assert num_used + errors.total() == len(stream)
