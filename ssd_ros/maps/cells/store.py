# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""A map of squares on disk: what of it stays in memory, and what is read when it is asked for."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import cached_property
import logging
from pathlib import Path
import re
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray
from ssd_ros.data_origin import Origin
from ssd_ros.encoders.model_checks import UNIT_LENGTH_TOLERANCE
from ssd_ros.encoders.product_codes import Codebook
from ssd_ros.maps.arrays import trajectory_of
from ssd_ros.maps.cells.blocks import Layout, Square, SquareFile
from ssd_ros.maps.cells.grid import are_reached, file_name
from ssd_ros.maps.meta import CELLS_FOLDER, MapError
from ssd_ros.maps.neighbours import Prior
from ssd_ros.motion.trajectory import Trajectory
from ssd_ros.records import check_limits, check_text, Limits
from ssd_ros.verification.returns import NO_RETURN

T = TypeVar('T')

_log = logging.getLogger(__name__)

CELL = np.dtype([('column', '<i4'), ('row', '<i4'), ('num', '<u4'), ('sha256', 'u1', (32,))])
MAX_SESSIONS = 1 << 16
_COUNTS = dict.fromkeys(('num_scans', 'num_without_pose', 'num_unreadable'), Limits(0, 1 << 40))
_DAY = re.compile(r'(\d{4}-\d{2}-\d{2})?')
_MANY = 5  # squares named in a message
_MAX_OPEN = 256  # files of squares, those read last: a process may have 1,024


@dataclass(frozen=True, slots=True)
class Session:
    """
    A drive that is part of a map.

    :param day: YYYY-MM-DD, '' = not known
    :param uuid: of the map that it came as; of that, the rest is as in MapInfo
    """

    name: str
    day: str = ''
    uuid: str = ''
    poses: str = ''
    num_scans: int = 0
    num_without_pose: int = 0
    num_unreadable: int = 0
    pose_misfit_m: float | None = None
    data_origin: Origin = field(default_factory=Origin)

    def __post_init__(self) -> None:
        for name, length in (('name', 4096), ('uuid', 64), ('poses', 4096)):
            check_text(name, getattr(self, name), length)
        check_limits(self, _COUNTS)
        if self.pose_misfit_m is not None:
            check_limits(self, {'pose_misfit_m': Limits(0, 1e9)})
        if not _DAY.fullmatch(self.day):
            raise ValueError(f'day is {self.day[:20]!r}, expected YYYY-MM-DD')

    @property
    def text(self) -> str:
        """Return what it is called, such as `Library/01 of 2026-03-01`."""
        return self.name + (f' of {self.day}' if self.day else '')


@dataclass(frozen=True, slots=True)
class SearchPlan:
    """
    How a map is searched where nothing is known of the place; chosen when it is made.

    :param num_probed: lists to look into
    :param num_refined: rows of them that are compared exactly
    :param kept: share of queries that find the place that exact search finds, as measured
    :param trained_rows: in the map when its codebook was trained
    """

    num_probed: int
    num_refined: int
    kept: float
    trained_rows: int

    def __post_init__(self) -> None:
        limits = {'num_probed': Limits(1, 1 << 16), 'num_refined': Limits(1, 1 << 16)}
        limits |= {'kept': Limits(0, 1), 'trained_rows': Limits(0, 1 << 48)}
        check_limits(self, limits)


