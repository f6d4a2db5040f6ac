# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The description and the arrays of a map of squares, beside the files of its squares."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict, dataclass
import hashlib
import json
from pathlib import Path
import re
from typing import Any

import numpy as np
from numpy.typing import NDArray
from ssd_ros.confidence.model import ConfidenceModel
from ssd_ros.encoders.product_codes import can_code, Codebook, parts_shape
from ssd_ros.maps.arrays import fingerprint, KEYFRAME, load_array
from ssd_ros.maps.cells.blocks import Layout
from ssd_ros.maps.cells.lists import LIST, StoredLists
from ssd_ros.maps.cells.store import CELL, CellStore, MAX_SESSIONS, SearchPlan, Session
from ssd_ros.maps.checks import check_places, MAX_RETURNS_BYTES
from ssd_ros.maps.files import info_of, MapInfo
from ssd_ros.maps.meta import (
    CELLS_FOLDER,
    CELLS_VERSION,
    MapError,
    MAX_META_BYTES,
    META_FILE,
    read_meta,
    REBUILD,
    sha256_of_meta,
)
from ssd_ros.motion.trajectory import Trajectory
from ssd_ros.npy_files import content_of
from ssd_ros.records import check_limits, Limits, record_from_mapping
from ssd_ros.targets import BY_NAME, file_written, write_file

# Arrays, each in a file whose name has the beginning of its SHA-256, too.
KEYFRAMES = 'keyframes'
TABLE = 'cells'
SESSIONS = 'session_of'
CENTRES = 'centres'
PARTS = 'parts'
LISTS = 'lists'
ROWS = 'rows'  # no array: see lists


@dataclass(frozen=True, slots=True)
class CellMap:
    """
    A map of squares.

    :param sessions: the drives that it is made of
    :param session_of: shape (slots,) uint16, of each keyframe
    :param plan: None where its rows have no codes: then all of them are compared exactly
    :param lists: of the codes
    :param beside: names of the files beside the squares
    """

    info: MapInfo
    confidence: ConfidenceModel | None
    sessions: Sequence[Session]
    session_of: NDArray[np.uint16]
    plan: SearchPlan | None
    store: CellStore
    lists: StoredLists | None = None
    beside: Collection[str] = ()

    @property
    def keyframes(self) -> Trajectory:
        """Poses of all keyframes."""
        return self.store.keyframes

    @property
    def files(self) -> set[str]:
        """The files of the map, relative to its folder."""
        squares = (f'{CELLS_FOLDER}/{name}' for name in self.store.names)
        return {META_FILE, *self.beside, *squares}


