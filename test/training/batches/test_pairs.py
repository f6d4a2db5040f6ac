# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Check that student and teacher see the same place in the same direction."""

from dataclasses import replace
import math
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
import pytest
from ssd_ros.bev.polar_bev import PolarGrid, view_yaws_rad, views_of_panorama
from ssd_ros.evaluation.bev_cache import CachedDrive, load_drives
from ssd_ros.training.batches.augmentation import augmented, occluded, thinned
from ssd_ros.training.batches.pairs import Batch, PlaceSampler, view_of_panorama
from ssd_ros.training.config import AugmentationConfig, TrainingConfig

PLAIN = AugmentationConfig(
    mirror_probability=0.0,
    yaw_jitter_deg=0.0,
    max_cell_dropout=0.0,
    sector_probability=0.0,
    brightness_px=0.0,
)
GRID = PolarGrid(num_ranges=64, num_azimuths=32)


def random_image(rows: int, columns: int, seed: int = 0) -> NDArray[np.uint8]:
    rng = np.random.default_rng(seed)
    image = rng.integers(1, 256, (rows, columns)) * (rng.random((rows, columns)) < 0.3)
    return image.astype(np.uint8)


def compass_drive(world: str, name: str, yaw_rad: float) -> CachedDrive:
    """Return a drive whose images hold the compass direction of each column, in columns."""
    num_columns = GRID.panorama_azimuths
    turn = round(-yaw_rad / (2 * math.pi) * num_columns)
    panorama_row = (np.arange(num_columns) + turn) % num_columns + 1
    student_row = (np.arange(-16, 16) + turn) % num_columns + 1
    positions = np.column_stack([np.arange(0, 40, 2.0), np.zeros(20), np.full(20, yaw_rad)])
    stamps = np.arange(20, dtype=np.int64)
    return CachedDrive(
        world,
        name,
        np.tile(student_row.astype(np.uint8), (20, GRID.num_ranges, 1)),
        positions,
        stamps,
        np.tile(panorama_row.astype(np.uint8), (20, GRID.num_ranges, 1)),
        positions,
        stamps,
    )


def plain_config(config: TrainingConfig, **changes: float) -> TrainingConfig:
    return replace(config, augmentation=replace(PLAIN, **changes))


def test_the_free_view_equals_the_maps_views_at_their_yaws() -> None:
    panorama = random_image(64, 96)
    views = views_of_panorama(panorama, GRID, num_views=12)
    for view, yaw in zip(views, view_yaws_rad(12), strict=True):
        np.testing.assert_array_equal(view_of_panorama(panorama, GRID, yaw), view)


def test_the_teacher_looks_where_the_student_looks_whatever_its_own_heading(
    tiny_config: TrainingConfig,
) -> None:
    drives = [
        compass_drive(world, f'{world}/{heading}', math.radians(heading))
        for world in ('a', 'b')
        for heading in (0, 90, -135)
    ]
    sampler = PlaceSampler(drives, plain_config(tiny_config))
    for step in range(5):
        batch = sampler.draw(step)
        margin = tiny_config.network.teacher_margin
        np.testing.assert_array_equal(batch.student, batch.teacher[:4, ..., margin:-margin])


def test_mirrored_worlds_show_both_sensors_mirrored(tiny_config: TrainingConfig) -> None:
    drives = [compass_drive(world, f'{world}/0', 0.0) for world in ('a', 'b')]
    plain = PlaceSampler(drives, plain_config(tiny_config)).draw(0)
    mirrored = PlaceSampler(drives, plain_config(tiny_config, mirror_probability=1.0)).draw(0)
    np.testing.assert_array_equal(mirrored.student, plain.student[..., ::-1])
    np.testing.assert_array_equal(mirrored.teacher, plain.teacher[..., ::-1])


def test_a_batch_depends_on_its_number_and_the_seed_alone(
    tiny_cache: Path, tiny_config: TrainingConfig
) -> None:
    drives = load_drives(tiny_cache / 'train', tiny_config.preprocessing)
    sampler = PlaceSampler(drives, tiny_config)
    sampler.draw(3)
    first, again = sampler.draw(7), PlaceSampler(drives, tiny_config).draw(7)
    other = PlaceSampler(drives, replace(tiny_config, seed=1)).draw(7)
    np.testing.assert_array_equal(first.student, again.student)
    np.testing.assert_array_equal(first.teacher, again.teacher)
    assert not np.array_equal(first.student, other.student)


def test_partners_are_near_and_places_apart(tiny_cache: Path, tiny_config: TrainingConfig) -> None:
    drives = load_drives(tiny_cache / 'train', tiny_config.preprocessing)
    batch = PlaceSampler(drives, tiny_config).draw(0)
    assert batch.student.shape == (4, 1, 64, 32)
    assert batch.teacher.shape == (6, 1, 64, 32 + 2 * 8)
    offsets = batch.student_places - batch.teacher_places[:4]
    assert (offsets[:, 0] == 0).all()
    assert np.hypot(offsets[:, 1], offsets[:, 2]).max() <= 3.0
    for world in (0, 1):
        x = np.sort(batch.student_places[batch.student_places[:, 0] == world, 1])
        assert np.diff(x).min() >= 5.0


