# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The map that a place server answers from, always as it stands on disk."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
import hashlib
import logging
import os
from pathlib import Path
import time
from typing import Any, BinaryIO, NamedTuple, TypeVar

import numpy as np
from numpy.typing import NDArray
from ssd_ros.encoders.place_encoder import named_encoder, PlaceEncoder
from ssd_ros.fleet.asked import Ask
from ssd_ros.maps.cells.database import CellDatabase, open_map
from ssd_ros.maps.cells.grid import CELL_M
from ssd_ros.maps.meta import CELLS_FOLDER, MapError, META_FILE, read_meta
from ssd_ros.maps.neighbours import Prior
from ssd_ros.maps.place_database import PlaceDatabase
from ssd_ros.maps.place_search import merge_hits
from ssd_ros.maps.target import BOTH
from ssd_ros.radar.types import RadarPointCloud
from ssd_ros.reading import open_regular
from ssd_ros.recognition.answer import LoopClosureCandidate, RecognizerConfig
from ssd_ros.recognition.decision import OUTSIDE
from ssd_ros.recognition.place_recognizer import PlaceRecognizer

_log = logging.getLogger(__name__)
_CONFIG = RecognizerConfig()
_AGAIN_S = 5.0  # until a map that could not be opened is tried again
_OF_CANDIDATE = (
    *('keyframe_id', 'stamp_ns', 'position_m', 'quaternion_xyzw', 'relative_yaw_rad'),
    *('distance', 'ratio', 'relative_x_m', 'relative_y_m', 'covariance', 'overlap'),
    *('agreement', 'rival', 'confidence', 'accepted'),
)
_IN_ONE_PIECE = (
    'this map is in one piece, so it has no squares to hand out: map convert makes squares of it'
)
Result = TypeVar('Result')


class NoSuchSquareError(LookupError):
    """A square that the map does not have."""


class SquareDescription(NamedTuple):
    """
    A file of a map of squares.

    :param tag: changes with what is in it: the SHA-256 of its digests, which are of the rest
    """

    name: str
    column: int
    row: int
    keyframes: int
    bytes: int
    tag: str


class OpenSquare(NamedTuple):
    """The file of a square, found to be the one that the map names."""

    description: SquareDescription
    file: BinaryIO


@dataclass(frozen=True, slots=True)
class Opened:
    """
    A map as it stood on disk.

    :param state: of the file that describes it
    :param revision: checksum of all that is in it
    :param recognizer: None where clouds cannot be answered
    :param no_clouds: why not
    """

    database: PlaceDatabase
    state: tuple[int, ...]
    revision: str
    squares: dict[str, SquareDescription]
    recognizer: PlaceRecognizer | None
    no_clouds: str


