# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The places of the running drive, seen by its own 4D radar: a map that grows."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence

import faiss
import numpy as np
from numpy.typing import NDArray
from ssd_ros.confidence import ConfidenceModel
from ssd_ros.map_files import MapContent, MapInfo
from ssd_ros.map_meta import MapError
from ssd_ros.place_database import Keyframe, Neighbours
from ssd_ros.trajectory import Trajectory

LIVE_MAP_ID = 0xFFFFFFFF
MAX_KEYFRAMES = 100_000  # reconstructed: 200 km at 2 m; bounds memory at about 1 GB


class LiveSession:
    """
    Keyframes of this drive, in the odometry frame.

    Written and searched by one thread.
    """

    map_id = LIVE_MAP_ID
    is_live = True
    view_yaws_rad = np.zeros(1)  # the radar looks forward, whenever it comes

    def __init__(
        self,
        descriptor_size: int,
        keyframe_distance_m: float = 2.0,
        confidence: ConfidenceModel | None = None,
    ) -> None:
        """
        Start without a keyframe.

        :param confidence: fitted on 4D radar looked up in 4D radar; None = not calibrated
        """
        self.confidence = confidence
        self._keyframe_distance_m = keyframe_distance_m
        self._index = faiss.IndexFlatIP(descriptor_size)
        self._keyframes: list[Keyframe] = []

    def clear(self) -> None:
        """Forget all keyframes: time or odometry began anew."""
        self._index.reset()
        self._keyframes.clear()

    def __len__(self) -> int:
        """Return the number of keyframes."""
        return len(self._keyframes)

    def wants(self, stamp_ns: int, position_m: NDArray[np.float64]) -> bool:
        """Return whether a scan here lies far enough from the last keyframe to become one."""
        if not self._keyframes:
            return True
        last = self._keyframes[-1]
        if stamp_ns <= last.stamp_ns or len(self) >= MAX_KEYFRAMES:
            return False
        moved_m = position_m[:2] - last.position_m[:2]
        return bool(np.hypot(*moved_m) >= self._keyframe_distance_m)

    def add(self, descriptor: NDArray[np.float32], keyframe: Keyframe) -> None:
        """
        Append a keyframe.

        :param descriptor: shape (D,), unit length
        :param keyframe: pose of the 4D radar in the odometry frame
        """
        self._index.add(descriptor[None])
        self._keyframes.append(keyframe)

    def search(self, descriptor: NDArray[np.float32], num_rows: int, newest_ns: int) -> Neighbours:
        """
        Return the nearest keyframes up to a stamp: those just left would always win.

        :param descriptor: shape (D,), unit length
        """
        num_old = bisect_right(self._keyframes, newest_ns, key=lambda keyframe: keyframe.stamp_ns)
        if num_old == 0:
            none = np.zeros(0, np.int64)
            return Neighbours(none, none, np.zeros(0, np.float32), np.inf)
        faiss.omp_set_num_threads(1)
        old = faiss.SearchParameters(sel=faiss.IDSelectorRange(0, num_old))
        num_rows = min(num_rows, num_old)
        products, rows = self._index.search(descriptor[None], num_rows, params=old)
        distances = np.sqrt(np.maximum(2 - 2 * products[0], 0))
        return Neighbours(rows[0], np.zeros(num_rows, np.int64), distances, float(distances[-1]))

    def keyframe(self, number: int) -> Keyframe:
        """Return one keyframe."""
        return self._keyframes[number]

    def positions_m(self, numbers: NDArray[np.int64]) -> NDArray[np.float64]:
        """Return where keyframes are, shape (N, 3)."""
        return _stacked([self._keyframes[number].position_m for number in numbers], 3)

    def to_map(self, info: MapInfo) -> MapContent:
        """
        Return the session as a map.

        :param info: with one view and sensor '4d'
        :raise MapError: there is no keyframe
        """
        if not self._keyframes:
            raise MapError('the session has no keyframe yet: drive a little, with odometry')
        stamps_ns, positions_m, quaternions, returns_cm = zip(*self._keyframes, strict=True)
        keyframes = Trajectory(
            np.array(stamps_ns, np.int64), _stacked(positions_m, 3), _stacked(quaternions, 4)
        )
        descriptors = self._index.reconstruct_n(0, len(self))
        return MapContent(descriptors, keyframes, np.stack(returns_cm), info, self.confidence)


def _stacked(rows: Sequence[NDArray[np.float64]], width: int) -> NDArray[np.float64]:
    return np.array(rows, np.float64).reshape(-1, width)
