# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Check which messages are turns of a spinning radar, and how single azimuths become one."""

from __future__ import annotations

import numpy as np
import pytest
from ssd_ros.datasets.spinning.messages import DECODERS, MESSAGE_TYPES, preset_of
from ssd_ros.datasets.spinning.preset import FFT_DATA
from ssd_ros.datasets.spinning.preset import MESSAGE_TYPES as ALL_TYPES
from ssd_ros.datasets.spinning.sweeps import SweepStream
from ssd_ros.radar.types import SpinningRadarScan
from support.spinning_messages import sweep

MS = 1_000_000


def test_every_type_of_message_has_a_name_and_a_decoder() -> None:
    assert sorted(MESSAGE_TYPES.values()) == sorted(ALL_TYPES)
    assert {*DECODERS, FFT_DATA} == set(ALL_TYPES)


def test_a_preset_says_how_messages_are_laid_out() -> None:
    assert preset_of('polar_image').range_resolution_m is None  # 150 m over all bins
    assert preset_of('polar_image', 'mulran').range_resolution_m == 0.05952
    assert preset_of('polar_points', range_resolution_m=0.1).range_resolution_m == 0.1
    assert preset_of('polar_points').range_resolution_m == 0.0438
    assert preset_of('fft_data', 'navtech_fft').encoder_size == 5600
    with pytest.raises(ValueError, match=r'fomo is of navtech_msgs/msg/RadarBScanMsg, polar_image '
                       r'are sensor_msgs/msg/Image: choose from auto, hercules'):  # fmt: skip
        preset_of('polar_image', 'fomo')


def turns_of(counts: list[int], num_bins: int = 500) -> list[SpinningRadarScan]:
    """Return the turns in azimuths that come a millisecond apart."""
    stream, turns = SweepStream(preset_of('fft_data')), []
    for number, count in enumerate(counts):
        data = np.full(num_bins, 1 + number % 200, np.uint8)
        if (turn := stream.add(sweep(count, number * MS, data), number * MS)) is not None:
            turns.append(turn)
    return turns


def test_azimuths_are_gathered_from_one_beginning_of_a_turn_to_the_next() -> None:
    # It is met in the middle of a turn, and left in the middle of another.
    around = list(range(0, 5600, 14))
    first, second = turns_of([*around[100:], *around, *around, *around[:50]])
    assert [first.stamp_ns, second.stamp_ns] == [500 * MS, 900 * MS]
    assert first.power.shape == (500, 400)
    np.testing.assert_allclose(first.azimuths_rad, np.arange(400) * 2 * np.pi / 400, atol=1e-12)
    # The first azimuth of the first whole turn is message 300.
    assert first.power[0, 0] == 1 + 300 % 200


def test_a_turn_with_a_gap_is_refused_and_the_next_one_is_whole() -> None:
    around = list(range(0, 5600, 14))
    stream = SweepStream(preset_of('fft_data'))
    data = np.arange(500).astype(np.uint8)
    for count in [*around[-10:], *around[:300]]:  # a quarter of this turn is lost
        assert stream.add(sweep(count, 0, data), 0) is None
    with pytest.raises(ValueError, match=r'lacks 9[01] degrees of the turn'):
        stream.add(sweep(0, 0, data), 0)
    for count in around[1:]:
        assert stream.add(sweep(count, 0, data), 0) is None
    turn = stream.add(sweep(0, 0, data), 0)
    assert turn is not None
    assert turn.power.shape == (500, 400)


def test_an_encoder_that_stands_still_does_not_fill_the_memory() -> None:
    assert turns_of([7] * 12_000, num_bins=2) == []