class ServedMap:
    """
    A map that is opened anew when it was replaced; for one thread at a time.

    What cannot be opened leaves the map that was there in use, and is told in `problems`.
    """

    def __init__(self, path: Path, model: Path | None = None) -> None:
        """
        Open a map.

        :param model: student that clouds are encoded with; None = the installed one, if it is of
            the map's training run
        :raise ValueError: there is no map, or it is damaged, or not of the given model
        :raise OSError: one of them cannot be read
        """
        self._path, self._has_model = path, model is not None
        self._encoder: PlaceEncoder | None = None
        self._failed_s, self._failure = -_AGAIN_S, ''
        self._opened = self._open(model)

    @property
    def opened(self) -> Opened:
        """The map that was used last."""
        return self._opened

    @property
    def problems(self) -> list[str]:
        """What of the map, or of the one that replaced it, cannot be read."""
        return [*self._opened.database.problems, *filter(None, [self._failure])]

    def find(self, descriptor: NDArray[np.float32], ask: Ask) -> dict[str, Any]:
        """
        Return the keyframes with the nearest descriptors.

        :param descriptor: shape (D,), or (V, D) of a whole turn
        :raise ValueError: it does not fit the map
        """
        return self._answered(lambda opened: _found(opened, descriptor, ask))

    def localize(self, cloud: RadarPointCloud, ask: Ask) -> dict[str, Any]:
        """
        Return the places that a scan may show, verified and judged.

        :raise ValueError: clouds cannot be answered with this map
        """
        return self._answered(lambda opened: _localized(opened, cloud, ask))

    def describe(self) -> dict[str, Any]:
        """Return what the map says of itself."""
        return self._answered(self._described)

    def squares(self, reach: Prior | None) -> dict[str, Any]:
        """
        Return the squares that a prior reaches, all of them without one.

        :raise NoSuchSquareError: the map has none
        """

        def listed(opened: Opened) -> dict[str, Any]:
            store = _squares_of(opened).store
            numbers = range(len(store.files)) if reach is None else store.reached(reach)
            names = (store.names[number] for number in numbers)
            found = [opened.squares[name]._asdict() for name in names]
            return {'revision': opened.revision, 'size_m': CELL_M, 'squares': found}

        return self._answered(listed)

    def open_square(self, name: str) -> OpenSquare:
        """
        Open the file of a square; the caller closes it.

        :raise NoSuchSquareError: the map has none of this name
        :raise MapError: it is damaged
        """

        def found(opened: Opened) -> OpenSquare | MapError:
            store = _squares_of(opened).store
            if (description := opened.squares.get(name)) is None:
                raise NoSuchSquareError(f'the map has no square {name[:40]!r}: squares lists them')
            path = self._path / CELLS_FOLDER / name
            digests_bytes = description.keyframes * store.layout.digests_bytes
            try:
                return OpenSquare(description, _opened_square(path, description, digests_bytes))
            except MapError as error:
                return error

        answer = self._answered(found)
        if isinstance(answer, MapError):
            raise answer
        return answer

    def _answered(self, answer: Callable[[Opened], Result]) -> Result:
        """Answer from the map that is there; anew, where it was replaced in the meantime."""
        opened = self._fresh()
        result = answer(opened)
        return result if self._fresh() is opened else answer(self._opened)

    def _fresh(self) -> Opened:
        now_s = time.monotonic()
        try:
            if _state_of(self._path) == self._opened.state:
                self._failure = ''
            elif now_s >= self._failed_s + _AGAIN_S:
                self._opened = self._open(None)
                self._failure = ''
                _log.warning('the map was replaced: revision %s', self._opened.revision[:12])
        except (OSError, ValueError) as error:
            self._failed_s, self._failure = now_s, f'the map as it was is in use: {error}'
            _log.warning(self._failure)
        return self._opened

    def _open(self, model: Path | None) -> Opened:
        while True:
            revision, state = _revision_of(self._path), _state_of(self._path)
            database = open_map(self._path)
            if _revision_of(self._path) == revision:  # or it was replaced in the meantime
                break
        recognizer, no_clouds = None, ''
        try:
            recognizer = self._recognizer(database, model)
        except (OSError, ValueError) as error:
            if model is not None:
                raise
            no_clouds = f'clouds are not answered: {error}'
        squares = _descriptions(database) if isinstance(database, CellDatabase) else {}
        return Opened(database, state, revision, squares, recognizer, no_clouds)

    def _recognizer(self, database: PlaceDatabase, model: Path | None) -> PlaceRecognizer:
        kind = database.info.encoder
        if self._encoder is None or (self._encoder.kind != kind and not self._has_model):
            self._encoder = named_encoder(kind, model)
        return PlaceRecognizer(self._encoder, [database])

    def _described(self, opened: Opened) -> dict[str, Any]:
        database, positions_m = opened.database, opened.database.keyframes.positions_m
        return {
            'revision': opened.revision,
            'keyframes': len(database),
            'rows': database.num_rows,
            'descriptor_size': database.descriptor_size,
            'squares': len(opened.squares),
            'bounds_m': [positions_m.min(axis=0).tolist(), positions_m.max(axis=0).tolist()],
            'takes_clouds': opened.recognizer is not None,
            'problems': self.problems,
            'info': asdict(database.info),
            'confidence': database.confidence and asdict(database.confidence),
        }


