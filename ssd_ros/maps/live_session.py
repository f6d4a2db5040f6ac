# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The places of the running drive, seen by its own 4D radar: a map that grows."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass, replace
import math
import uuid

import numpy as np
from numpy.typing import NDArray
from ssd_ros.confidence.model import ConfidenceModel
from ssd_ros.encoders.scan_context import ScanContextConfig
from ssd_ros.maps.checks import MAX_RETURNS_BYTES
from ssd_ros.maps.files import MapContent, MapInfo
from ssd_ros.maps.meta import MapError
from ssd_ros.maps.neighbours import Neighbours
from ssd_ros.maps.place_database import Keyframe
from ssd_ros.maps.place_index import new_index
from ssd_ros.motion.pose_faults import MAX_POSITION_M
from ssd_ros.motion.trajectory import Trajectory

LIVE_MAP_ID = 0xFFFFFFFF
MAX_BYTES = 1 << 30  # reconstructed: 200 km at 2 m with a network, 45 km with scan contexts
_STEP_M = 1.0  # reconstructed: of the way travelled, above the jitter of a vehicle that stands


class LiveSession:
    """
    Keyframes of this drive, in the odometry frame.

    Written and searched by one thread.
    """

    map_id = LIVE_MAP_ID
    sensor = '4d'
    is_live = True
    novelty_distance = 0.0  # not known while places are added

    def __init__(
        self,
        descriptor_size: int,
        keyframe_distance_m: float = 2.0,
        confidence: ConfidenceModel | None = None,
        scan_context: ScanContextConfig | None = None,
        num_views: int = 1,
    ) -> None:
        """
        Start without a keyframe.

        :param descriptor_size: of a view
        :param confidence: fitted on 4D radar looked up in 4D radar; None = not calibrated
        :param scan_context: what the descriptors are; None = those of a network
        :param num_views: of a keyframe, all around; 1 = what one scan shows
        """
        self.confidence = confidence
        self._keyframe_distance_m = keyframe_distance_m
        self._index = new_index(scan_context, descriptor_size, num_views)
        row_bytes = num_views * self._index.bytes_per_row
        self._max_keyframes = MAX_BYTES // (row_bytes + MAX_RETURNS_BYTES)
        self._keyframes: list[Keyframe] = []
        self.uuid = str(uuid.uuid4())  # of the drive: the same each time it is saved
        self._elapsed_ns: list[int] = []  # of each keyframe
        self._segments: list[int] = []  # likewise
        self._ways_m: list[float] = []  # likewise, travelled until then
        self._way_m = 0.0  # travelled until now
        self._here: tuple[NDArray[np.float64], int] | None = None  # where its last step ended

    def clear(self) -> None:
        """Forget all keyframes: time or odometry began anew."""
        self._index.clear()
        self._keyframes.clear()
        self.uuid = str(uuid.uuid4())
        self._elapsed_ns.clear()
        self._segments.clear()
        self._ways_m.clear()
        self._way_m, self._here = 0.0, None

    def __len__(self) -> int:
        """Return the number of keyframes."""
        return len(self._keyframes)

    @property
    def view_yaws_rad(self) -> NDArray[np.float64]:
        """Heading of each view relative to its keyframe, counter-clockwise, (num_views,)."""
        return self._index.view_yaws_rad

    def wants(self, elapsed_ns: int, position_m: NDArray[np.float64], segment: int = 0) -> bool:
        """
        Return whether a scan here lies far enough from the last keyframe to become one.

        A position that no map can hold never does.

        :param elapsed_ns: a time that goes on whenever the clock of the stamps is set
        :param segment: of the odometry: how far it is from one to another is not known
        """
        if not _is_possible(position_m):
            return False
        if not self._keyframes:
            return True
        last = self._keyframes[-1]
        if elapsed_ns <= self._elapsed_ns[-1] or self.is_full:
            return False
        if segment != self._segments[-1]:
            return True
        moved_m = position_m[:2] - last.position_m[:2]
        return bool(np.hypot(*moved_m) >= self._keyframe_distance_m)

    def arrive(
        self, position_m: NDArray[np.float64], segment: int = 0, is_standing: bool = False
    ) -> None:
        """
        Note where the vehicle has come, in steps of a metre: the way there makes places old.

        Between two segments, and while the vehicle stands, no way is travelled.

        :param position_m: as for `wants`
        """
        if not _is_possible(position_m):
            return
        if self._here is not None and segment == self._here[1] and not is_standing:
            step_m = math.dist(position_m[:2], self._here[0][:2])
            if step_m < _STEP_M:
                return
            self._way_m += step_m
        self._here = position_m, segment

    def add(
        self,
        descriptor: NDArray[np.float32],
        keyframe: Keyframe,
        elapsed_ns: int | None = None,
        segment: int = 0,
    ) -> None:
        """
        Append a keyframe.

        :param descriptor: shape (D,) or (num_views, D), unit length
        :param keyframe: pose of the 4D radar in the odometry frame
        :param elapsed_ns: as for `wants`; None = its stamp
        :param segment: as for `wants`
        """
        self._segments.append(segment)
        self._ways_m.append(self._way_m)
        self._elapsed_ns.append(keyframe.stamp_ns if elapsed_ns is None else elapsed_ns)
        self._index.add(np.atleast_2d(descriptor))
        self._keyframes.append(keyframe)

    def search(
        self,
        descriptor: NDArray[np.float32],
        num_rows: int,
        newest_ns: int,
        least_way_m: float = 0.0,
    ) -> Neighbours:
        """
        Return the nearest keyframes that are not recent: those just left would always win.

        :param descriptor: shape (D,), unit length
        :param newest_ns: elapsed time, as for `wants`, up to which keyframes count
        :param least_way_m: travelled since then, see `arrive`
        """
        return self._index.search(descriptor, num_rows, self._num_old(newest_ns, least_way_m))

    def search_turn(
        self,
        ring: NDArray[np.float32],
        num_keyframes: int,
        newest_ns: int,
        least_way_m: float = 0.0,
    ) -> Neighbours:
        """
        Return the keyframes nearest to what is seen all around, at their best rotation.

        :param ring: shape (num_views, D)
        :param newest_ns: as for `search`; so is the way
        """
        first = self._num_old(newest_ns, least_way_m)
        return self._index.search_turn(ring, num_keyframes, first)

    def find(
        self,
        description: NDArray[np.float32],
        num: int,
        newest_ns: int,
        least_way_m: float = 0.0,
    ) -> Neighbours:
        """
        Return the nearest keyframes, by one view or by what is seen all around.

        :param description: shape (D,) for `search`, or (num_views, D) for `search_turn`
        """
        search = self.search if description.ndim == 1 else self.search_turn
        return search(description, num, newest_ns, least_way_m)

    def _num_old(self, newest_ns: int, least_way_m: float) -> int:
        num_old = bisect_right(self._elapsed_ns, newest_ns)
        return min(num_old, bisect_right(self._ways_m, self._way_m - least_way_m))

    def keyframe(self, number: int) -> Keyframe:
        """Return one keyframe."""
        return self._keyframes[number]

    def segment(self, number: int) -> int:
        """Return of which frame the pose of a keyframe is: those of two do not compare."""
        return self._segments[number]

    def segments(self, numbers: NDArray[np.int64]) -> NDArray[np.int64]:
        """Return of which frames the poses of keyframes are, shape (N,)."""
        return np.array([self._segments[number] for number in numbers.tolist()], np.int64)

    def way_m(self, number: int) -> float:
        """Return the way travelled until a keyframe, over which odometry drifts."""
        return self._ways_m[number]

    def positions_m(self, numbers: NDArray[np.int64]) -> NDArray[np.float64]:
        """Return where keyframes are, shape (N, 3)."""
        return _stacked([self._keyframes[number].position_m for number in numbers], 3)

    @property
    def is_full(self) -> bool:
        """Whether nothing more is remembered."""
        return len(self) >= self._max_keyframes

    def snapshot(self) -> SessionSnapshot:
        """Return the session as it stands; nothing is copied, however long the drive."""
        # A view: rows are only ever added, and clearing begins a new array.
        descriptors = self._index.descriptors()
        places = self._keyframes.copy(), self._segments.copy()
        return SessionSnapshot(*places, descriptors, self.confidence, self.uuid)

    def to_map(self, info: MapInfo) -> MapContent:
        """Return the session as a map, as its snapshot does."""
        return self.snapshot().to_map(info)


