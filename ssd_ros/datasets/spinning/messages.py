# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The kinds of messages in which spinning radars send whole turns, and how each is decoded."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from ssd_ros.datasets.spinning.preset import (
    B_SCAN,
    FFT_DATA,
    IMAGE,
    POINTS,
    PRESETS,
    SpinningPreset,
    UNNAMED,
)
from ssd_ros.datasets.spinning.scan import scan_from_b_scan, scan_from_image, scan_from_points
from ssd_ros.radar.types import SpinningRadarScan

Decoder = Callable[[Any, int, SpinningPreset], SpinningRadarScan]

# By message type; those of one azimuth a message are gathered, see sweeps.
DECODERS: Mapping[str, Decoder] = {
    IMAGE: scan_from_image,
    B_SCAN: scan_from_b_scan,
    POINTS: scan_from_points,
}
# As in the parameter input_type, most common first.
MESSAGE_TYPES: Mapping[str, str] = {
    'polar_image': IMAGE,
    'polar_points': POINTS,
    'b_scan': B_SCAN,
    'fft_data': FFT_DATA,
}
AUTO = 'auto'


def preset_of(kind: str, name: str = AUTO, range_resolution_m: float = 0.0) -> SpinningPreset:
    """
    Return how messages are laid out.

    :param kind: one of MESSAGE_TYPES
    :param name: one of PRESETS, or auto: what messages of this type mostly are
    :param range_resolution_m: depth of a bin, 0 = that of the preset
    :raise ValueError: the preset is of other messages
    """
    message_type = MESSAGE_TYPES[kind]
    usual = UNNAMED.get(message_type, PRESETS['navtech_points'])
    preset = usual if name == AUTO else PRESETS[name]
    if preset.message_type != message_type:
        names = [each for each, of in PRESETS.items() if of.message_type == message_type]
        raise ValueError(
            f'preset {name} is of {preset.message_type}, {kind} are {message_type}: choose from '
            f'{", ".join([AUTO, *names])}'
        )
    return replace(preset, range_resolution_m=range_resolution_m or preset.range_resolution_m)