def _found(opened: Opened, descriptor: NDArray[np.float32], ask: Ask) -> dict[str, Any]:
    database = opened.database
    place = database if ask.prior is None else database.within(ask.prior)
    neighbours = place.find(descriptor, _CONFIG.search_rows)
    hits = merge_hits(
        [(database, neighbours)], ask.num, _CONFIG.ambiguity_radius_m, ask.first, ask.elsewhere
    )
    reason = '' if place.num_rows or ask.prior is None else OUTSIDE.format(prior=ask.prior)
    candidates = []
    for hit in hits:
        keyframe = database.keyframe(hit.number)
        candidates.append(
            {
                'keyframe_id': hit.number,
                'stamp_ns': keyframe.stamp_ns,
                'position_m': keyframe.position_m.tolist(),
                'quaternion_xyzw': keyframe.quaternion_xyzw.tolist(),
                'relative_yaw_rad': hit.yaw_rad,
                'distance': hit.distance,
                'ratio': hit.ratio,
            }
        )
    # Of the nearest, so many are here: the others are at least as far as the next one.
    beyond = neighbours.distances[ask.num : ask.num + 1].tolist() or [neighbours.horizon]
    return _reply(opened, reason, candidates, ask) | {'horizon': float(beyond[0])}


def _localized(opened: Opened, cloud: RadarPointCloud, ask: Ask) -> dict[str, Any]:
    recognizer = opened.recognizer
    if recognizer is None:
        raise ValueError(opened.no_clouds)
    recognizer.clear()  # nobody's scans before this one
    recognizer.config = replace(_CONFIG, top_k=ask.num)
    recognition = recognizer.query(recognizer.prepare(cloud), is_requested=True, prior=ask.prior)
    candidates = [_judged(candidate) for candidate in recognition.candidates]
    return _reply(opened, recognition.decision.reason, candidates, ask)


def _judged(candidate: LoopClosureCandidate) -> dict[str, Any]:
    values = {name: getattr(candidate, name) for name in _OF_CANDIDATE}
    arrays = {name: each.tolist() for name, each in values.items() if isinstance(each, np.ndarray)}
    return values | arrays | {'reason': candidate.decision.reason}


def _reply(
    opened: Opened, reason: str, candidates: list[dict[str, Any]], ask: Ask
) -> dict[str, Any]:
    database = opened.database
    for rank, candidate in enumerate(candidates):
        number = candidate['keyframe_id']
        candidate['segment'] = database.segment(number)
        if rank < ask.num_returns:
            returns_cm = database.keyframe(number).returns_cm.astype('<i2')
            candidate['returns_cm'] = b64encode(returns_cm.tobytes()).decode()
    names = {'uuid': database.info.uuid, 'map_id': database.map_id}
    return {'revision': opened.revision, **names, 'reason': reason, 'candidates': candidates}


def _squares_of(opened: Opened) -> CellDatabase:
    if not isinstance(opened.database, CellDatabase):
        raise NoSuchSquareError(_IN_ONE_PIECE)
    return opened.database


def _descriptions(database: CellDatabase) -> dict[str, SquareDescription]:
    each_bytes = database.store.layout.keyframe_bytes
    found = {}
    for name, entry in zip(database.store.names, database.store.table, strict=True):
        column, row, num = (int(entry[name]) for name in ('column', 'row', 'num'))
        tag = entry['sha256'].tobytes().hex()
        found[name] = SquareDescription(name, column, row, num, num * each_bytes, tag)
    return found


def _opened_square(path: Path, expected: SquareDescription, digests_bytes: int) -> BinaryIO:
    """Open the file of a square whose digests, which are of the rest, are as they were."""
    try:
        file = open_regular(path)
    except (OSError, ValueError) as error:
        raise MapError(f'square {expected.name} cannot be read') from error
    size = os.fstat(file.fileno()).st_size
    digests = os.pread(file.fileno(), digests_bytes, expected.bytes - digests_bytes)
    if size != expected.bytes or hashlib.sha256(digests).hexdigest() != expected.tag:
        file.close()
        raise MapError(f'square {expected.name} is damaged: the map must be copied again')
    return file


def _revision_of(path: Path) -> str:
    return str(read_meta(path, BOTH)['meta_sha256'])


def _state_of(path: Path) -> tuple[int, ...]:
    """Return what changes when a map is replaced."""
    state = (path / META_FILE).stat()
    return state.st_dev, state.st_ino, state.st_mtime_ns, state.st_size