def test_aligned_places_are_seen_from_one_spot_in_one_direction(
    tiny_config: TrainingConfig,
) -> None:
    drives = [compass_drive(world, f'{world}/0', 0.0) for world in ('a', 'b')]
    config = replace(plain_config(tiny_config, yaw_jitter_deg=30.0), seed=1)
    batches = [PlaceSampler(drives, config).draw(step) for step in range(20)]
    aligned = np.concatenate([batch.is_aligned for batch in batches])
    assert 0.3 < aligned.mean() < 0.7  # half is asked for
    for batch in batches:
        places, views = batch.student_places, batch.teacher_places[:4]
        np.testing.assert_array_equal(places[batch.is_aligned], views[batch.is_aligned])
        same = (batch.student == batch.teacher[:4, ..., 8:-8]).all(axis=(1, 2, 3))
        assert same[batch.is_aligned].all()


def test_no_place_is_aligned_with_the_panoramas_of_another_drive(
    tiny_config: TrainingConfig,
) -> None:
    drives = []
    for world in ('a', 'b'):
        clouds, scans = compass_drive(world, f'{world}/0', 0.0), compass_drive(world, '1', 0.0)
        drives.append(
            replace(
                clouds, panoramas=clouds.panoramas[:0], panorama_poses=clouds.panorama_poses[:0]
            )
        )
        drives.append(
            replace(
                scans, student_bevs=scans.student_bevs[:0], student_poses=scans.student_poses[:0]
            )
        )
    assert not PlaceSampler(drives, plain_config(tiny_config)).draw(0).is_aligned.any()


def test_across_sessions_the_aligned_view_is_of_another_drive_in_the_same_direction(
    tiny_config: TrainingConfig,
) -> None:
    # Drives of one place that head elsewhere and whose cars are parked elsewhere.
    drives = []
    for world in ('a', 'b'):
        for number, heading in enumerate((0.0, 90.0)):
            drive = compass_drive(world, f'{world}/{number}', math.radians(heading))
            panoramas = np.array(drive.panoramas)
            panoramas[:, number] = 255  # a row that only this drive's scans have
            drives.append(replace(drive, panoramas=panoramas))
    config = replace(
        plain_config(tiny_config, yaw_jitter_deg=30.0),
        batch=replace(tiny_config.batch, cross_session=True, aligned_share=1.0),
    )
    for step in range(5):
        batch = PlaceSampler(drives, config).draw(step)
        assert batch.is_aligned.all()
        views = batch.teacher[:4, 0, :, 8:-8]
        np.testing.assert_array_equal(batch.student[:, 0, 2:], views[:, 2:])
        is_of_second = (views[:, 1] == 255).all(axis=1)
        looks_ahead_of_first = batch.student[:, 0, 5, 16] == 1  # compass direction 0
        np.testing.assert_array_equal(is_of_second, looks_ahead_of_first)


def test_across_sessions_without_another_drive_is_refused(tiny_config: TrainingConfig) -> None:
    drives = [compass_drive(world, f'{world}/0', 0.0) for world in ('a', 'b')]
    config = replace(tiny_config, batch=replace(tiny_config.batch, cross_session=True))
    with pytest.raises(ValueError, match=r'no drive passes another of its world within 1\.5 m'):
        PlaceSampler(drives, config)


def test_of_a_sparse_radar_so_many_blocks_with_returns_are_left_the_same_ones_each_time() -> None:
    image = random_image(64, 32)
    sparse = thinned(image, 20)
    np.testing.assert_array_equal(thinned(image, 20), sparse)
    blocks = sparse.reshape(16, 4, 8, 4).any(axis=(1, 3))
    assert blocks.sum() == 20
    np.testing.assert_array_equal(sparse[sparse > 0], image[sparse > 0])
    whole = sparse.reshape(16, 4, 8, 4).transpose(0, 2, 1, 3)[blocks]
    np.testing.assert_array_equal(whole, image.reshape(16, 4, 8, 4).transpose(0, 2, 1, 3)[blocks])
    assert thinned(image, 0) is image
    assert thinned(image, 128) is image


def test_batches_of_a_sparse_radar_are_sparse_for_the_student_alone(
    tiny_cache: Path, tiny_config: TrainingConfig
) -> None:
    drives = load_drives(tiny_cache / 'train', tiny_config.preprocessing)
    whole = PlaceSampler(drives, plain_config(tiny_config)).draw(0)
    config = replace(plain_config(tiny_config), max_returns=2)
    sparse = PlaceSampler(drives, config).draw(0)
    np.testing.assert_array_equal(sparse.teacher, whole.teacher)
    assert (sparse.student > 0).sum(axis=(1, 2, 3)).max() <= 2 * 16
    assert (whole.student > 0).sum(axis=(1, 2, 3)).max() > 2 * 16


