# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Check which frames make a batch, and that it is drawn from its number alone."""

from dataclasses import replace
from functools import cache

import numpy as np
import pytest
from ssd_ros.bev.density_image import DensityConfig
from ssd_ros.bev.preprocessing import PreprocessingConfig
from ssd_ros.evaluation.bev_cache import CachedDrive
from ssd_ros.training.fourdral.config import FourdralConfig, PlaceBatchConfig, ScheduleConfig
from ssd_ros.training.fourdral.frames import FrameBatch, FrameSampler

SIDE = 48
CONFIG = FourdralConfig(
    task='r2r',
    preprocessing=PreprocessingConfig(density=DensityConfig(num_cells=SIDE), num_scans=1),
    batch=PlaceBatchConfig(num_queries=4, num_negatives=3),
)


@cache
def drive(world: int, number: int, num: int = 20) -> CachedDrive:
    """Return a drive east, 8 m from frame to frame, whose images tell world, drive and frame."""
    told = np.arange(num) + 100 * (number - 1)
    clouds = np.zeros((num, SIDE, SIDE), np.uint8)
    clouds[:, 0, :3] = np.column_stack([np.full(num, world), told, np.ones(num)])
    lidar = clouds.copy()
    lidar[:, 0, 2] = 2
    poses = np.column_stack([8.0 * np.arange(num), np.full(num, 0.5 * number), np.zeros(num)])
    stamps_ns = np.arange(num) * 100
    name = f'World_{world}'
    # The LiDAR lacks the frames 0, 5, 10, 15.
    kept = np.arange(num) % 5 > 0
    return CachedDrive(
        name, f'{name}/{number:02d}', clouds, poses, stamps_ns,
        lidar[kept], poses[kept], stamps_ns[kept],
    )  # fmt: skip


DRIVES = (drive(0, 1), drive(0, 2), drive(1, 1), drive(1, 2))


def told(batch: FrameBatch) -> list[tuple[int, int, int]]:
    """Return world, drive and frame of the images of a batch, the same of both sensors."""
    assert batch.clouds is not None
    np.testing.assert_array_equal(batch.clouds[:, 0, 0, :2], batch.lidar[:, 0, 0, :2])
    assert (batch.clouds[:, 0, 0, 2] == 1).all()
    assert (batch.lidar[:, 0, 0, 2] == 2).all()
    return [
        (int(world), 1 + int(value) // 100, int(value) % 100)
        for world, value in batch.lidar[:, 0, 0, :2]
    ]


def test_a_query_has_a_positive_of_another_drive_and_negatives_far_away() -> None:
    sampler = FrameSampler(DRIVES, CONFIG)
    assert sampler.num_queries == 4 * 16  # those with both images
    for step in range(20):
        frames = told(sampler.draw(step))
        assert len(frames) == 4 * (2 + 3)
        for index, (world, number, frame) in enumerate(frames[:4]):
            assert frame % 5 > 0
            other = frames[4 + index]
            assert other[:2] == (world, 3 - number)
            assert abs(other[2] - frame) <= 1
            for negative in frames[8 + 3 * index :][:3]:
                assert negative[0] != world or abs(negative[2] - frame) >= 7


def test_an_epoch_asks_every_query_once() -> None:
    sampler = FrameSampler(DRIVES, CONFIG)
    assert sampler.steps_per_epoch == 16
    epochs = [
        [query for step in steps for query in told(sampler.draw(step))[:4]]
        for steps in (range(16), range(16, 32))
    ]
    assert len(set(epochs[0])) == 64
    assert sorted(epochs[0]) == sorted(epochs[1])
    assert epochs[0] != epochs[1]


def test_an_epoch_can_be_cut_short() -> None:
    config = replace(CONFIG, optimiser=ScheduleConfig(max_queries=10))
    assert FrameSampler(DRIVES, config).steps_per_epoch == 2


def test_a_batch_depends_on_seed_and_number_alone() -> None:
    first, again = FrameSampler(DRIVES, CONFIG), FrameSampler(DRIVES, CONFIG)
    first.draw(0)
    assert told(first.draw(7)) == told(again.draw(7))
    other = FrameSampler(DRIVES, replace(CONFIG, seed=5))
    assert told(other.draw(7)) != told(again.draw(7))


def test_only_images_of_the_teacher_are_turned_by_default() -> None:
    teacher = FrameSampler(DRIVES, replace(CONFIG, task='l2l')).draw(0)
    assert teacher.clouds is None
    degrees = np.degrees(teacher.turns_rad)
    np.testing.assert_allclose(degrees, np.rint(degrees), atol=1e-4)
    assert -30 <= degrees.min() < -3
    assert 3 < degrees.max() < 29.5
    assert len(np.unique(degrees)) > 5
    assert not FrameSampler(DRIVES, CONFIG).draw(0).turns_rad.any()


def test_what_makes_no_batch_is_said() -> None:
    one = replace(drive(0, 1), panorama_stamps_ns=drive(0, 1).panorama_stamps_ns + 1)
    with pytest.raises(ValueError, match='no frame of the cache has images of LiDAR and of 4D'):
        FrameSampler([one], CONFIG)
    with pytest.raises(ValueError, match=r'no frame has another within batch\.positive_radius_m'):
        FrameSampler([drive(0, 1), drive(1, 1)], CONFIG)
    with pytest.raises(ValueError, match=r'no other beyond batch\.negative_radius_m, 50 m'):
        FrameSampler([drive(0, 1, 5), drive(0, 2, 5)], CONFIG)
