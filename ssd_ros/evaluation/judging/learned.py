# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""A pair of trained models behind the protocol of all methods."""

from __future__ import annotations

from collections.abc import Sequence
import hashlib

import numpy as np
from numpy.typing import NDArray
from ssd_ros.baselines.method import DistanceIndex, MapIndex
from ssd_ros.baselines.polar_image import PolarImage
from ssd_ros.encoders.network import OnnxEncoder
from ssd_ros.encoders.place_encoder import require_same_space


class LearnedMethod:
    """Student and teacher of one descriptor space."""

    fits_map = False

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
        return self._views(image)[:: self._step] if for_part else self.describe(image)[None]

    def index(self, places: NDArray[np.float32]) -> MapIndex:
        """Return places to be compared by the distance between their descriptors."""
        return DistanceIndex(places)

    def _views(self, image: PolarImage) -> NDArray[np.float32]:
        """Return all views; a panorama that several tasks show is encoded once."""
        key = hashlib.sha256(image.cells.tobytes()).digest()
        if key not in self._panoramas:
            self._panoramas[key] = self._teacher.encode_panorama(image.cells)
        return self._panoramas[key]
