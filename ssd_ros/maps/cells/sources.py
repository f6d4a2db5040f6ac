# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What a map of squares is made of: drives in maps of one piece, and squares of other maps."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timezone
from pathlib import Path
from typing import Any, NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray
from ssd_ros.confidence.model import ConfidenceModel
from ssd_ros.encoders.product_codes import Codebook
from ssd_ros.maps.arrays import KEYFRAME, records_of, trajectory_of
from ssd_ros.maps.cells.blocks import Layout, Square
from ssd_ros.maps.cells.files import CellMap, read_cells
from ssd_ros.maps.cells.grid import cells_of
from ssd_ros.maps.cells.store import SearchPlan, Session
from ssd_ros.maps.files import MapContent, MapInfo, read_map
from ssd_ros.maps.meta import CELLS_VERSION, MapError, read_meta
from ssd_ros.maps.target import BOTH
from ssd_ros.motion.trajectory import Trajectory

Cell = tuple[int, int]


class Source(Protocol):
    """Keyframes of one square that are to be written."""

    @property
    def records(self) -> NDArray[Any]:
        """Their poses, shape (N,) of KEYFRAME."""
        ...

    @property
    def session_of(self) -> NDArray[np.uint16]:
        """Their sessions, shape (N,)."""
        ...

    def read(self) -> Square:
        """
        Return their descriptors and returns.

        :raise MapError: they cannot be read
        """
        ...


@dataclass(frozen=True, slots=True)
class ContentSource:
    """
    Keyframes of a map in memory.

    :param numbers: which of them, ascending
    :param session: number of theirs
    """

    content: MapContent
    numbers: NDArray[np.int64]
    session: int

    @property
    def records(self) -> NDArray[Any]:
        """Their poses."""
        return records_of(self.content.keyframes.select(self.numbers))

    @property
    def session_of(self) -> NDArray[np.uint16]:
        """Their sessions."""
        return np.full(len(self.numbers), self.session, np.uint16)

    def read(self) -> Square:
        """Return their descriptors and returns."""
        content, size = self.content, self.content.descriptors.shape[1]
        rings = content.descriptors.reshape(-1, content.info.num_views, size)[self.numbers]
        return Square(rings.astype(np.float16), content.returns_cm[self.numbers])


@dataclass(frozen=True, slots=True)
class StoredSource:
    """
    Keyframes of a square of a map on disk.

    :param number: of the square
    :param places: which of its keyframes, ascending
    :param sessions: what the sessions of that map are called in the new one, shape (S,)
    """

    found: CellMap
    number: int
    places: NDArray[np.int64]
    sessions: NDArray[np.uint16]

    @property
    def records(self) -> NDArray[Any]:
        """Their poses."""
        return self.found.store.records[self._slots]

    @property
    def session_of(self) -> NDArray[np.uint16]:
        """Their sessions."""
        return self.sessions[self.found.session_of[self._slots]]

    @property
    def is_whole(self) -> bool:
        """Whether these are all keyframes of the square."""
        return len(self.places) == self.found.store.files[self.number].num_keyframes

    @property
    def _slots(self) -> NDArray[np.int64]:
        return self.found.store.starts[self.number] + self.places

    def read(self) -> Square:
        """Return their descriptors and returns."""
        return self.found.store.square(self.number, self.places)


class Plan(NamedTuple):
    """
    What a map of squares is to be made of.

    :param layout: its `is_coded` is chosen when it is written
    :param cells: what lies in each square
    :param codebook: that rows are coded by, unless they have become many more since
    :param search: chosen for that codebook
    :param is_mixed: its info has the novelty distance of a part: that of the whole is measured
    """

    info: MapInfo
    confidence: ConfidenceModel | None
    sessions: Sequence[Session]
    layout: Layout
    cells: Mapping[Cell, Sequence[Source]]
    codebook: Codebook | None = None
    search: SearchPlan | None = None
    is_mixed: bool = False

    @property
    def keyframes(self) -> Trajectory:
        """Their poses."""
        parts = [each.records for sources in self.cells.values() for each in sources]
        records = np.concatenate([np.zeros(0, KEYFRAME), *parts])
        return trajectory_of(np.sort(records, order='stamp_ns'))

    @property
    def num_keyframes(self) -> int:
        """Number of keyframes."""
        return sum(len(each.records) for sources in self.cells.values() for each in sources)


