# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""A pair of trained models behind the protocol of all methods."""

from __future__ import annotations

from collections.abc import Sequence
import hashlib

import numpy as np
from numpy.typing import NDArray
from ssd_ros.baselines.method import DistanceIndex, MapIndex, Matches
from ssd_ros.baselines.polar_image import PolarImage
from ssd_ros.encoders.network import OnnxEncoder
from ssd_ros.encoders.place_encoder import require_same_space
from ssd_ros.encoders.ring_correlation import match_rings


class LearnedMethod:
    """Student and teacher of one descriptor space."""

    fits_map = False
    way_m = 0.0

    def __init__(self, student: OnnxEncoder, teacher: OnnxEncoder, num_views: int) -> None:
        """
        Take over a pair of models.

        :param num_views: of a mapped place, at most; if the teacher makes fewer, those
        :raise ValueError: they are of different training runs, or the views do not divide
        """
        require_same_space(student, teacher)
        available = teacher.contract.num_views
        if num_views < 1 or available % min(num_views, available):
            raise ValueError(
                f'{num_views} views asked for, expected a divisor of the {available} that the '
                'teacher makes'
            )
        self._student = student
        self._teacher = teacher
        self._step = available // min(num_views, available)
        self._panoramas: dict[bytes, NDArray[np.float32]] = {}

    def fit(self, images: Sequence[PolarImage]) -> None:
        """Learn nothing: the models are trained."""

    def describe(self, image: PolarImage) -> NDArray[np.float32]:
        """Return the descriptor of a 4D image, or of the forward view of a panorama."""
        if image.is_whole:
            return self._views(image)[0]
        return self._student.encode(image.seen_cells)

    def describe_place(self, image: PolarImage, for_part: bool) -> NDArray[np.float32]:
        """Return the descriptors of the views of a place, shape (V, D)."""
        return self.ring(image) if for_part else self.describe(image)[None]

    def index(self, places: NDArray[np.float32]) -> MapIndex:
        """Return places to be compared by the distance between their descriptors."""
        return DistanceIndex(places)

    def ring(self, image: PolarImage) -> NDArray[np.float32]:
        """Return the descriptors of the views of a panorama, shape (V, D)."""
        return self._views(image)[:: self._step]

    def _views(self, image: PolarImage) -> NDArray[np.float32]:
        """Return all views; a panorama that several tasks show is encoded once."""
        key = hashlib.sha256(image.cells.tobytes()).digest()
        if key not in self._panoramas:
            self._panoramas[key] = self._teacher.encode_panorama(image.cells)
        return self._panoramas[key]


class LearnedTurns:
    """The teacher of a pair of models on whole turns of a spinning radar, with any heading."""

    fits_map = False
    way_m = 0.0

    def __init__(self, models: LearnedMethod) -> None:
        """Take over models, with what they have encoded."""
        self._models = models

    def fit(self, images: Sequence[PolarImage]) -> None:
        """Learn nothing: the models are trained."""

    def describe(self, image: PolarImage) -> NDArray[np.float32]:
        """Return the descriptors of the views of a panorama, shape (V, D)."""
        return self._models.ring(image)

    def describe_place(self, image: PolarImage, for_part: bool) -> NDArray[np.float32]:
        """Return the descriptors of the views of a place, shape (V, D)."""
        return self._models.ring(image)

    def index(self, places: NDArray[np.float32]) -> MapIndex:
        """Return places whose rings are laid over those of queries."""
        return RingIndex(places)


class RingIndex:
    """Rings of descriptors that are all compared, at every rotation."""

    def __init__(self, places: NDArray[np.float32]) -> None:
        """
        Take over places.

        :param places: shape (N, V, D)
        """
        self._places = places

    def search(self, queries: NDArray[np.float32]) -> Matches:
        """
        Return the distance at the best rotation, and that rotation.

        :param queries: shape (Q, V, D)
        """
        found = [match_rings(query, self._places) for query in queries]
        distances = np.stack([matches.distances for matches in found])
        return Matches(distances, np.stack([matches.yaws_rad for matches in found]))
