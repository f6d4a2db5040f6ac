# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Turns of a spinning radar whose driver sends one message an azimuth, as they come."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from ssd_ros.datasets.spinning.preset import SpinningPreset
from ssd_ros.datasets.spinning.scan import scan_from_sweeps
from ssd_ros.radar.types import SpinningRadarScan

_MAX_AZIMUTHS = 5600  # as many as the encoder counts; where it stands still there is no end


def count_of(message: Any) -> int:
    """Return the encoder count: `azimuth`, because the driver computes `angle` wrongly."""
    return int.from_bytes(message.azimuth.tobytes()[:2], 'big')


class SweepStream:
    """Gathers messages to turns, which end where the encoder begins anew."""

    def __init__(self, preset: SpinningPreset) -> None:
        self._preset = preset
        self._is_whole = False  # what is gathered began where a turn begins
        self._begin()

    def _begin(self) -> None:
        self._counts: list[int] = []
        self._sweeps: list[NDArray[np.uint8]] = []
        self._stamps_ns: list[int] = []

    def add(self, message: Any, stamp_ns: int) -> SpinningRadarScan | None:
        """
        Take a message and return the turn before it if it begins the next one.

        The first one is left out, for the driver was met in the middle of it.

        :param message: messages/RadarFftDataMessage, live or recorded
        :raise ValueError: that turn cannot be one
        """
        count = count_of(message)
        gathered = self._counts, self._sweeps, self._stamps_ns
        ends = bool(self._counts) and count < self._counts[-1]
        is_whole, self._is_whole = self._is_whole, self._is_whole or ends
        if ends or len(self._counts) >= _MAX_AZIMUTHS:
            self._begin()
        self._counts.append(count)
        self._sweeps.append(np.array(message.data, np.uint8))
        self._stamps_ns.append(stamp_ns)
        if not (ends and is_whole):
            return None
        counts, sweeps, stamps_ns = gathered
        middle_ns = stamps_ns[len(stamps_ns) // 2]
        return scan_from_sweeps(np.array(counts, np.uint16), sweeps, middle_ns, self._preset)
