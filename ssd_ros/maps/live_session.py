# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The places of the running drive, seen by its own 4D radar: a map that grows."""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass, replace
import math
from operator import itemgetter
import uuid

import numpy as np
from numpy.typing import NDArray
from ssd_ros.confidence.model import ConfidenceModel
from ssd_ros.encoders.growing_rows import GrowingRows, Rows
from ssd_ros.encoders.scan_context import ScanContextConfig
from ssd_ros.maps.arrays import KEYFRAME, trajectory_of
from ssd_ros.maps.checks import MAX_RETURNS_BYTES
from ssd_ros.maps.files import MapContent, MapInfo
from ssd_ros.maps.meta import MapError
from ssd_ros.maps.neighbours import Neighbours
from ssd_ros.maps.place_database import Keyframe
from ssd_ros.maps.place_index import new_index
from ssd_ros.motion.pose_faults import MAX_POSITION_M
from ssd_ros.verification import NO_RETURN, NUM_RETURNS, used_returns

LIVE_MAP_ID = 0xFFFFFFFF
MAX_BYTES = 1 << 30  # reconstructed: of descriptors, poses and returns
_STEP_M = 1.0  # reconstructed: of the way travelled, above the jitter of a vehicle that stands
_RECORD = np.dtype(
    [
        *KEYFRAME.descr,
        ('elapsed_ns', '<i8'),
        ('segment', '<i4'),
        ('way_m', '<f8'),  # travelled until then
        ('first_return', '<i8'),  # of its returns, up to those of the next one
    ]
)


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
        self._keyframe_bytes = row_bytes + _RECORD.itemsize + MAX_RETURNS_BYTES  # at most
        self.clear()

    def clear(self) -> None:
        """Forget all keyframes: time or odometry began anew."""
        self._index.clear()
        self._records = GrowingRows(_RECORD)
        self._returns_cm = GrowingRows(np.int16, (2,))
        self.uuid = str(uuid.uuid4())  # of the drive: the same each time it is saved
        self._way_m = 0.0  # travelled until now
        self._here: tuple[NDArray[np.float64], int] | None = None  # where its last step ended

    def __len__(self) -> int:
        """Return the number of keyframes."""
        return len(self._records)

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
        if not len(self):
            return True
        last = self._records[-1]
        if elapsed_ns <= last['elapsed_ns'] or self.is_full:
            return False
        if segment != last['segment']:
            return True
        moved_m = position_m[:2] - last['position_m'][:2]
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
        record = np.zeros(1, _RECORD)
        for name, value in zip(Keyframe._fields[:-1], keyframe, strict=False):
            record[name] = value
        record['elapsed_ns'] = keyframe.stamp_ns if elapsed_ns is None else elapsed_ns
        record['segment'], record['way_m'] = segment, self._way_m
        record['first_return'] = len(self._returns_cm)
        self._index.add(np.atleast_2d(descriptor))
        self._returns_cm.append(used_returns(keyframe.returns_cm))
        self._records.append(record)

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
        records, furthest_m = self._records, self._way_m - least_way_m
        num_old = bisect_right(records, newest_ns, key=itemgetter('elapsed_ns'))
        return min(num_old, bisect_right(records, furthest_m, key=itemgetter('way_m')))

    def keyframe(self, number: int) -> Keyframe:
        """Return one keyframe, with the returns that it has and no unused rows."""
        record = self._records[number]
        is_last = number == len(self) - 1
        end = len(self._returns_cm) if is_last else int(self._records[number + 1]['first_return'])
        returns_cm = self._returns_cm.part(int(record['first_return']), end)
        pose = record['position_m'], record['quaternion_xyzw']
        return Keyframe(int(record['stamp_ns']), *pose, returns_cm)

    def segment(self, number: int) -> int:
        """Return of which frame the pose of a keyframe is: those of two do not compare."""
        return int(self._records[number]['segment'])

    def segments(self, numbers: NDArray[np.int64]) -> NDArray[np.int64]:
        """Return of which frames the poses of keyframes are, shape (N,)."""
        return self._records.take(numbers)['segment'].astype(np.int64)

    def way_m(self, number: int) -> float:
        """Return the way travelled until a keyframe, over which odometry drifts."""
        return float(self._records[number]['way_m'])

    def positions_m(self, numbers: NDArray[np.int64]) -> NDArray[np.float64]:
        """Return where keyframes are, shape (N, 3)."""
        return np.asarray(self._records.take(numbers)['position_m'])

    @property
    def num_bytes(self) -> int:
        """Memory that descriptors, poses and returns take."""
        of_rows = len(self._index) * self._index.bytes_per_row
        return of_rows + self._records.num_bytes + self._returns_cm.num_bytes

    @property
    def is_full(self) -> bool:
        """Whether nothing more is remembered: the next one could be too large."""
        return self.num_bytes + self._keyframe_bytes > MAX_BYTES

    def snapshot(self) -> SessionSnapshot:
        """Return the session as it stands; nothing is copied, however long the drive."""
        keyframes = self._records.snapshot(), self._returns_cm.snapshot(), self._index.snapshot()
        return SessionSnapshot(*keyframes, self.confidence, self.uuid)

    def to_map(self, info: MapInfo) -> MapContent:
        """Return the session as a map, as its snapshot does."""
        return self.snapshot().to_map(info)


