# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""
Which radars a calibration knows: the statistics of the drives that it was fitted on.

A radar is known if all its statistics lie within those of one of the drives, widened by the
margins of the statistics. Of one drive, not of all together: few points from a wide view and few
from a narrow one do not tell how few points of a sparse radar behave.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray
from ssd_ros.confidence.radar_profile import is_misaligned, NAMES, STATISTICS

MAX_DRIVES = 500
_QUANTILES = (0.02, 0.98)  # of a drive: a few odd scans make no radar
_NUM_SAID = 3  # statistics that a text names
_DIGITS = 4


@dataclass(frozen=True, slots=True)
class DriveStatistics:
    """
    Between which values the statistics of one drive lay.

    :param low: of each statistic; with `high` what it is taken for where the drive did not tell
    """

    low: tuple[float, ...]
    high: tuple[float, ...]


@dataclass(frozen=True)  # with slots nothing could be computed once
class RadarEnvelope:
    """
    The radars that a calibration knows.

    :param statistics: their names, of radar_profile.NAMES
    :param drives: that it was fitted on
    """

    statistics: tuple[str, ...]
    drives: tuple[DriveStatistics, ...]

    def __post_init__(self) -> None:
        unknown = [name for name in self.statistics if name not in STATISTICS]
        if unknown or len(set(self.statistics)) < max(len(self.statistics), 1):
            raise ValueError(f'statistics are {self.statistics}, expected some of {NAMES}')
        if not 1 <= len(self.drives) <= MAX_DRIVES:
            raise ValueError(f'{len(self.drives)} drives, expected 1 .. {MAX_DRIVES}')
        for drive in self.drives:
            self._check(drive)

    def _check(self, drive: DriveStatistics) -> None:
        if not len(drive.low) == len(drive.high) == len(self.statistics):
            raise ValueError(
                f'a drive has {len(drive.low)} and {len(drive.high)} limits, expected '
                f'{len(self.statistics)} each'
            )
        for name, low, high in zip(self.statistics, drive.low, drive.high, strict=True):
            least, most = STATISTICS[name].limits
            if not least <= low <= high <= most:
                raise ValueError(
                    f'{name}: low is {low} and high {high}, expected {least} .. {most}'
                )

    def is_unlike(self, profiles: NDArray[np.float64]) -> NDArray[np.bool_]:
        """
        Return which radars are unlike those of all drives; what is not known counts for none.

        :param profiles: shape (..., S), see RadarProfile
        :return: shape (...)
        """
        return np.asarray((self._excess(profiles) > 0).any(axis=-1).all(axis=-1))

    def difference(self, profile: NDArray[np.float64]) -> str:
        """
        Return how a radar differs from the most similar known one, '' if it is known.

        :param profile: shape (S,)
        """
        if not self.is_unlike(profile):
            return ''
        excess = self._excess(profile)
        drive = int(excess.max(axis=-1).argmin())
        worst = np.argsort(-excess[drive], kind='stable')[:_NUM_SAID]
        parts = []
        for number in worst[excess[drive, worst] > 0].tolist():
            name = self.statistics[number]
            said = STATISTICS[name].words.format(profile[NAMES.index(name)])
            low, high = self.drives[drive].low[number], self.drives[drive].high[number]
            parts.append(f'{said} (known: {_rounded(low)} to {_rounded(high)})')
        return ', '.join(parts)

    def _excess(self, profiles: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return by how many margins they lie outside the margins of each, (..., drives, S)."""
        columns = [
            STATISTICS[name].scaled(profiles[..., NAMES.index(name)]) for name in self.statistics
        ]
        values = np.stack(columns, axis=-1)[..., None, :]
        low, high = self._limits
        excess = np.maximum(low - values, values - high)
        return np.where(excess > 0, excess, 0.0)  # also where NaN

    @cached_property
    def _limits(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Scaled and widened, shape (drives, S) each."""
        low, high = (
            np.array([getattr(drive, name) for drive in self.drives]) for name in ('low', 'high')
        )
        for column, name in enumerate(self.statistics):
            low[:, column] = STATISTICS[name].scaled(low[:, column]) - 1
            high[:, column] = STATISTICS[name].scaled(high[:, column]) + 1
        return low, high


def envelope_of(profiles: Iterable[NDArray[np.float64]]) -> RadarEnvelope | None:
    """
    Return what drives teach about their radars, None if the statistics of none are known.

    What a radar measured that pointed elsewhere than its mounting says teaches nothing.

    :param profiles: of each drive, shape (Q, S)
    """
    drives = []
    for of_drive in profiles:
        known = of_drive[np.isfinite(of_drive).any(axis=1) & ~is_misaligned(of_drive)]
        if len(known):
            drives.append(_statistics_of(known))
    return RadarEnvelope(NAMES, tuple(_not_within(drives))) if drives else None


def _statistics_of(profiles: NDArray[np.float64]) -> DriveStatistics:
    low, high = [], []
    for name, values in zip(NAMES, profiles.T, strict=True):
        known, statistic = values[np.isfinite(values)], STATISTICS[name]
        ends = np.quantile(known, _QUANTILES).tolist() if len(known) else statistic.untold
        least, most = (float(f'{np.clip(end, *statistic.limits):.{_DIGITS}g}') for end in ends)
        low.append(least)
        high.append(most)
    return DriveStatistics(tuple(low), tuple(high))


def _not_within(drives: Sequence[DriveStatistics]) -> list[DriveStatistics]:
    """Leave out drives whose statistics lie within those of another: they add nothing."""
    kept: list[DriveStatistics] = []
    for drive in sorted(set(drives), key=lambda one: (one.low, one.high)):
        if not any(_is_within(drive, other) for other in drives if other != drive):
            kept.append(drive)
    return kept


def _is_within(drive: DriveStatistics, other: DriveStatistics) -> bool:
    low, high = np.array([drive.low, other.low]), np.array([drive.high, other.high])
    return bool((low[0] >= low[1]).all() and (high[0] <= high[1]).all())


def _rounded(value: float) -> str:
    return f'{value:.0f}' if abs(value) >= 10 else f'{value:.2g}'
