# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""
Batches of frames: queries, a positive and some negatives of each, seen by 4D radar and LiDAR.

A positive comes from another drive through the same world, as from a map. Every batch is drawn
from the seed and its number alone.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from ssd_ros.evaluation.bev_cache import CachedDrive
from ssd_ros.training.fourdral.config import FourdralConfig


@dataclass(frozen=True, slots=True)
class FrameBatch:
    """
    Frames of B queries, then their B positives, then their B * K negatives, query by query.

    :param clouds: shape (B * (2 + K), 1, H, W) uint8, images of 4D radar; None of a teacher
    :param lidar: of the same shape
    :param turns_rad: shape (B * (2 + K),), by which each frame's images are to be turned
    :param num_queries: B
    """

    clouds: NDArray[np.uint8] | None
    lidar: NDArray[np.uint8]
    turns_rad: NDArray[np.float32]
    num_queries: int


class FrameSampler:
    """Draws batches from cached drives with LiDAR."""

    def __init__(self, drives: Sequence[CachedDrive], config: FourdralConfig) -> None:
        """
        Pair the images of both sensors and find which frames show one place.

        :raise ValueError: no frame has both images, or none a positive in another drive, or one
            no negative
        """
        self._drives, self._config = drives, config
        pairs = [_paired_rows(drive, config.task) for drive in drives]
        # Drive, and rows of its images of both sensors.
        self._rows = np.concatenate(
            [np.insert(pair, 0, number, axis=1) for number, pair in enumerate(pairs)]
        )
        self._xy_m = np.concatenate(
            [
                drive.panorama_poses[pair[:, 1], :2]
                for drive, pair in zip(drives, pairs, strict=True)
            ]
        )
        if len(self._rows) == 0:
            raise ValueError(
                'no frame of the cache has images of LiDAR and of 4D radar: cache drives with a '
                'LiDAR, with this configuration'
            )
        worlds = sorted({drive.world for drive in drives})
        of_drive = np.array([worlds.index(drive.world) for drive in drives])
        self._worlds = of_drive[self._rows[:, 0]]
        self._positives = [self._positives_of(frame) for frame in range(len(self._rows))]
        self._queries = np.flatnonzero([len(found) > 0 for found in self._positives])
        if len(self._queries) == 0:
            raise ValueError(
                'no frame has another within batch.positive_radius_m, '
                f'{config.batch.positive_radius_m:g} m, in another drive of its world'
            )
        for frame in self._queries.tolist():
            self._negatives_of(frame)

    @property
    def num_queries(self) -> int:
        """Number of frames that have a positive."""
        return len(self._queries)

    @property
    def steps_per_epoch(self) -> int:
        """Whole batches of the queries of an epoch; one, if they make none."""
        num = self._config.optimiser.max_queries or self.num_queries
        return max(1, min(num, self.num_queries) // self._config.batch.num_queries)

    def draw(self, step: int) -> FrameBatch:
        """Return batch number `step`."""
        seed, batch = self._config.seed, self._config.batch
        epoch, part = divmod(step, self.steps_per_epoch)
        order = np.random.default_rng([seed, epoch]).permutation(self._queries)
        queries = order[part * batch.num_queries :][: batch.num_queries]
        rng = np.random.default_rng([seed, epoch, part])
        positives = [rng.choice(self._positives[frame]) for frame in queries]
        negatives = [
            rng.choice(self._negatives_of(frame), batch.num_negatives) for frame in queries
        ]
        frames = np.concatenate([queries, positives, *negatives])
        turns_rad = np.zeros(len(frames), np.float32)
        if self._config.turns:
            degrees = rng.integers(-batch.max_turn_deg, batch.max_turn_deg, len(frames))
            turns_rad = np.radians(degrees).astype(np.float32)
        clouds = None if self._config.task == 'l2l' else self._images(frames, is_cloud=True)
        return FrameBatch(clouds, self._images(frames, is_cloud=False), turns_rad, len(queries))

    def _images(self, frames: NDArray[np.int64], is_cloud: bool) -> NDArray[np.uint8]:
        images = []
        for drive, cloud, lidar in self._rows[frames].tolist():
            one = self._drives[drive]
            images.append(one.student_bevs[cloud] if is_cloud else one.panoramas[lidar])
        return np.stack(images)[:, None]

    def _positives_of(self, frame: int) -> NDArray[np.int64]:
        is_other = self._rows[:, 0] != self._rows[frame, 0]
        near = self._distances_m(frame) <= self._config.batch.positive_radius_m
        return np.flatnonzero(near & is_other)

    def _negatives_of(self, frame: int) -> NDArray[np.int64]:
        radius_m = self._config.batch.negative_radius_m
        found = np.flatnonzero(self._distances_m(frame) > radius_m)
        if len(found) == 0:
            raise ValueError(
                f'a frame has no other beyond batch.negative_radius_m, {radius_m:g} m: cache '
                'longer drives'
            )
        return found

    def _distances_m(self, frame: int) -> NDArray[np.float64]:
        """Return the distance of each frame in xy, infinite to other worlds."""
        distances_m = np.hypot(*(self._xy_m - self._xy_m[frame]).T)
        return np.where(self._worlds == self._worlds[frame], distances_m, np.inf)


def _paired_rows(drive: CachedDrive, task: str) -> NDArray[np.int64]:
    """Return the rows of both sensors' images of each frame, shape (N, 2); a teacher needs one."""
    if task == 'l2l':
        rows = np.arange(len(drive.panoramas))
        return np.column_stack([rows, rows])
    _, clouds, lidar = np.intersect1d(
        drive.student_stamps_ns, drive.panorama_stamps_ns, return_indices=True
    )
    return np.column_stack([clouds, lidar])
