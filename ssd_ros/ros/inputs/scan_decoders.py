# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Messages of either radar to scans, each driver as the parameters say."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any, NamedTuple

from ssd_ros.datasets.spinning import messages as turns
from ssd_ros.datasets.spinning.preset import SpinningPreset
from ssd_ros.datasets.spinning.sweeps import SweepStream
from ssd_ros.radar import messages as clouds
from ssd_ros.radar.columns import header_of
from ssd_ros.radar.fields import DecoderConfig, PointCloudError
from ssd_ros.radar.types import Scan, SpinningRadarScan

MESSAGE_TYPES = {**clouds.MESSAGE_TYPES, **turns.MESSAGE_TYPES}


class Decoded(NamedTuple):
    """
    A scan, and how much of its message is in it.

    :param num_received: points, or cells of a turn
    :param num_dropped: of the points
    """

    scan: Scan
    num_received: int
    num_dropped: int = 0

    @property
    def is_empty(self) -> bool:
        """Whether no point is left; a turn is looked through as a whole."""
        return not isinstance(self.scan, SpinningRadarScan) and len(self.scan) == 0


Decode = Callable[[str, Any], Decoded | None]
"""Kind and message to what it holds; None = a part of a turn, which is not yet whole."""


def cloud_decoder(config: DecoderConfig) -> Decode:
    """Return what decodes the clouds of a 4D radar; it raises PointCloudError."""

    def decode(kind: str, msg: Any) -> Decoded:
        cloud, stats = clouds.DECODERS[kind](msg, config)
        return Decoded(cloud, stats.num_received, stats.num_dropped)

    return decode


def turn_decoder(preset: SpinningPreset) -> Decode:
    """Return what decodes the turns of a spinning radar; it raises PointCloudError."""
    sweeps = SweepStream(preset)

    def decode(kind: str, msg: Any) -> Decoded | None:
        try:
            stamp_ns, frame_id = header_of(msg.b_scan_img if kind == 'b_scan' else msg)
            if kind == 'fft_data':
                scan = sweeps.add(msg, stamp_ns)
            else:
                scan = turns.DECODERS[turns.MESSAGE_TYPES[kind]](msg, stamp_ns, preset)
        except ValueError as error:
            raise PointCloudError(
                'bad_turn',
                f'a turn cannot be used: {error}; see spinning.preset and '
                'spinning.range_resolution',
            ) from error
        if scan is None:
            return None
        return Decoded(replace(scan, frame_id=frame_id), scan.power.size)

    return decode
