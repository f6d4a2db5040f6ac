# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Queries of a drive by windows of scans or of way, fed as to the node, and cold starts."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from ssd_ros.bev.preprocessing import PreprocessingConfig
from ssd_ros.datasets.left_out import LeftOut
from ssd_ros.datasets.sequence import RadarSequence
from ssd_ros.evaluation.queries.answers import GroundTruth
from ssd_ros.recognition.answer import Query
from ssd_ros.recognition.offline.drive_odometry import odometry_of
from ssd_ros.recognition.place_recognizer import PlaceRecognizer

NUM_STARTS = 20  # evenly over the queries
REACH_M = 100.0  # of way, after which a start is given up
_BYTES_PER_POINT = 16


class QueryWindow:
    """Feeds a recognizer the scans up to each query, and no more than its window holds."""

    def __init__(
        self, drive: RadarSequence, recognizer: PlaceRecognizer, preprocessing: PreprocessingConfig
    ) -> None:
        self._drive = drive
        self._recognizer = recognizer
        self._preprocessing = preprocessing
        # As a vehicle's odometry would tell how its radar turns.
        self._poses = odometry_of(drive) if preprocessing.window_m else {}
        self._next = 0
        self.most_points = 0  # of all windows so far
        self.left_out = LeftOut(drive.name, '4D radar scan')

    def begin_at(self, index: int) -> None:
        """Expect scans from this one on, as if the radar had just been switched on."""
        self._recognizer.clear()
        self._next = index

    def query_at(self, index: int) -> Query | None:
        """Return the query of a scan, None if that scan cannot be read."""
        query = None
        for fed in range(max(self._next, self._preprocessing.first_scan(index)), index + 1):
            cloud = self.left_out.read(self._drive.cloud, fed)
            pose, segment = self._poses.get(fed, (None, 0))
            if cloud is None:
                query = None
            else:
                query = self._recognizer.prepare(cloud, segment=segment, checked_by=pose)
                self.most_points = max(self.most_points, query.image.num_points)
        self._next = index + 1
        return query


@dataclass(frozen=True, slots=True)
class ColdStart:
    """
    How far a vehicle goes from the first scan to the first right answer.

    :param way_m: shape (S,), of each start; NaN if there was none within reach
    :param time_s: shape (S,), likewise
    :param most_points: static returns in a window
    """

    way_m: NDArray[np.float64]
    time_s: NDArray[np.float64]
    most_points: int

    def __str__(self) -> str:
        """Return it as a line of a report."""
        right = np.isfinite(self.way_m)
        if not right.any():
            return f'no right answer from {len(right)} cold starts'
        (way, far), (time, late) = (
            np.quantile(values[right], (0.5, 0.9)) for values in (self.way_m, self.time_s)
        )
        return (
            f'first right answer after {way:.1f} m, {time:.1f} s (median), {far:.1f} m, '
            f'{late:.1f} s (90 %), of {right.sum()} in {len(right)} cold starts; '
            f'{self.most_points} points in a window at most, '
            f'{self.most_points * _BYTES_PER_POINT / 1024:.0f} KiB'
        )


def cold_start(
    window: QueryWindow,
    recognizer: PlaceRecognizer,
    chosen: NDArray[np.int64],
    truth: GroundTruth,
) -> ColdStart:
    """
    Begin anew at some of the queries and ask from there on until an answer is right.

    :param chosen: shape (Q,), the scan of each query
    """
    positions_m = truth.queries.positions_m[:, :2]
    along_m = np.append(0.0, np.cumsum(np.hypot(*np.diff(positions_m, axis=0).T)))
    starts = np.unique(np.linspace(0, len(chosen), NUM_STARTS, endpoint=False).astype(np.int64))
    found = np.full((len(starts), 2), np.nan)
    for row, start in zip(found, starts.tolist(), strict=True):
        window.begin_at(int(chosen[start]))
        for number in range(start, int(np.searchsorted(along_m, along_m[start] + REACH_M))):
            query = window.query_at(int(chosen[number]))
            if query is None or not len(truth.positives[number]):
                continue
            first = recognizer.query(query).candidates[0]
            if first.keyframe_id in truth.positives[number]:
                stamps_ns = truth.queries.stamps_ns[[start, number]]
                row[:] = along_m[number] - along_m[start], np.diff(stamps_ns)[0] / 1e9
                break
    return ColdStart(found[:, 0], found[:, 1], window.most_points)
