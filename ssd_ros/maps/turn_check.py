# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""
Whether the images of a drive turn with its headings, or against them.

Azimuths that run counter-clockwise, a radar mounted upside down and headings counted the other way
round all give a mirrored map: images and headings that look right one by one, and find nothing.
"""

from __future__ import annotations

import logging
import math

import numpy as np
from numpy.typing import NDArray
from ssd_ros.motion.trajectory import wrap_angle

_TURN_RAD = (math.radians(8), math.radians(60))
_MAX_STEP_M = 8.0
_SLACK_RAD = math.radians(3)
_MIN_VOTES = 5
_MIN_SHARE = 0.8

_log = logging.getLogger(__name__)


class TurnCheck:
    """Compares each image with the one before it wherever the vehicle has turned."""

    def __init__(self) -> None:
        """Begin without an image."""
        self._before: tuple[NDArray[np.uint8], NDArray[np.float64], float] | None = None
        self.with_heading = 0
        self.against_heading = 0

    def add(
        self, panorama: NDArray[np.uint8], position_m: NDArray[np.float64], yaw_rad: float
    ) -> None:
        """
        Vote.

        :param panorama: shape (num_ranges, panorama_azimuths), azimuth clockwise
        :param position_m: of the radar in the map, shape (3,)
        """
        before, self._before = self._before, (panorama, position_m, yaw_rad)
        if before is None or math.dist(before[1][:2], position_m[:2]) > _MAX_STEP_M:
            return
        turn_rad = float(wrap_angle(yaw_rad - before[2]))
        if not _TURN_RAD[0] <= abs(turn_rad) <= _TURN_RAD[1]:
            return
        # What stands still goes clockwise, to higher columns, by what the vehicle turned left.
        likeness = _likeness_by_shift(before[0], panorama)
        right, mirrored = (_near(likeness, sign * turn_rad) for sign in (1, -1))
        self.with_heading += right > mirrored
        self.against_heading += mirrored > right

    @property
    def is_against(self) -> bool:
        """Whether the images turn against the headings, beyond doubt."""
        votes = self.with_heading + self.against_heading
        return votes >= _MIN_VOTES and self.against_heading >= _MIN_SHARE * votes

    def warn(self, name: str) -> None:
        """Say that the images of a drive turn against its headings, if they do."""
        if self.is_against:
            _log.warning(
                '%s: in %d of %d turns the images turn against the headings, so that the map is '
                'mirrored: do azimuths run counter-clockwise, is the radar upside down, or are '
                'the headings of the poses clockwise?',
                name,
                self.against_heading,
                self.with_heading + self.against_heading,
            )


def _likeness_by_shift(before: NDArray[np.uint8], after: NDArray[np.uint8]) -> NDArray[np.float64]:
    """Return how alike the images are if the first is shifted by each number of columns."""
    first, second = (np.fft.rfft(image.astype(np.float64), axis=1) for image in (before, after))
    product = (np.conj(first) * second).sum(axis=0)
    return np.asarray(np.fft.irfft(product, n=before.shape[1]))


def _near(likeness: NDArray[np.float64], turn_rad: float) -> float:
    columns = len(likeness) / (2 * math.pi)
    slack = math.ceil(_SLACK_RAD * columns)
    shifts = round(turn_rad * columns) + np.arange(-slack, slack + 1)
    return float(likeness[shifts % len(likeness)].max())
