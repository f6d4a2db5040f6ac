# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""How a map of squares is written: square by square, those that stay as they are excepted."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
import math
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from ssd_ros.encoders.product_codes import (
    can_code,
    Codebook,
    CodedRows,
    trained,
)
from ssd_ros.maps.cells.blocks import Square, write_square
from ssd_ros.maps.cells.database import CellDatabase
from ssd_ros.maps.cells.files import CellMap, write_description
from ssd_ros.maps.cells.lists import write_lists
from ssd_ros.maps.cells.sources import (
    Cell,
    Plan,
    plan_of_drive,
    session_of_drive,
    Source,
    StoredSource,
)
from ssd_ros.maps.cells.store import CELL, CellStore, SearchPlan, Session
from ssd_ros.maps.cells.tuning import tuned
from ssd_ros.maps.files import MapContent
from ssd_ros.maps.meta import CELLS_FOLDER
from ssd_ros.maps.novelty import novelty_distance
from ssd_ros.maps.target import check_map_target, MAP_FOLDER
from ssd_ros.targets import folder_written

# Below, all rows are compared exactly, as in a map of one piece: 4 ms of a core.
MIN_CODED_ROWS = 131_072
MAX_GROWTH = 2.0  # of the rows since a codebook was trained: see growth
_ROWS_A_LIST = 64  # that a codebook is trained on, at most
_LISTS = 6, 12  # as powers of two, fewest and most

Progress = Callable[[int, int], None]


def converted(path: Path, content: MapContent, session: Session | None = None) -> None:
    """
    Write a map of one piece as a map of squares; keyframes keep their numbers.

    :param session: what its drive is called; None = by its source and the day of its stamps
    :raise MapError: it cannot be kept in squares, or nothing may be written there
    """
    write_cells(path, plan_of_drive(content, session or session_of_drive(content)))


def write_cells(path: Path, plan: Plan, progress: Progress | None = None) -> None:
    """
    Write a map of squares whole or not at all; a map that stood there is replaced.

    Of many rows, codes are made and the search is tuned.

    :param progress: called after each square with the number done and the number of all
    :raise MapError: something that is not a map stands there, or what goes in cannot be read
    """
    check_map_target(path)
    with folder_written(path, MAP_FOLDER) as directory:
        (directory / CELLS_FOLDER).mkdir()
        write_description(directory, write_squares(directory, plan, progress))


def write_squares(directory: Path, plan: Plan, progress: Progress | None = None) -> CellMap:
    """
    Write the squares of a map beside what its folder has, and return the map without writing it.

    Squares that are in the folder as the map is to have them are left alone.

    :raise MapError: what goes in cannot be read
    """
    codebook, search = _codebook(plan)
    layout = replace(plan.layout, is_coded=codebook is not None)
    table = np.empty(len(plan.cells), CELL)
    records, session_of = [], []
    for number, (cell, sources) in enumerate(sorted(plan.cells.items())):
        digest = _write(directory / CELLS_FOLDER, cell, sources, codebook)
        num = sum(len(source.records) for source in sources)
        table[number] = *cell, num, np.frombuffer(digest, np.uint8)
        records += [source.records for source in sources]
        session_of += [source.session_of for source in sources]
        if progress:
            progress(number + 1, len(table))
    ordered = _one_after_another(np.concatenate(records))
    sessions = np.concatenate(session_of).astype('<u2')

    store = CellStore(directory, layout, table, ordered, codebook)
    lists = None
    if codebook is not None:
        coded = CodedRows.of_rows(codebook, *store.codes())
        lists = write_lists(directory, coded)
        search = search or tuned(store, coded, plan.info.novelty_distance)
    written = CellMap(plan.info, plan.confidence, plan.sessions, sessions, search, store, lists)
    if not plan.is_mixed:
        return written
    novelty = novelty_distance(CellDatabase(written))
    return replace(written, info=replace(plan.info, novelty_distance=novelty))


def _write(
    folder: Path, cell: Cell, sources: Sequence[Source], codebook: Codebook | None
) -> bytes:
    """Have the file of a square in a folder and return the SHA-256 of its digests."""
    first = sources[0]
    if len(sources) == 1 and isinstance(first, StoredSource) and first.is_whole:
        store = first.found.store
        if store.codebook is codebook:
            return store.files[first.number].copy_to(folder)
    square = joined([source.read() for source in sources])
    return write_square(folder, cell, square, _codes(codebook, square))


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


def _codebook(plan: Plan) -> tuple[Codebook | None, SearchPlan | None]:
    """
    Return the codebook of a map, and how it is searched if that is known.

    That which it had, until it has outgrown it; then one trained on a sample of the rows. None
    for few of them.
    """
    layout, num_rows = plan.layout, plan.num_keyframes * plan.layout.num_views
    if plan.search is not None and num_rows <= MAX_GROWTH * plan.search.trained_rows:
        return plan.codebook, plan.search
    if num_rows < MIN_CODED_ROWS or not can_code(layout.descriptor_size):
        return None, None
    power = round(math.log2(2 * math.sqrt(num_rows)))
    num_lists = 1 << min(max(power, _LISTS[0]), _LISTS[1])
    share = min(1.0, _ROWS_A_LIST * num_lists / num_rows)
    generator = np.random.default_rng(0)
    sample = []
    for _, sources in sorted(plan.cells.items()):
        for source in sources:
            rows = source.read().rings.reshape(-1, layout.descriptor_size)
            sample.append(rows[generator.random(len(rows)) < share])
    return trained(np.concatenate(sample).astype(np.float32), num_lists), None


def _codes(
    codebook: Codebook | None, square: Square
) -> tuple[NDArray[np.uint16], NDArray[np.uint8]] | None:
    if codebook is None:
        return None
    return codebook.encode(square.rings.reshape(-1, square.rings.shape[2]).astype(np.float32))