@dataclass(frozen=True, slots=True)
class _Sizes:
    """What meta.json says beside what every map says."""

    num_keyframes: int
    descriptor_size: int
    num_returns: int
    num_cells: int
    num_lists: int

    def __post_init__(self) -> None:
        limits = {'num_keyframes': Limits(1, 1 << 31), 'descriptor_size': Limits(1, 1 << 16)}
        limits |= {'num_returns': Limits(0, MAX_RETURNS_BYTES // 4)}
        limits |= {'num_cells': Limits(1, 1 << 24), 'num_lists': Limits(0, 1 << 16)}
        check_limits(self, limits)
        if self.num_lists and not can_code(self.descriptor_size):
            raise ValueError(f'descriptors of {self.descriptor_size} numbers have no codes')


def read_cells(path: Path) -> CellMap:
    """
    Read a map of squares, of these what is needed to find them.

    Squares that cannot be read are left out and named in the store's problems.

    :raise MapError: all else of the map is absent, truncated, foreign or damaged, and why
    :raise OSError: a file of it cannot be opened
    """
    meta = read_meta(path, (CELLS_VERSION,))
    info, confidence = info_of(path, meta)
    try:
        sizes = record_from_mapping(_Sizes, {name: meta.get(name) for name in _SIZES})
        named = meta.get('sessions')
        if not isinstance(named, list) or not 1 <= len(named) <= MAX_SESSIONS:
            raise ValueError('sessions are none or too many')
        sessions = [record_from_mapping(Session, each, 'sessions.') for each in named]
        plan = record_from_mapping(SearchPlan, meta.get('plan')) if sizes.num_lists else None
        if info.scan_context is not None:
            raise ValueError('scan contexts are not kept in squares')
        return _assembled(path, meta['files'], info, confidence, sizes, sessions, plan)
    except MapError:
        raise
    except ValueError as error:
        raise MapError(f'{path / META_FILE}: {error}: {REBUILD}') from error


_MARK = rb'"format_version": \d'  # of meta.json
_SIZES = tuple(_Sizes.__dataclass_fields__)


def _assembled(
    path: Path,
    files: Mapping[str, Any],
    info: MapInfo,
    confidence: ConfidenceModel | None,
    sizes: _Sizes,
    sessions: Sequence[Session],
    plan: SearchPlan | None,
) -> CellMap:
    num, size, num_lists = sizes.num_keyframes, sizes.descriptor_size, sizes.num_lists

    def load(name: str, dtype: np.dtype[Any], shape: tuple[int, ...]) -> NDArray[Any]:
        return load_array(path / _listed(path, files, name), files, dtype, shape)

    records = load(KEYFRAMES, KEYFRAME, (num,))
    session_of = load(SESSIONS, np.dtype('<u2'), (num,))
    table = load(TABLE, CELL, (sizes.num_cells,))
    if session_of.max() >= len(sessions):
        raise ValueError(f'a keyframe is of session {session_of.max()}, there are {len(sessions)}')
    codebook = lists = None
    if num_lists:
        number = np.dtype('<f4')
        centres = load(CENTRES, number, (num_lists, size))
        codebook = Codebook(centres, load(PARTS, number, parts_shape(size)))
        table_of_lists = load(LISTS, LIST, (num_lists,))
        lists = StoredLists(path / _listed(path, files, ROWS, 'codes'), table_of_lists)
    layout = Layout(info.num_views, size, sizes.num_returns, codebook is not None)
    store = CellStore(path, layout, table, records, codebook)
    check_places(store.keyframes)
    return CellMap(info, confidence, sessions, session_of, plan, store, lists, list(files))


def _listed(path: Path, files: Mapping[str, Any], name: str, suffix: str = 'npy') -> str:
    """Return a file beside the squares, of those that the description lists."""
    pattern = re.compile(rf'{name}\.[0-9a-f]{{16}}\.{suffix}')
    found = [file for file in files if pattern.fullmatch(file)]
    if len(found) != 1:
        raise MapError(f'{path / META_FILE} lists {len(found)} files of {name}: {REBUILD}')
    return found[0]


def write_description(directory: Path, found: CellMap) -> None:
    """
    Write all but the files of the squares; with the last of them, meta.json, the map is another.

    :raise MapError: it has too many drives
    """
    store = found.store
    arrays = {KEYFRAMES: store.records, SESSIONS: found.session_of, TABLE: store.table}
    if store.codebook is not None:
        arrays |= {CENTRES: store.codebook.centres, PARTS: store.codebook.parts}
    files = {}
    if found.lists is not None:
        arrays[LISTS] = found.lists.table
        files[found.lists.path.name] = fingerprint(found.lists.path)
    files |= dict(_written(directory, name, array) for name, array in arrays.items())
    meta: dict[str, Any] = {
        'format_version': CELLS_VERSION,
        'num_keyframes': store.num_keyframes,
        'descriptor_size': store.layout.descriptor_size,
        'num_returns': store.layout.num_returns,
        'num_cells': len(store.table),
        'num_lists': 0 if store.codebook is None else len(store.codebook.centres),
        'plan': found.plan and asdict(found.plan),
        'sessions': [asdict(session) for session in found.sessions],
        'info': asdict(found.info),
        'confidence': found.confidence and asdict(found.confidence),
        'files': files,
    }
    meta['meta_sha256'] = sha256_of_meta(meta)
    text = f'{json.dumps(meta, indent=2)}\n'.encode()
    if len(text) > MAX_META_BYTES:
        raise MapError(f'{len(found.sessions)} drives are too many for one map: make two of them')
    write_file(directory / META_FILE, text, _MARK)


def _written(directory: Path, name: str, array: NDArray[Any]) -> tuple[str, dict[str, Any]]:
    """Write an array and return its file and what the description says of it."""
    content = content_of(array)
    sha256 = hashlib.sha256(content).hexdigest()
    file_name = f'{name}.{sha256[:16]}.npy'
    with file_written(directory / file_name, BY_NAME) as file:
        file.write(content)
    return file_name, {'bytes': len(content), 'sha256': sha256}
