# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""How a map of squares is written: square by square, from a map of one piece or from others."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timezone
import math
from pathlib import Path
from typing import Any, NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray
from ssd_ros.confidence.model import ConfidenceModel
from ssd_ros.encoders.product_codes import (
    can_code,
    code_bytes,
    Codebook,
    CodedRows,
    trained,
)
from ssd_ros.maps.arrays import records_of
from ssd_ros.maps.cells.blocks import Layout, Square, write_square
from ssd_ros.maps.cells.files import CellMap, write_description
from ssd_ros.maps.cells.grid import cells_of, file_name
from ssd_ros.maps.cells.store import CELL, CellStore, Session
from ssd_ros.maps.cells.tuning import tuned
from ssd_ros.maps.files import MapContent, MapInfo
from ssd_ros.maps.meta import CELLS_FOLDER, MapError
from ssd_ros.maps.target import check_map_target, MAP_FOLDER
from ssd_ros.targets import folder_written

# Below, all rows are compared exactly, as in a map of one piece: 4 ms of a core.
MIN_CODED_ROWS = 131_072
_ROWS_A_LIST = 64  # that a codebook is trained on, at most
_LISTS = 6, 12  # as powers of two, fewest and most

Cell = tuple[int, int]


class Source(Protocol):
    """Keyframes of one square that are to be written."""

    @property
    def records(self) -> NDArray[Any]:
        """Their poses, shape (N,) of KEYFRAME, in order of time."""
        ...

    @property
    def session_of(self) -> NDArray[np.uint16]:
        """Their sessions, shape (N,)."""
        ...

    def read(self) -> Square:
        """Return their descriptors and returns."""
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


class Plan(NamedTuple):
    """
    What a map of squares is to be made of.

    :param layout: its `is_coded` is chosen when it is written
    :param cells: what lies in each square
    """

    info: MapInfo
    confidence: ConfidenceModel | None
    sessions: Sequence[Session]
    layout: Layout
    cells: Mapping[Cell, Sequence[Source]]


def converted(path: Path, content: MapContent, session: Session | None = None) -> None:
    """
    Write a map of one piece as a map of squares; keyframes keep their numbers.

    :param session: what its drive is called; None = by its source and the day of its stamps
    :raise MapError: it cannot be kept in squares, or nothing may be written there
    """
    info = content.info
    require_squares(info)
    session = session or Session(info.source, day_of(content), info.uuid)
    layout = Layout(
        info.num_views, content.descriptors.shape[1], content.returns_cm.shape[1], is_coded=False
    )
    cells = sources_of(content, 0)
    write_cells(path, Plan(info, content.confidence, [session], layout, cells))


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


def day_of(content: MapContent) -> str:
    """Return the day (UTC) of a drive, '' if its stamps do not tell."""
    first_s = int(content.keyframes.stamps_ns[0]) // 1_000_000_000
    is_date = first_s >= 946_684_800  # of the year 2000
    return datetime.fromtimestamp(first_s, timezone.utc).date().isoformat() if is_date else ''


def sources_of(content: MapContent, session: int) -> dict[Cell, list[Source]]:
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


def write_cells(path: Path, plan: Plan) -> None:
    """
    Write a map of squares whole or not at all; a map that stood there is replaced.

    Of many rows, codes are made and the search is tuned.

    :raise MapError: something that is not a map stands there
    """
    check_map_target(path)
    codebook = _codebook(plan)
    layout = replace(plan.layout, is_coded=codebook is not None)
    with folder_written(path, MAP_FOLDER) as directory:
        (directory / CELLS_FOLDER).mkdir()
        table = np.empty(len(plan.cells), CELL)
        records, session_of = [], []
        for row, (cell, sources) in zip(table, sorted(plan.cells.items()), strict=True):
            square = joined([source.read() for source in sources])
            file = directory / CELLS_FOLDER / file_name(cell)
            digest = write_square(file, square, *_codes(codebook, square))
            row['column'], row['row'], row['num'] = *cell, len(square.rings)
            row['sha256'] = np.frombuffer(digest, np.uint8)
            records += [source.records for source in sources]
            session_of += [source.session_of for source in sources]
        ordered = _one_after_another(np.concatenate(records))
        store = CellStore(directory, layout, table, ordered, codebook)
        search = None
        if codebook is not None:
            coded = CodedRows(codebook, *store.take_codes())
            search = tuned(store, coded, len(codebook.centres), plan.info.novelty_distance)
        found = CellMap(
            plan.info,
            plan.confidence,
            plan.sessions,
            np.concatenate(session_of).astype('<u2'),
            search,
            store,
        )
        write_description(directory, found)


def joined(squares: Sequence[Square]) -> Square:
    """Return several squares as one."""
    rings, returns_cm = zip(*squares, strict=True)
    return Square(np.concatenate(rings), np.concatenate(returns_cm))


def _one_after_another(records: NDArray[Any]) -> NDArray[Any]:
    """Return keyframes whose stamps are all different, by nanoseconds if two are the same."""
    order = np.argsort(records['stamp_ns'], kind='stable')
    count = np.arange(len(order))
    stamps_ns = np.maximum.accumulate(records['stamp_ns'][order] - count) + count
    records['stamp_ns'][order] = stamps_ns
    return records


def _codebook(plan: Plan) -> Codebook | None:
    """Return a codebook trained on a sample of the rows; None for few of them."""
    layout = plan.layout
    num_keyframes = sum(len(each.records) for sources in plan.cells.values() for each in sources)
    num_rows = num_keyframes * layout.num_views
    if num_rows < MIN_CODED_ROWS or not can_code(layout.descriptor_size):
        return None
    power = round(math.log2(2 * math.sqrt(num_rows)))
    num_lists = 1 << min(max(power, _LISTS[0]), _LISTS[1])
    share = min(1.0, _ROWS_A_LIST * num_lists / num_rows)
    generator = np.random.default_rng(0)
    sample = []
    for _, sources in sorted(plan.cells.items()):
        for source in sources:
            rows = source.read().rings.reshape(-1, layout.descriptor_size)
            sample.append(rows[generator.random(len(rows)) < share])
    return trained(np.concatenate(sample).astype(np.float32), num_lists)


def _codes(
    codebook: Codebook | None, square: Square
) -> tuple[NDArray[np.uint16], NDArray[np.uint8]]:
    size = square.rings.shape[2]
    if codebook is None:
        return np.zeros(0, np.uint16), np.zeros((0, code_bytes(size)), np.uint8)
    return codebook.encode(square.rings.reshape(-1, size).astype(np.float32))
