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
from ssd_ros.polar_bev import PolarGrid
from ssd_ros.training.augmentation import augmented, occluded
from ssd_ros.training.bev_cache import CachedDrive
from ssd_ros.training.config import TrainingConfig


@dataclass(frozen=True, slots=True)
class Batch:
    """
    Images of P places and K distractors.

    :param student: shape (P, 1, num_ranges, num_azimuths) uint8
    :param teacher: shape (P + K, 1, num_ranges, num_azimuths) uint8; row i < P shows place i
    :param student_places: shape (P, 3) float32: world number, x, y in metres
    :param teacher_places: shape (P + K, 3) float32
    """

    student: NDArray[np.uint8]
    teacher: NDArray[np.uint8]
    student_places: NDArray[np.float32]
    teacher_places: NDArray[np.float32]


def view_of_panorama(
    panorama: NDArray[np.uint8], grid: PolarGrid, yaw_rad: float
) -> NDArray[np.uint8]:
    """
    Cut the field of view of a sensor turned by an angle, to the nearest column.

    :param panorama: shape (num_ranges, panorama_azimuths)
    :param yaw_rad: counter-clockwise from forward
    :return: shape (num_ranges, num_azimuths)
    """
    num_columns = panorama.shape[1]
    centre = round(-yaw_rad / (2 * math.pi) * num_columns)
    columns = np.arange(centre - grid.num_azimuths // 2, centre + grid.num_azimuths // 2)
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

    def __init__(self, number: int, drives: Sequence[CachedDrive], radius_m: float) -> None:
        self.number = number
        self._drives = drives
        self._students = _numbered([len(drive.student_bevs) for drive in drives])
        self._panoramas = _numbered([len(drive.panoramas) for drive in drives])
        self.student_poses = np.concatenate([drive.student_poses for drive in drives])
        self.panorama_poses = np.concatenate([drive.panorama_poses for drive in drives])
        self.partners = [
            np.flatnonzero(np.hypot(*(self.panorama_poses[:, :2] - pose[:2]).T) <= radius_m)
            for pose in self.student_poses
        ]
        self.places = np.flatnonzero([len(near) > 0 for near in self.partners])

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


class PlaceSampler:
    """Draws batches from cached drives."""

    def __init__(self, drives: Sequence[CachedDrive], config: TrainingConfig) -> None:
        """
        Group the drives by world.

        :raise ValueError: there are fewer worlds than a batch wants, or one without pairs
        """
        self._config = config
        names = sorted({drive.world for drive in drives})
        if len(names) < config.batch.num_worlds:
            raise ValueError(
                f'batch.num_worlds is {config.batch.num_worlds}, the cache has {len(names)}'
            )
        self._worlds = [
            _World(
                number,
                [drive for drive in drives if drive.world == name],
                config.batch.positive_radius_m,
            )
            for number, name in enumerate(names)
        ]
        for name, world in zip(names, self._worlds, strict=True):
            if len(world.places) == 0:
                raise ValueError(
                    f'world {name} has no 4D image within {config.batch.positive_radius_m} m of '
                    'a spinning scan'
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
        rows, others = [], []
        for part, world in enumerate(worlds):
            is_mirrored = rng.random() < self._config.augmentation.mirror_probability
            around = world.neighbourhood(batch.cluster_radius_m, rng)
            num = _share(batch.num_places, part, len(worlds))
            for index in world.spread(around.places, num, batch.negative_radius_m, rng):
                rows.append(self._pair(world, index, is_mirrored, rng))
            num = _share(batch.num_distractors, part, len(worlds))
            for index in rng.choice(around.panoramas, num):
                others.append(self._distractor(world, int(index), is_mirrored, rng))
        students, student_places, teachers, teacher_places = zip(*rows, strict=True)
        return Batch(
            np.stack(students)[:, None],
            np.stack([*teachers, *(image for image, _ in others)])[:, None],
            np.array(student_places, np.float32),
            np.array([*teacher_places, *(place for _, place in others)], np.float32),
        )

    def _pair(
        self, world: _World, index: int, is_mirrored: bool, rng: np.random.Generator
    ) -> tuple[NDArray[np.uint8], list[float], NDArray[np.uint8], list[float]]:
        options, grid = self._config.augmentation, self._config.preprocessing.grid
        x, y, yaw = world.student_poses[index]
        student = augmented(world.student_bev(index), options, rng, options.max_cell_dropout)
        student = occluded(student, grid, options, rng)
        partner = int(rng.choice(world.partners[index]))
        partner_x, partner_y, partner_yaw = world.panorama_poses[partner]
        jitter = math.radians(options.yaw_jitter_deg) * rng.uniform(-1, 1)
        teacher = view_of_panorama(world.panorama(partner), grid, yaw - partner_yaw + jitter)
        teacher = augmented(teacher, options, rng, max_dropout=0.0)
        if is_mirrored:
            student, teacher = student[:, ::-1], teacher[:, ::-1]
        return student, [world.number, x, y], teacher, [world.number, partner_x, partner_y]

    def _distractor(
        self, world: _World, index: int, is_mirrored: bool, rng: np.random.Generator
    ) -> tuple[NDArray[np.uint8], list[float]]:
        grid = self._config.preprocessing.grid
        view = view_of_panorama(world.panorama(index), grid, rng.uniform(-math.pi, math.pi))
        image = augmented(view, self._config.augmentation, rng, max_dropout=0.0)
        x, y, _ = world.panorama_poses[index]
        return image[:, ::-1] if is_mirrored else image, [world.number, x, y]


def _numbered(lengths: Sequence[int]) -> list[tuple[int, int]]:
    return [(part, row) for part, length in enumerate(lengths) for row in range(length)]


def _share(total: int, part: int, num_parts: int) -> int:
    """Return how many of total fall to one of num_parts, as evenly as can be."""
    return total * (part + 1) // num_parts - total * part // num_parts