class CellStore:
    """
    Keyframes in slots: those of a square stand together, as in its file.

    What cannot be read is left out and named in `problems`.
    """

    def __init__(
        self,
        path: Path,
        layout: Layout,
        table: NDArray[Any],
        records: NDArray[Any],
        codebook: Codebook | None = None,
    ) -> None:
        """
        Read what the keyframes of each square must be.

        :param path: of the map
        :param table: shape (C,) of CELL
        :param records: shape (slots,) of KEYFRAME
        :param codebook: of the rows' codes; None = they have none
        :raise MapError: they do not belong together
        """
        self.layout, self.codebook = layout, codebook
        self.table, self.records = table, records
        self.cells = np.stack([table['column'], table['row']], axis=1).astype(np.int32)
        self.starts = np.concatenate([[0], np.cumsum(table['num'], dtype=np.int64)])
        if self.starts[-1] != len(records) or not (table['num'] > 0).all():
            raise MapError(f'{path}: {self.starts[-1]} keyframes in squares, {len(records)} poses')
        if len(np.unique(self.cells, axis=0)) != len(table):
            raise MapError(f'{path} names a square twice')
        self.names = [
            file_name(cell, sha256.tobytes())
            for cell, sha256 in zip(self.cells, table['sha256'], strict=True)
        ]
        self.problems: dict[int, str] = {}
        self.files = [
            SquareFile(path / CELLS_FOLDER / name, int(num), layout, sha256.tobytes())
            for name, num, sha256 in zip(self.names, table['num'], table['sha256'], strict=True)
        ]
        self._open: OrderedDict[int, SquareFile] = OrderedDict()  # used last, last
        self._digests = [self._digests_of(number) for number in range(len(self.files))]

    def _digests_of(self, number: int) -> NDArray[np.uint8]:
        try:
            return self.files[number].digests()
        except MapError as error:
            self._note(number, error)
            return np.zeros((0, 0, 0), np.uint8)

    def _file(self, number: int) -> SquareFile:
        """Return the file of a square to be read."""
        self._open[number] = file = self.files[number]
        self._open.move_to_end(number)
        if len(self._open) > _MAX_OPEN:
            self._open.popitem(last=False)[1].close()
        return file

    def _note(self, number: int, error: MapError) -> None:
        if number not in self.problems:
            self.problems[number] = str(error)
            _log.warning('left out of the search: %s', error)

    @property
    def num_keyframes(self) -> int:
        """Number of keyframes, those of squares that cannot be read included."""
        return len(self.records)

    @cached_property
    def slots(self) -> NDArray[np.int64]:
        """The slot of each keyframe: they are numbered by time, shape (keyframes,)."""
        return np.argsort(self.records['stamp_ns'], kind='stable')

    @cached_property
    def numbers(self) -> NDArray[np.int64]:
        """The keyframe in each slot, shape (keyframes,)."""
        numbers = np.empty(len(self.slots), np.int64)
        numbers[self.slots] = np.arange(len(numbers))
        return numbers

    @cached_property
    def keyframes(self) -> Trajectory:
        """Poses of all keyframes."""
        return trajectory_of(self.records[self.slots])

    def codes(self) -> tuple[NDArray[np.int64], NDArray[np.uint16], NDArray[np.uint8]]:
        """
        Read slots of the rows that can be read, times the views, with lists and codes.

        :raise MapError: none can
        """
        views = self.layout.num_views
        readable = []
        for number, (start, end) in enumerate(zip(self.starts, self.starts[1:], strict=False)):
            places = np.arange(end - start)
            found = self._read(number, lambda file, digests: file.codes(places, digests))  # noqa: B023
            if found is not None:
                readable.append((np.arange(start * views, end * views), *found))
        if not readable:
            raise MapError('no square of the map can be read: copy the whole map again')
        rows, lists, codes = (np.concatenate(each) for each in zip(*readable, strict=True))
        return rows, lists, codes

    def reached(self, prior: Prior) -> list[int]:
        """Return which squares a prior reaches."""
        return np.flatnonzero(are_reached(self.cells, prior)).tolist()

    def square(self, number: int, places: NDArray[np.int64]) -> Square:
        """
        Return keyframes of a square as they are stored.

        :param places: within it, ascending
        :raise MapError: they cannot be read
        """
        if number in self.problems:
            raise MapError(f'{self.problems[number]}: copy the whole map again')
        file, digests = self._file(number), self._digests[number]
        return Square(file.rings(places, digests), file.returns_cm(places, digests))

    def rings_of_cell(self, number: int) -> NDArray[np.float32] | None:
        """Return all descriptors of a square, shape (N, num_views, D); None if unreadable."""
        return self._rings(number, np.arange(self.files[number].num_keyframes))

    def rings(self, slots: NDArray[np.int64]) -> NDArray[np.float32]:
        """
        Return the descriptors of keyframes, NaN where they cannot be read.

        :param slots: shape (K,), ascending
        :return: shape (K, num_views, D)
        """
        shape = len(slots), self.layout.num_views, self.layout.descriptor_size
        rings = np.full(shape, np.nan, np.float32)
        for number, part in self._by_cell(slots):
            found = self._rings(number, slots[part] - self.starts[number])
            if found is not None:
                rings[part] = found
        return rings

    def _rings(self, number: int, places: NDArray[np.int64]) -> NDArray[np.float32] | None:
        """Return descriptors of a square; None if they cannot be read."""

        def rings(file: SquareFile, digests: NDArray[np.uint8]) -> NDArray[np.float32]:
            found = file.rings(places, digests).astype(np.float32)
            if not _are_unit(found).all():
                raise self._of_other_length(number)
            return found

        return self._read(number, rings)

    def rows(self, rows: NDArray[np.int64]) -> NDArray[np.float32]:
        """
        Return descriptors, NaN where they cannot be read.

        :param rows: shape (R,), slot times views, in any order
        :return: shape (R, D)
        """
        order = np.argsort(rows)
        slots, views = np.divmod(rows[order], self.layout.num_views)
        parts = list(self._by_cell(slots))
        nums = [part.stop - part.start for _, part in parts]
        firsts = self.starts[[number for number, _ in parts]]
        places, views = (slots - np.repeat(firsts, nums)).tolist(), views.tolist()
        for number, part in parts:  # all of them, before one is waited for
            self._read(number, lambda file, _: file.ask(places[part]))  # noqa: B023
        none = np.full(self.layout.descriptor_size, np.nan, '<f2').tobytes()
        stored: list[bytes] = []
        for (number, part), num in zip(parts, nums, strict=True):
            found = self._read(
                number,
                lambda file, digests: file.rows(places[part], views[part], digests),  # noqa: B023
            )
            stored += found or [none] * num
        halves = np.frombuffer(b''.join(stored), '<f2').reshape(-1, self.layout.descriptor_size)
        ordered = halves.astype(np.float32)
        are_odd = ~_are_unit(ordered)
        for number, part in parts if are_odd.any() else ():
            if are_odd[part].any():
                ordered[part] = np.nan
                self._note(number, self._of_other_length(number))
        result = np.empty_like(ordered)
        result[order] = ordered
        return result

    def _read(self, number: int, read: Callable[[SquareFile, NDArray[np.uint8]], T]) -> T | None:
        """
        Return what is read of a square, None if it cannot be.

        :param read: takes its file and its digests
        """
        if number in self.problems:
            return None
        try:
            return read(self._file(number), self._digests[number])
        except MapError as error:
            self._note(number, error)
            return None

    def _of_other_length(self, number: int) -> MapError:
        return MapError(f'{self.names[number]} has a descriptor of another length than 1')

    def _by_cell(self, slots: NDArray[np.int64]) -> Iterator[tuple[int, slice]]:
        """Yield squares and which of ascending slots are theirs."""
        of = np.searchsorted(self.starts, slots, 'right') - 1
        ends = [*(np.flatnonzero(np.diff(of)) + 1).tolist(), len(slots)] if len(slots) else []
        first = 0
        for end in ends:
            yield int(of[first]), slice(first, end)
            first = end

    def returns_cm(self, slot: int) -> NDArray[np.int16]:
        """Return the returns of a keyframe, shape (M, 2); none where they cannot be read."""
        number = int(np.searchsorted(self.starts, slot, 'right')) - 1
        place = np.array([slot - self.starts[number]])
        found = self._read(number, lambda file, digests: file.returns_cm(place, digests))
        if found is None:
            return np.full((self.layout.num_returns, 2), NO_RETURN, np.int16)
        return found[0]

    def problem_texts(self) -> list[str]:
        """Return what cannot be read, a sentence each; of many the first ones."""
        texts = list(self.problems.values())
        if len(texts) > _MANY:
            texts[_MANY:] = [f'and {len(texts) - _MANY} more']
        return texts


def _are_unit(rows: NDArray[np.float32]) -> NDArray[np.bool_]:
    """Return which descriptors have length 1: none that has a NaN."""
    lengths = np.sqrt(np.einsum('...j,...j->...', rows, rows))
    return np.asarray(np.abs(lengths - 1) <= UNIT_LENGTH_TOLERANCE)