@dataclass(frozen=True, slots=True)
class SessionSnapshot:
    """
    A session at one moment, which goes on while this becomes a map in another thread.

    :param records: of each keyframe
    :param returns_cm: of all keyframes, those that were used, shape (R, 2)
    :param rows: descriptors, shape (N * num_views, D)
    :param uuid: of the drive
    """

    records: Rows
    returns_cm: Rows
    rows: Rows
    confidence: ConfidenceModel | None
    uuid: str

    def to_map(self, info: MapInfo) -> MapContent:
        """
        Return it as a map.

        :param info: with as many views as a keyframe has, and sensor '4d'
        :raise MapError: there is no keyframe
        """
        if not len(self.records):
            raise MapError('the session has no keyframe yet: drive a little, with odometry')
        records = self.records.values()
        numbers = _in_order(records['stamp_ns'])
        starts = (0, *(np.flatnonzero(np.diff(records['segment'][numbers])) + 1).tolist())
        num_views = len(self.rows) // len(records)
        rows = (numbers[:, None] * num_views + np.arange(num_views)).ravel()
        return MapContent(
            self.rows.take(rows),
            trajectory_of(records[numbers]),
            self._padded_returns_cm(records['first_return'], numbers),
            replace(info, segment_starts=starts),
            self.confidence,
        )

    def _padded_returns_cm(
        self, firsts: NDArray[np.int64], numbers: NDArray[np.int64]
    ) -> NDArray[np.int16]:
        """Return the returns of some keyframes as maps have them, shape (N, NUM_RETURNS, 2)."""
        padded = np.full((len(numbers), NUM_RETURNS, 2), NO_RETURN, np.int16)
        ends = np.append(firsts[1:], len(self.returns_cm))
        spans = zip(firsts[numbers].tolist(), ends[numbers].tolist(), strict=True)
        for rows, (first, end) in zip(padded, spans, strict=True):
            rows[: end - first] = self.returns_cm.part(first, end)
        return padded


def _in_order(stamps_ns: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return which keyframes a map can have: a clock set back contradicts those before."""
    earliest_after = np.minimum.accumulate(stamps_ns[::-1])[::-1]
    return np.flatnonzero(np.append(stamps_ns[:-1] < earliest_after[1:], True))


def _is_possible(position_m: NDArray[np.float64]) -> bool:
    """Return whether a map can hold a position; a NaN it cannot."""
    return bool((np.abs(position_m) <= MAX_POSITION_M).all())