@dataclass(frozen=True, slots=True)
class SessionSnapshot:
    """
    A session at one moment, which goes on while this becomes a map in another thread.

    :param segments: of each keyframe
    :param descriptors: shape (N * num_views, D)
    :param uuid: of the drive
    """

    keyframes: Sequence[Keyframe]
    segments: Sequence[int]
    descriptors: NDArray[np.float32]
    confidence: ConfidenceModel | None
    uuid: str

    def to_map(self, info: MapInfo) -> MapContent:
        """
        Return it as a map.

        :param info: with as many views as a keyframe has, and sensor '4d'
        :raise MapError: there is no keyframe
        """
        if not self.keyframes:
            raise MapError('the session has no keyframe yet: drive a little, with odometry')
        numbers = self._in_order()
        stamps_ns, positions_m, quaternions, returns_cm = zip(
            *(self.keyframes[number] for number in numbers), strict=True
        )
        trajectory = Trajectory(
            np.array(stamps_ns, np.int64), _stacked(positions_m, 3), _stacked(quaternions, 4)
        )
        segments = np.array(self.segments)[numbers]
        starts = (0, *(np.flatnonzero(np.diff(segments)) + 1).tolist())
        info = replace(info, segment_starts=starts)
        of_keyframes = self.descriptors.reshape(len(self.keyframes), -1, self.descriptors.shape[1])
        descriptors, returns = np.concatenate(of_keyframes[numbers]), np.stack(returns_cm)
        return MapContent(descriptors, trajectory, returns, info, self.confidence)

    def _in_order(self) -> list[int]:
        """Return which keyframes a map can have: a clock set back contradicts those before."""
        stamps_ns = np.array([keyframe.stamp_ns for keyframe in self.keyframes])
        earliest_after = np.minimum.accumulate(stamps_ns[::-1])[::-1]
        in_order = stamps_ns[:-1] < earliest_after[1:]
        return [*np.flatnonzero(in_order).tolist(), len(stamps_ns) - 1]


def _is_possible(position_m: NDArray[np.float64]) -> bool:
    """Return whether a map can hold a position; a NaN it cannot."""
    return bool((np.abs(position_m) <= MAX_POSITION_M).all())


def _stacked(rows: Sequence[NDArray[np.float64]], width: int) -> NDArray[np.float64]:
    return np.array(rows, np.float64).reshape(-1, width)
