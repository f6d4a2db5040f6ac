# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""
Batches of places: what the student sees there beside what the teacher sees.

The teacher's view comes from any drive through the same world, a few metres beside, and looks
where the student looks. Every batch is drawn from the seed and its number alone.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
import math
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from ssd_ros.bev.polar_bev import PolarGrid
from ssd_ros.evaluation.bev_cache import CachedDrive
from ssd_ros.training.batches.augmentation import augmented, occluded, thinned
from ssd_ros.training.config import BatchConfig, TrainingConfig


@dataclass(frozen=True, slots=True)
class Batch:
    """
    Images of P places and K distractors.

    :param student: shape (P, 1, num_ranges, num_azimuths) uint8
    :param teacher: shape (P + K, 1, num_ranges, num_azimuths + 2 * margin) uint8; row i < P shows
        place i
    :param student_places: shape (P, 3) float32: world number, x, y in metres
    :param teacher_places: shape (P + K, 3) float32
    :param is_aligned: shape (P,) bool: the cells of both images show the same spots
    """

    student: NDArray[np.uint8]
    teacher: NDArray[np.uint8]
    student_places: NDArray[np.float32]
    teacher_places: NDArray[np.float32]
    is_aligned: NDArray[np.bool_]


def view_of_panorama(
    panorama: NDArray[np.uint8], grid: PolarGrid, yaw_rad: float, margin: int = 0
) -> NDArray[np.uint8]:
    """
    Cut the field of view of a sensor turned by an angle, to the nearest column.

    :param panorama: shape (num_ranges, panorama_azimuths)
    :param yaw_rad: counter-clockwise from forward
    :param margin: columns to add on either side
    :return: shape (num_ranges, num_azimuths + 2 * margin)
    """
    num_columns = panorama.shape[1]
    centre = round(-yaw_rad / (2 * math.pi) * num_columns)
    half = grid.num_azimuths // 2 + margin
    columns = np.arange(centre - half, centre + half)
    return panorama.take(columns, axis=1, mode='wrap')


class Neighbourhood(NamedTuple):
    """
    Images around one place of a world.

    :param places: numbers of the student's images
    :param panoramas: numbers of the panoramas
    """

    places: NDArray[np.int64]
    panoramas: NDArray[np.int64]


class _World:
    """The drives of one world under common numbers, and which images show the same place."""

    def __init__(self, number: int, drives: Sequence[CachedDrive], batch: BatchConfig) -> None:
        self.number = number
        self._drives = drives
        self._students = _numbered([len(drive.student_bevs) for drive in drives])
        self._panoramas = _numbered([len(drive.panoramas) for drive in drives])
        self.student_poses = np.concatenate([drive.student_poses for drive in drives])
        self.panorama_poses = np.concatenate([drive.panorama_poses for drive in drives])
        offsets_m = [
            np.hypot(*(self.panorama_poses[:, :2] - pose[:2]).T) for pose in self.student_poses
        ]
        self.partners = [
            np.flatnonzero(_is_beside(pose, self.panorama_poses, batch))
            for pose in self.student_poses
        ]
        self.places = np.flatnonzero([len(near) > 0 for near in self.partners])
        drive_of = np.array([drive for drive, _ in self._panoramas])
        # The panorama to which the cells of a 4D image correspond, -1 if none.
        self.aligned = np.full(len(self._students), -1)
        for place, (drive, _) in enumerate(self._students):
            is_usable = (drive_of != drive) if batch.cross_session else (drive_of == drive)
            row = np.where(is_usable, offsets_m[place], np.inf)
            if row.min(initial=np.inf) <= batch.aligned_radius_m:
                self.aligned[place] = row.argmin()

    def student_bev(self, index: int) -> NDArray[np.uint8]:
        drive, row = self._students[index]
        return self._drives[drive].student_bevs[row]

    def panorama(self, index: int) -> NDArray[np.uint8]:
        drive, row = self._panoramas[index]
        return self._drives[drive].panoramas[row]

    def neighbourhood(self, radius_m: float, rng: np.random.Generator) -> Neighbourhood:
        """Draw a place and return all images around it."""
        centre = self.student_poses[rng.choice(self.places), :2]
        offsets = self.student_poses[self.places, :2] - centre
        places = self.places[np.hypot(*offsets.T) <= radius_m]
        offsets = self.panorama_poses[:, :2] - centre
        return Neighbourhood(places, np.flatnonzero(np.hypot(*offsets.T) <= radius_m))

    def spread(
        self, places: NDArray[np.int64], num: int, distance_m: float, rng: np.random.Generator
    ) -> list[int]:
        """Draw places at least distance_m apart while there are some, then any."""
        chosen: list[int] = []
        for index in rng.permutation(places):
            offsets = self.student_poses[chosen, :2] - self.student_poses[index, :2]
            if len(chosen) < num and (np.hypot(*offsets.T) >= distance_m).all():
                chosen.append(int(index))
        missing = num - len(chosen)
        return chosen + [int(index) for index in rng.choice(places, missing)]


class _View(NamedTuple):
    image: NDArray[np.uint8]
    place: list[float]


class _Pair(NamedTuple):
    student: NDArray[np.uint8]
    place: list[float]
    view: _View
    is_aligned: bool


