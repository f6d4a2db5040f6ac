# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Check that every kind of message of a spinning radar becomes the same turn."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from ssd_ros.datasets.spinning.messages import MESSAGE_TYPES, preset_of
from ssd_ros.radar.fields import PointCloudError
from ssd_ros.ros.inputs.scan_decoders import Decode, Decoded, turn_decoder
from support.spinning_messages import b_scan, image, new, SECOND_NS, sweep

STAMP_NS = 5 * SECOND_NS
# Azimuths x bins of 0.25 m, an echo in each.
ROWS = np.zeros((400, 600), np.uint8)
ROWS[np.arange(400), 40 + np.arange(400)] = 50 + np.arange(400) % 200


def points() -> Any:
    """Return the cells that are not empty as points, y to the right."""
    azimuth, bins = np.nonzero(ROWS)
    angle_rad, range_m = azimuth * (2 * np.pi / 400), bins * 0.25
    values = np.zeros((len(bins), 4), np.float32)
    values[:, 0], values[:, 1] = range_m * np.cos(angle_rad), range_m * np.sin(angle_rad)
    values[:, 3] = ROWS[azimuth, bins]
    names = ('x', 'y', 'z', 'intensity')
    fields = [
        new('sensor_msgs/msg/PointField', name=name, offset=4 * place, datatype=7, count=1)
        for place, name in enumerate(names)
    ]
    data = np.frombuffer(values.tobytes(), np.uint8)
    return new(
        'sensor_msgs/msg/PointCloud2',
        header=image(ROWS[:1], STAMP_NS).header,
        height=1,
        width=len(bins),
        fields=fields,
        is_bigendian=False,
        point_step=16,
        row_step=len(data),
        data=data,
        is_dense=True,
    )


def messages_of(kind: str) -> list[Any]:
    """Return messages of which the last one makes the turn whole."""
    counts = (np.arange(400) * 14).astype(np.uint16)
    if kind == 'fft_data':
        begun = [sweep(5586, STAMP_NS, ROWS[399])]
        turn = [sweep(int(counts[row]), STAMP_NS, ROWS[row]) for row in range(400)]
        return [*begun, *turn, sweep(0, STAMP_NS, ROWS[0])]
    made = {'polar_image': image(ROWS, STAMP_NS), 'polar_points': points()}
    return [made[kind] if kind in made else b_scan(ROWS, counts, STAMP_NS)]


def decoder_of(kind: str) -> Decode:
    return turn_decoder(preset_of(kind, range_resolution_m=0.25))


@pytest.mark.parametrize('kind', MESSAGE_TYPES)
def test_the_turn_is_the_same_however_it_is_sent(kind: str) -> None:
    decode, messages = decoder_of(kind), messages_of(kind)
    assert [decode(kind, message) for message in messages[:-1]] == [None] * (len(messages) - 1)
    decoded = decode(kind, messages[-1])
    assert isinstance(decoded, Decoded)
    assert not decoded.is_empty
    scan: Any = decoded.scan
    assert (scan.stamp_ns, scan.frame_id, scan.range_resolution_m) == (STAMP_NS, 'navtech', 0.25)
    np.testing.assert_allclose(scan.azimuths_rad, np.arange(400) * 2 * np.pi / 400, atol=1e-9)
    num_bins = len(scan.power)  # of points, as far as the last of them
    assert num_bins in (440, 600)
    np.testing.assert_array_equal(scan.power, ROWS.T[:num_bins])


def test_what_is_no_turn_is_refused_with_the_parameters_that_say_how_to_read_it() -> None:
    with pytest.raises(PointCloudError, match=r'is blank.*; see spinning\.preset and') as caught:
        decoder_of('polar_image')('polar_image', image(np.zeros((400, 600), np.uint8)))
    assert caught.value.reason == 'bad_turn'
