# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""
The map to search in: one descriptor per keyframe and view, with the pose of each keyframe.

The FAISS index is rebuilt from the descriptors at loading: deserialising an index from an
untrusted file can crash the process or allocate without bound, arrays whose size was checked
cannot.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import faiss
import numpy as np
from numpy.typing import NDArray
from ssd_ros.map_files import MapContent, read_map, UNIT_LENGTH_TOLERANCE, write_map
from ssd_ros.map_meta import MapError, REBUILD
from ssd_ros.polar_bev import view_yaws_rad


@dataclass(frozen=True, slots=True)
class Neighbours:
    """
    The nearest keyframes, each with its best view, nearest first.

    :param keyframes: shape (K,) int64, indices into the keyframes of the map
    :param views: shape (K,) int64, the nearest view of each
    :param distances: shape (K,) float32, between unit descriptors, 0 (same) to 2 (opposite)
    :param horizon: distance of the last row searched: every keyframe that is not among
        these is at least this far
    """

    keyframes: NDArray[np.int64]
    views: NDArray[np.int64]
    distances: NDArray[np.float32]
    horizon: float

    def __len__(self) -> int:
        return len(self.keyframes)


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
    """Descriptors of mapped places, searched exactly."""

    def __init__(self, content: MapContent, num_threads: int = 1) -> None:
        """
        Index the descriptors; they are copied.

        :param num_threads: of FAISS while it searches; more than one wait busily for work
        """
        self.info = content.info
        self.keyframes = content.keyframes
        self.returns_cm = content.returns_cm
        self.confidence = content.confidence
        self._num_threads = num_threads
        self._descriptors = np.array(content.descriptors, order='C')
        # The inner product of unit vectors orders like their distance and is cheaper. Reading the
        # rows is what takes time: those in half precision take half of it to say which are near.
        self._index = faiss.IndexScalarQuantizer(
            self.descriptor_size, faiss.ScalarQuantizer.QT_fp16, faiss.METRIC_INNER_PRODUCT
        )
        faiss.omp_set_num_threads(num_threads)
        self._index.train(self._descriptors)
        self._index.add(self._descriptors)

    def __len__(self) -> int:
        """Return the number of keyframes."""
        return len(self.keyframes)

    @property
    def num_rows(self) -> int:
        """Number of descriptors: one per keyframe and view."""
        return len(self._descriptors)

    @property
    def map_id(self) -> int:
        """Short name of the map in messages."""
        return self.info.map_id

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
            self.returns_cm[number],
        )

    def positions_m(self, numbers: NDArray[np.int64]) -> NDArray[np.float64]:
        """Return where keyframes are, shape (N, 3)."""
        return self.keyframes.positions_m[numbers]

    @property
    def descriptor_size(self) -> int:
        """Length of a descriptor, D."""
        return int(self._descriptors.shape[1])

    @property
    def view_yaws_rad(self) -> NDArray[np.float64]:
        """Heading of each view relative to its keyframe, counter-clockwise, (num_views,)."""
        return view_yaws_rad(self.info.num_views)

    def descriptors(self) -> NDArray[np.float32]:
        """Return a copy of all descriptors, shape (num_rows, D)."""
        return self._descriptors.copy()

    def require_space(self, descriptor_space: str, encoder: str) -> None:
        """
        Refuse an encoder of another training run.

        :param encoder: name of its file, for the message
        """
        if descriptor_space != self.info.descriptor_space:
            raise MapError(
                f'map {self.info.uuid} was filled in descriptor space '
                f'{self.info.descriptor_space[:12]}, but {encoder} encodes in '
                f'{descriptor_space[:12]}: use the student of the same training run as the '
                f"map's teacher, or {REBUILD}"
            )

    def search(self, descriptor: NDArray[np.float32], num_rows: int) -> Neighbours:
        """
        Return the keyframes among the nearest rows, each with its best view.

        :param descriptor: shape (D,), unit length
        :param num_rows: rows to look at; neighbouring views of a place take several of them
        """
        if descriptor.shape != (self.descriptor_size,):
            raise MapError(
                f'descriptor has shape {descriptor.shape}, this map has ({self.descriptor_size},)'
            )
        length = float(np.linalg.norm(descriptor))
        if not abs(length - 1) <= UNIT_LENGTH_TOLERANCE:  # a NaN, too
            raise MapError(f'descriptor has length {length:.4g}, expected 1')
        if num_rows < 1:
            raise ValueError(f'num_rows is {num_rows}, expected at least 1')
        # OpenMP keeps this number per calling thread, so it is set where the search happens.
        faiss.omp_set_num_threads(self._num_threads)
        query = np.ascontiguousarray(descriptor[None], dtype=np.float32)
        rows = self._index.search(query, min(num_rows, self.num_rows))[1][0]
        products = self._descriptors[rows] @ query[0]
        order = np.argsort(-products, kind='stable')
        rows, distances = rows[order], np.sqrt(np.maximum(2 - 2 * products[order], 0))
        keyframes, views = np.divmod(rows, self.info.num_views)
        first = np.sort(np.unique(keyframes, return_index=True)[1])
        return Neighbours(keyframes[first], views[first], distances[first], float(distances[-1]))

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


def ratios_to_other_places(
    distances: NDArray[np.float32],
    positions_m: NDArray[np.float64],
    horizon: float,
    num_first: int,
    ambiguity_radius_m: float,
) -> NDArray[np.float64]:
    """
    Return the ratio of each of the first distances to that of the best other place.

    If no other place is among the neighbours, the last row searched bounds its distance from
    below, hence the ratio from above: too few rows make the answer more careful, not less.

    :param distances: shape (K,), of a search, nearest first
    :param positions_m: shape (K, 2), of these keyframes
    :param horizon: of the search
    :param ambiguity_radius_m: a place farther than this is another place
    :return: shape (min(num_first, K),)
    """
    apart_m = np.linalg.norm(positions_m[:num_first, None] - positions_m[None], axis=2)
    exact = distances.astype(np.float64)
    others = np.where(apart_m > ambiguity_radius_m, exact, horizon)
    best_other = np.maximum(others.min(axis=1), 1e-9)  # two places with equal descriptors
    return np.asarray(exact[:num_first] / best_other)
