# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""
The map to search in: one descriptor per keyframe and view, with the pose of each keyframe.

The index is built from the descriptors at loading, see place_index.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from copy import copy
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from ssd_ros.confidence.model import ConfidenceModel
from ssd_ros.encoders.model_checks import UNIT_LENGTH_TOLERANCE
from ssd_ros.maps.files import MapContent, MapInfo, read_map, write_map
from ssd_ros.maps.meta import MapError, REBUILD
from ssd_ros.maps.neighbours import Neighbours, PlaceIndex, Prior
from ssd_ros.maps.place_index import new_index
from ssd_ros.motion.trajectory import Trajectory


class Keyframe(NamedTuple):
    """
    A mapped place.

    :param position_m: shape (3,) float64, of the mapping radar in its map
    :param quaternion_xyzw: shape (4,) float64
    :param returns_cm: shape (M, 2) int16, see ssd_ros.verification
    """

    stamp_ns: int
    position_m: NDArray[np.float64]
    quaternion_xyzw: NDArray[np.float64]
    returns_cm: NDArray[np.int16]


class PlaceDatabase:
    """Descriptors of mapped places, all of them searched."""

    def __init__(self, content: MapContent, num_threads: int = 1) -> None:
        """
        Index the descriptors; they are copied.

        :param num_threads: of FAISS while it searches; more than one wait busily for work
        """
        index = new_index(
            content.info.scan_context,
            content.descriptors.shape[1],
            content.info.num_views,
            num_threads,
        )
        index.add(content.descriptors)
        self._take(content.info, content.keyframes, content.confidence, index)
        self._returns_cm = content.returns_cm

    def _take(
        self,
        info: MapInfo,
        keyframes: Trajectory,
        confidence: ConfidenceModel | None,
        index: PlaceIndex,
    ) -> None:
        self.info = info
        self.revision = ''  # of a map on disk, see open_map
        self.keyframes = keyframes
        self.confidence = confidence
        self._index = index

    def __len__(self) -> int:
        """Return the number of keyframes."""
        return len(self.keyframes)

    @property
    def num_rows(self) -> int:
        """Number of descriptors: one per keyframe and view."""
        return len(self._index)

    @property
    def map_id(self) -> int:
        """Short name of the map in messages."""
        return self.info.map_id

    @property
    def sensor(self) -> str:
        """That saw the keyframes, see MapInfo."""
        return self.info.sensor

    @property
    def novelty_distance(self) -> float:
        """An answer that is not nearer may be a wrong place; 0 = not known."""
        return self.info.novelty_distance

    @property
    def is_live(self) -> bool:
        """No: its keyframes are of an earlier drive, in the map frame."""
        return False

    def keyframe(self, number: int) -> Keyframe:
        """Return one keyframe."""
        return Keyframe(
            int(self.keyframes.stamps_ns[number]),
            self.keyframes.positions_m[number],
            self.keyframes.quaternions_xyzw[number],
            self._returns_of(number),
        )

    @property
    def returns_cm(self) -> NDArray[np.int16]:
        """The returns of all keyframes, shape (N, M, 2), see ssd_ros.verification."""
        return self._returns_cm

    def _returns_of(self, number: int) -> NDArray[np.int16]:
        return self._returns_cm[number]

    def segment(self, number: int) -> int:
        """Return of which frame the pose of a keyframe is: those of two do not compare."""
        return bisect_right(self.info.segment_starts, number) - 1

    def segments(self, numbers: NDArray[np.int64]) -> NDArray[np.int64]:
        """Return of which frames the poses of keyframes are, shape (N,)."""
        return np.searchsorted(self.info.segment_starts, numbers, side='right') - 1

    def way_m(self, number: int) -> float:
        """Return 0: the poses of a map are taken for true."""
        return 0.0

    def positions_m(self, numbers: NDArray[np.int64]) -> NDArray[np.float64]:
        """Return where keyframes are, shape (N, 3)."""
        return self.keyframes.positions_m[numbers]

    @property
    def descriptor_size(self) -> int:
        """Length of a descriptor, D."""
        return self._index.descriptor_size

    @property
    def view_yaws_rad(self) -> NDArray[np.float64]:
        """Heading of each view relative to its keyframe, counter-clockwise, (num_views,)."""
        return self._index.view_yaws_rad

    def descriptors(self) -> NDArray[np.float32]:
        """Return all descriptors, shape (num_rows, D), read-only."""
        return self._index.descriptors()

    def views_ahead(self, numbers: NDArray[np.int64]) -> NDArray[np.float32]:
        """Return the first view of some keyframes, shape (K, D), NaN where it cannot be read."""
        return self.descriptors()[numbers * self.info.num_views]

    def require_encoder(self, kind: str, descriptor_space: str, name: str) -> None:
        """
        Refuse another kind of encoder, or one of another training run.

        :param kind: 'network' or 'scan_context'
        :param name: of the encoder, for the message
        """
        info = self.info
        if kind != info.encoder:
            raise MapError(
                f'map {info.uuid} was built with --encoder {info.encoder}, but {name} is a '
                f'{kind}: set encoder:={info.encoder}, or {REBUILD} --encoder {kind}'
            )
        if descriptor_space != info.descriptor_space:
            raise MapError(
                f'map {info.uuid} was filled in descriptor space '
                f'{info.descriptor_space[:12]}, but {name} encodes in '
                f'{descriptor_space[:12]}: use the student of the same training run as the '
                f"map's teacher, or {REBUILD}"
            )

    def search(self, descriptor: NDArray[np.float32], num_rows: int) -> Neighbours:
        """
        Return the keyframes among the nearest rows, each with its best view.

        Only one thread at a time may search a map.

        :param descriptor: shape (D,), unit length
        :param num_rows: rows to look at; neighbouring views of a place take several of them
        """
        if descriptor.shape != (self.descriptor_size,):
            raise MapError(
                f'descriptor has shape {descriptor.shape}, this map has ({self.descriptor_size},)'
            )
        _require_unit_length(descriptor)
        if num_rows < 1:
            raise ValueError(f'num_rows is {num_rows}, expected at least 1')
        return self._index.search(descriptor, num_rows)

    def find(self, description: NDArray[np.float32], num: int) -> Neighbours:
        """
        Return the nearest keyframes, by one view or by a whole turn.

        :param description: shape (D,) for `search`, or (V, D) for `search_turn`
        :param num: rows to look at, or keyframes to return
        """
        if description.ndim == 1:
            return self.search(description, num)
        return self.search_turn(description, num)

    def within(self, prior: Prior) -> PlaceDatabase:
        """Return what is to be searched where the place is known roughly: all of a flat map."""
        return self

    @property
    def problems(self) -> list[str]:
        """What of the map cannot be read: nothing of a flat map, which was read whole."""
        return []

    def without_calibration(self) -> PlaceDatabase:
        """Return the same map, for queries that its calibration does not know."""
        same = copy(self)
        same.confidence = None
        return same

    def require_turns(self) -> None:
        """Refuse a map in which whole turns, of a spinning radar or submaps, cannot be found."""
        info = self.info
        if not info.shows_turns:
            raise MapError(
                f'map {info.uuid} was made by a 4D radar, whose keyframes show a part of a turn: '
                'a spinning radar or a submap is found in maps that build_db made of a spinning '
                'radar or LiDAR, or of a 4D radar with --submap'
            )
        if info.num_views == 1 and info.scan_context is None:
            raise MapError(
                f'map {info.uuid} has one view a keyframe, whole turns need all around: '
                f'{REBUILD} without --views'
            )

    def search_turn(self, ring: NDArray[np.float32], num_keyframes: int) -> Neighbours:
        """
        Return the keyframes nearest to a whole turn of a spinning radar, at their best rotation.

        :param ring: shape (V, D), the views of the turn, all around as those of the keyframes; a
            map with fewer of them is compared with every so many
        :raise MapError: the ring does not fit the map, or turns cannot be found in it
        """
        self.require_turns()
        num_views = self.info.num_views
        if ring.shape[1:] != (self.descriptor_size,) or len(ring) % num_views or not len(ring):
            raise MapError(
                f'ring has shape {ring.shape}, this map has ({num_views}, {self.descriptor_size})'
            )
        _require_unit_length(ring)
        if num_keyframes < 1:
            raise ValueError(f'num_keyframes is {num_keyframes}, expected at least 1')
        return self._index.search_turn(ring[:: len(ring) // num_views], num_keyframes)

    def save(self, path: Path | str) -> None:
        """
        Write the map as a directory, whole or not at all; a map that stood there is replaced.

        :raise MapError: something that is not a map stands there
        """
        content = MapContent(
            self.descriptors(), self.keyframes, self.returns_cm, self.info, self.confidence
        )
        write_map(Path(path), content)

    @classmethod
    def load(cls, path: Path | str, num_threads: int = 1) -> PlaceDatabase:
        """
        Read a map; everything in it is checked before it is used.

        :raise MapError: the map is absent, truncated, foreign or damaged, and why
        :raise OSError: a file of it cannot be opened
        """
        return cls(read_map(Path(path)), num_threads)


def _require_unit_length(descriptors: NDArray[np.float32]) -> None:
    lengths = np.atleast_1d(np.linalg.norm(descriptors, axis=-1))
    odd = ~(np.abs(lengths - 1) <= UNIT_LENGTH_TOLERANCE)  # a NaN, too
    if odd.any():
        raise MapError(f'descriptor has length {lengths[odd][0]:.4g}, expected 1')


def distances_m(
    places_m: NDArray[np.float64], others_m: NDArray[np.float64]
) -> NDArray[np.float64]:
    """
    Return how far places are from others, shape (K, N).

    :param places_m: shape (K, D)
    :param others_m: shape (N, D)
    """
    squares = np.zeros((len(places_m), len(others_m)))
    for here, there in zip(places_m.T, np.ascontiguousarray(others_m.T), strict=True):
        squares += np.square(here[:, None] - there)
    return np.sqrt(squares, out=squares)


def ratios_to_other_places(
    distances: NDArray[np.float32],
    positions_m: NDArray[np.float64],
    horizon: float,
    chosen: Sequence[int],
    ambiguity_radius_m: float,
) -> NDArray[np.float64]:
    """
    Return the ratios of chosen distances to those of the best other places.

    If no other place is among the neighbours, the last row searched bounds its distance from
    below, hence the ratio from above: too few rows make the answer more careful, not less.

    :param distances: shape (K,), of a search, nearest first
    :param positions_m: shape (K, 2) or (K, 3), of these keyframes
    :param horizon: of the search
    :param ambiguity_radius_m: a place farther than this is another place
    :param chosen: which of them
    :return: shape (len(chosen),)
    """
    of = np.asarray(chosen, np.int64)
    apart_m = distances_m(positions_m[of], positions_m)
    exact = distances.astype(np.float64)
    others = np.where(apart_m > ambiguity_radius_m, exact, horizon)
    best_other = np.maximum(others.min(axis=1), 1e-9)  # two places with equal descriptors
    return np.asarray(exact[of] / best_other)