def test_the_places_of_a_world_lie_around_one_of_them(
    tiny_cache: Path, tiny_config: TrainingConfig
) -> None:
    drives = load_drives(tiny_cache / 'train', tiny_config.preprocessing)
    config = replace(tiny_config, batch=replace(tiny_config.batch, cluster_radius_m=4.0))
    sampler = PlaceSampler(drives, config)
    for step in range(10):
        places = sampler.draw(step).student_places
        for world in (0, 1):
            assert np.ptp(places[places[:, 0] == world, 1]) <= 8.0


def test_more_worlds_than_the_cache_has_are_refused(
    tiny_cache: Path, tiny_config: TrainingConfig
) -> None:
    drives = load_drives(tiny_cache / 'train', tiny_config.preprocessing)
    config = replace(tiny_config, batch=replace(tiny_config.batch, num_worlds=3))
    with pytest.raises(ValueError, match=r'num_worlds is 3, the cache has 2'):
        PlaceSampler(drives, config)


def test_a_world_whose_sensors_never_meet_is_refused_by_name(tiny_config: TrainingConfig) -> None:
    apart = compass_drive('b', 'b/0', 0.0)
    apart = replace(apart, panorama_poses=apart.panorama_poses + 1000.0)
    with pytest.raises(ValueError, match=r'world b has no 4D image within 3\.0 m'):
        PlaceSampler([compass_drive('a', 'a/0', 0.0), apart], tiny_config)


def test_a_lane_beside_is_the_same_place_and_as_far_ahead_is_not(
    tiny_config: TrainingConfig,
) -> None:
    batch = replace(tiny_config.batch, positive_radius_m=1.5, positive_across_m=5.0)
    there = compass_drive('a', 'a/0', 0.0)
    back = compass_drive('a', 'a/180', math.pi)
    aside = replace(
        back,
        student_bevs=back.student_bevs[:0],
        student_poses=back.student_poses[:0],
        student_stamps_ns=back.student_stamps_ns[:0],
        panorama_poses=back.panorama_poses + np.array([0.0, 3.6, 0.0]),
    )
    alone = replace(there, panoramas=there.panoramas[:0], panorama_poses=there.panorama_poses[:0])
    config = replace(plain_config(tiny_config), batch=batch)
    drives = [alone, aside, compass_drive('b', 'b/0', 0.0)]
    sampler = PlaceSampler(drives, config)
    offsets = np.concatenate([_offsets_m(sampler.draw(step)) for step in range(8)])
    beside = offsets[np.abs(offsets[:, 1]) > 1]
    assert len(beside) > 0
    np.testing.assert_allclose(beside, [[0.0, 3.6]] * len(beside), atol=1e-5)
    with pytest.raises(ValueError, match=r'3\.0 m ahead and 3\.0 m beside'):
        PlaceSampler(drives, plain_config(tiny_config))


def _offsets_m(batch: Batch) -> NDArray[np.float32]:
    places = len(batch.student_places)
    return batch.teacher_places[:places, 1:] - batch.student_places[:, 1:]


def test_brightness_changes_returns_and_leaves_empty_cells_empty() -> None:
    image = random_image(64, 32)
    options = replace(PLAIN, brightness_px=20.0)
    varied = augmented(image, options, np.random.default_rng(0), max_dropout=0.0)
    np.testing.assert_array_equal(varied > 0, image > 0)
    middle = (image > 80) & (image < 170)
    offsets = varied[middle].astype(int) - image[middle]
    assert len(set(offsets.tolist())) == 1
    assert offsets[0] != 0


def test_dropout_removes_at_most_the_share_asked_for() -> None:
    image = np.full((64, 32), 100, np.uint8)
    shares = [
        (augmented(image, PLAIN, np.random.default_rng(seed), 0.4) == 0).mean()
        for seed in range(50)
    ]
    assert max(shares) < 0.5  # 0.4 and what 128 blocks scatter
    assert np.mean(shares) == pytest.approx(0.2, abs=0.05)


def test_an_obstacle_hides_what_lies_behind_it_and_nothing_before() -> None:
    options = replace(PLAIN, sector_probability=1.0, max_sector_deg=60.0)
    image = np.full((64, 32), 100, np.uint8)
    shares = []
    for seed in range(50):
        hidden = occluded(image, GRID, options, np.random.default_rng(seed)) == 0
        assert not hidden[:2].any()  # rows of 2.34 m: the obstacle is at 5 m or more
        assert np.array_equal(hidden[-1], hidden[20])  # ... and at 30 m or less
        columns = np.flatnonzero(hidden[-1])
        assert len(columns) == 0 or np.ptp(columns) == len(columns) - 1
        shares.append(len(columns) / 32)
    assert 0.05 < np.mean(shares) < 0.5


def test_no_obstacle_at_probability_zero() -> None:
    image = random_image(64, 32)
    assert occluded(image, GRID, PLAIN, np.random.default_rng(0)) is image