class PlaceSampler:
    """Draws batches from cached drives."""

    def __init__(self, drives: Sequence[CachedDrive], config: TrainingConfig) -> None:
        """
        Group the drives by world.

        :raise ValueError: there are fewer worlds than a batch wants, one without pairs, or no
            other drive to align with
        """
        self._config = config
        names = sorted({drive.world for drive in drives})
        if len(names) < config.batch.num_worlds:
            raise ValueError(
                f'batch.num_worlds is {config.batch.num_worlds}, the cache has {len(names)}'
            )
        self._worlds = [
            _World(number, [drive for drive in drives if drive.world == name], config.batch)
            for number, name in enumerate(names)
        ]
        for name, world in zip(names, self._worlds, strict=True):
            if len(world.places) == 0:
                raise ValueError(
                    f'world {name} has no 4D image within {config.batch.positive_radius_m} m '
                    f'ahead and {config.batch.positive_across_m} m beside of a spinning scan'
                )
        is_aligned = any((world.aligned >= 0).any() for world in self._worlds)
        if config.batch.cross_session and not is_aligned:
            raise ValueError(
                'batch.cross_session is true, but no drive passes another of its world within '
                f'{config.batch.aligned_radius_m} m'
            )

    @property
    def num_places(self) -> int:
        """Number of 4D images that have a partner."""
        return sum(len(world.places) for world in self._worlds)

    def draw(self, step: int) -> Batch:
        """Return batch number `step`."""
        batch = self._config.batch
        rng = np.random.default_rng([self._config.seed, step])
        worlds = [
            self._worlds[index]
            for index in rng.choice(len(self._worlds), batch.num_worlds, replace=False)
        ]
        rows: list[_Pair] = []
        others: list[_View] = []
        for part, world in enumerate(worlds):
            is_mirrored = rng.random() < self._config.augmentation.mirror_probability
            around = world.neighbourhood(batch.cluster_radius_m, rng)
            num = _share(batch.num_places, part, len(worlds))
            for index in world.spread(around.places, num, batch.negative_radius_m, rng):
                rows.append(self._pair(world, index, is_mirrored, rng))
            num = _share(batch.num_distractors, part, len(worlds))
            for index in rng.choice(around.panoramas, num):
                others.append(self._distractor(world, int(index), is_mirrored, rng))
        teachers = [*(row.view for row in rows), *others]
        return Batch(
            np.stack([row.student for row in rows])[:, None],
            np.stack([view.image for view in teachers])[:, None],
            np.array([row.place for row in rows], np.float32),
            np.array([view.place for view in teachers], np.float32),
            np.array([row.is_aligned for row in rows]),
        )

    def _pair(
        self, world: _World, index: int, is_mirrored: bool, rng: np.random.Generator
    ) -> _Pair:
        options, grid = self._config.augmentation, self._config.preprocessing.grid
        x, y, yaw = world.student_poses[index]
        seen = thinned(world.student_bev(index), self._config.max_returns)
        student = augmented(seen, options, rng, options.max_cell_dropout)
        student = occluded(student, grid, options, rng)
        partner = int(rng.choice(world.partners[index]))
        jitter = math.radians(options.yaw_jitter_deg) * rng.uniform(-1, 1)
        is_aligned = rng.random() < self._config.batch.aligned_share and world.aligned[index] >= 0
        if is_aligned:
            partner, jitter = int(world.aligned[index]), 0.0
        partner_yaw = world.panorama_poses[partner, 2]
        view = self._teacher_view(world, partner, yaw - partner_yaw + jitter, is_mirrored, rng)
        return _Pair(
            student[:, ::-1] if is_mirrored else student,
            [world.number, x, y],
            view,
            bool(is_aligned),
        )

    def _distractor(
        self, world: _World, index: int, is_mirrored: bool, rng: np.random.Generator
    ) -> _View:
        return self._teacher_view(world, index, rng.uniform(-math.pi, math.pi), is_mirrored, rng)

    def _teacher_view(
        self,
        world: _World,
        index: int,
        yaw_rad: float,
        is_mirrored: bool,
        rng: np.random.Generator,
    ) -> _View:
        grid, margin = self._config.preprocessing.grid, self._config.network.teacher_margin
        view = view_of_panorama(world.panorama(index), grid, yaw_rad, margin)
        image = augmented(view, self._config.augmentation, rng, max_dropout=0.0)
        x, y, _ = world.panorama_poses[index]
        return _View(image[:, ::-1] if is_mirrored else image, [world.number, x, y])


def _is_beside(
    pose: NDArray[np.float64], others: NDArray[np.float64], batch: BatchConfig
) -> NDArray[np.bool_]:
    """Return which poses lie in the ellipse around one, whose axes are ahead and beside."""
    offset = others[:, :2] - pose[:2]
    ahead = np.array([math.cos(pose[2]), math.sin(pose[2])])
    along = offset @ ahead / batch.positive_radius_m
    across = offset @ [-ahead[1], ahead[0]] / batch.positive_across_m
    return np.hypot(along, across) <= 1


def _numbered(lengths: Sequence[int]) -> list[tuple[int, int]]:
    return [(part, row) for part, length in enumerate(lengths) for row in range(length)]


def _share(total: int, part: int, num_parts: int) -> int:
    """Return how many of total fall to one of num_parts, as evenly as can be."""
    return total * (part + 1) // num_parts - total * part // num_parts
