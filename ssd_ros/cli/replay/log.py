# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What is kept of a replay: of each query the best candidate and the time it took."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from ssd_ros.cli.replay.run import has_flag, Step
from ssd_ros.recognition.candidates import decisions, DTYPE, Flag, planar_poses


@dataclass(frozen=True, slots=True, eq=False)
class ReplayLog:
    """
    The answers of a replay in order of time.

    :param stamps_ns: shape (Q,), of the queries
    :param best: shape (Q,), rows of `~/candidates`; NaN where there was no candidate
    :param has_candidate: shape (Q,)
    :param closes_loop: shape (Q,), whether a place of the running drive was accepted
    :param num_points: shape (Q,), static returns in the window
    :param times_ms: stage -> shape (Q,)
    """

    stamps_ns: NDArray[np.int64]
    best: NDArray[np.void]
    has_candidate: NDArray[np.bool_]
    closes_loop: NDArray[np.bool_]
    num_points: NDArray[np.int64]
    times_ms: Mapping[str, NDArray[np.float64]]

    def __len__(self) -> int:
        return len(self.stamps_ns)

    @property
    def accepted(self) -> NDArray[np.bool_]:
        """Whether the best candidate was accepted, shape (Q,)."""
        return self.has_flag(Flag.ACCEPTED)

    @property
    def decisions(self) -> NDArray[np.str_]:
        """One of DECISIONS about each best candidate, shape (Q,)."""
        return decisions(self.best)

    @property
    def seconds(self) -> NDArray[np.float64]:
        """Time since the first query, shape (Q,)."""
        return (self.stamps_ns - self.stamps_ns[0]) / 1e9

    def has_flag(self, flag: Flag) -> NDArray[np.bool_]:
        """Return whether a flag is set in the best candidate, shape (Q,)."""
        return has_flag(self.best, flag)

    def poses(self) -> NDArray[np.float64]:
        """Return x, y (m) and yaw (rad) of the vehicle in the map by the best, shape (Q, 3)."""
        return planar_poses(self.best)


def log_of(steps: Sequence[Step], faults: Counter[str]) -> ReplayLog:
    """
    Keep what the summary and the plots need.

    :param faults: reason -> scans that gave none
    :raise ValueError: there was no query
    """
    if not steps:
        reasons = [f'{count} scans left out: {reason}' for reason, count in faults.most_common(1)]
        raise ValueError(': '.join(['no scan of the recording gave a query', *reasons]))
    return ReplayLog(
        stamps_ns=np.array([step.stamp_ns for step in steps], dtype=np.int64),
        best=np.concatenate([step.best if len(step.best) else _no_row() for step in steps]),
        has_candidate=np.array([len(step.best) > 0 for step in steps]),
        closes_loop=np.array([step.closes_loop for step in steps]),
        num_points=np.array([step.num_points for step in steps], dtype=np.int64),
        times_ms={
            stage: np.array([step.times_ms[stage] for step in steps])
            for stage in steps[0].times_ms
        },
    )


def _no_row() -> NDArray[np.void]:
    row = np.zeros(1, DTYPE)
    for name in DTYPE.names or ():
        if DTYPE[name].kind == 'f':
            row[name] = np.nan
    return row