def plan_of(path: Path, first_session: int = 0, name: str = '', day: str = '') -> Plan:
    """
    Read what a map of either form brings.

    :param first_session: number of its first drive
    :param name: of its drive; '' = as it is called, so is day
    :raise MapError: it cannot be read, or not be kept in squares
    :raise OSError: a file of it cannot be opened
    """
    if read_meta(path, BOTH)['format_version'] != CELLS_VERSION:
        content = read_map(path)
        return plan_of_drive(content, session_of_drive(content, name, day), first_session)
    if name or day:
        raise MapError(f'{path} is a map of squares, whose drives keep their names and days')
    return plan_of_squares(read_cells(path), (), first_session)


def plan_of_drive(content: MapContent, session: Session, number: int = 0) -> Plan:
    """
    Return what a drive brings.

    :param number: of its session
    :raise MapError: it cannot be kept in squares
    """
    info = content.info
    require_squares(info)
    layout = Layout(
        info.num_views, content.descriptors.shape[1], content.returns_cm.shape[1], is_coded=False
    )
    return Plan(info, content.confidence, [session], layout, _sources_of(content, number))


def plan_of_squares(found: CellMap, dropped: Collection[int] = (), first_session: int = 0) -> Plan:
    """
    Return what a map of squares brings.

    :param dropped: numbers of drives that are left out
    :param first_session: number of the first drive that is not
    """
    store, num = found.store, len(found.sessions)
    kept = np.array([number for number in range(num) if number not in dropped], np.int64)
    sessions = np.zeros(num, np.uint16)
    sessions[kept] = first_session + np.arange(len(kept))
    is_kept = np.isin(found.session_of, kept)
    cells: dict[Cell, list[Source]] = {}
    for number, (start, end) in enumerate(zip(store.starts, store.starts[1:], strict=False)):
        places = np.flatnonzero(is_kept[start:end])
        if len(places):
            column, row = store.cells[number].tolist()
            cells[column, row] = [StoredSource(found, number, places, sessions)]
    return Plan(
        found.info,
        found.confidence,
        [found.sessions[number] for number in kept.tolist()],
        store.layout,
        cells,
        store.codebook,
        found.plan,
    )


def require_squares(info: MapInfo) -> None:
    """
    Refuse a map that cannot be kept in squares.

    :raise MapError: why, and the way out
    """
    if info.scan_context is not None:
        raise MapError('a map of scan contexts is searched in one piece: keep it as it is')
    if len(info.segment_starts) > 1:
        raise MapError(
            'the odometry of this session began anew, so its keyframes share no frame: give them '
            'poses in one frame first (map repose)'
        )


def session_of_drive(content: MapContent, name: str = '', day: str = '') -> Session:
    """
    Return what a drive is called.

    :param name: '' = its source
    :param day: '' = that of its first stamp
    :raise ValueError: it cannot be called so
    """
    info = content.info
    return Session(
        name or info.source,
        day or day_of(content),
        info.uuid,
        info.poses,
        info.num_scans,
        info.num_without_pose,
        info.num_unreadable,
        info.pose_misfit_m,
        info.data_origin,
    )


def day_of(content: MapContent) -> str:
    """Return the day (UTC) of a drive, '' if its stamps do not tell."""
    first_s = int(content.keyframes.stamps_ns[0]) // 1_000_000_000
    is_date = first_s >= 946_684_800  # of the year 2000
    return datetime.fromtimestamp(first_s, timezone.utc).date().isoformat() if is_date else ''


def _sources_of(content: MapContent, session: int) -> dict[Cell, list[Source]]:
    """Return what of a map lies in each square."""
    cells = cells_of(content.keyframes.positions_m)
    order = np.lexsort(cells.T[::-1])
    ends = np.flatnonzero((np.diff(cells[order], axis=0) != 0).any(axis=1)) + 1
    return {
        (int(cells[numbers[0], 0]), int(cells[numbers[0], 1])): [
            ContentSource(content, np.sort(numbers), session)
        ]
        for numbers in np.split(order, ends)
    }
