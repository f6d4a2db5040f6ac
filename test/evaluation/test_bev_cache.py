# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Check that the cache holds what the preprocessing makes, whole or not at all."""

from dataclasses import replace
import json
from pathlib import Path
import shutil

import numpy as np
import pytest
from ssd_ros.bev.keyframe_views import local_maps, PosedScans
from ssd_ros.bev.preprocessing import CloudPreprocessor, scan_panorama
from ssd_ros.datasets.left_out import LeftOut
from ssd_ros.evaluation.bev_cache import (
    cache_drive,
    is_cached,
    load_drive,
    load_drives,
    preprocessing_digest,
    Spacing,
)
from ssd_ros.motion.trajectory import Trajectory
from ssd_ros.radar.types import RadarPointCloud, SpinningRadarScan
from ssd_ros.recognition.offline.submap_drive import submaps_of
from ssd_ros.training.config import TrainingConfig
from support.drives.tiny import StraightDrive, TINY_PREPROCESSING
from support.posts import lidar_drive, random_posts, SMALL, straight_drive


def test_the_cache_holds_the_images_of_the_kept_scans(tmp_path: Path) -> None:
    sequence, options = StraightDrive('Town/01', 7, 0), TINY_PREPROCESSING
    cache_drive(sequence, tmp_path / 'drive', options, Spacing(2.0, 3.0))
    drive = load_drive(tmp_path / 'drive', options)
    assert (drive.world, drive.name) == ('Town', 'Town/01')
    # 1 m from scan to scan: 2 m keeps scans 0, 2, 4, 6 and 3 m keeps 0, 3, 6.
    np.testing.assert_array_equal(drive.student_poses[:, 0], [0, 2, 4, 6])
    np.testing.assert_array_equal(drive.panorama_poses[:, 0], [0, 3, 6])
    np.testing.assert_array_equal(drive.student_stamps_ns, np.array([0, 2, 4, 6]) * 100_000_000)
    preprocessor = CloudPreprocessor(options)
    preprocessor.process(sequence.cloud(3))
    expected = preprocessor.process(sequence.cloud(4)).bev
    np.testing.assert_array_equal(drive.student_bevs[2], expected)
    np.testing.assert_array_equal(drive.panoramas[1], scan_panorama(sequence.scan(3), options))
    assert drive.panoramas[1].max() > 0


def test_options_that_came_later_leave_the_digest_of_caches_as_it_was() -> None:
    options = TrainingConfig().preprocessing
    assert preprocessing_digest(options).startswith('784003a35f39c55105a953f5d5e3c679')
    by_content = replace(
        options,
        cloud=replace(options.cloud, normalisation='content'),
        scan=replace(options.scan, normalisation='content'),
    )
    assert preprocessing_digest(by_content) != preprocessing_digest(options)


def test_a_window_of_way_in_the_cache_is_moved_by_the_poses(tmp_path: Path) -> None:
    sequence = StraightDrive('Town/01', 7, 0)
    options = replace(TINY_PREPROCESSING, window_m=3.0)
    cache_drive(sequence, tmp_path / 'drive', options, Spacing(2.0, None))
    preprocessor, poses = CloudPreprocessor(options), sequence.cloud_poses
    images = [
        preprocessor.process(sequence.cloud(index), np.array([float(index), 0.0, 0.0]))
        for index in range(7)
    ]
    np.testing.assert_array_equal(poses.positions_m[:, 0], np.arange(7))
    drive = load_drive(tmp_path / 'drive', options)
    expected = np.stack([image.bev for image in images[::2]])
    np.testing.assert_array_equal(np.asarray(drive.student_bevs[:]), expected)
    assert [image.num_points for image in images] == [
        min(index + 1, 4) * images[0].num_points for index in range(7)
    ]


def test_local_maps_lie_in_the_cache_as_turns_where_the_drive_is_long_enough(
    tmp_path: Path,
) -> None:
    posts = random_posts(num=1500)
    sequence = replace(straight_drive(num=61, step_m=1.0), posts=posts)
    cache_drive(sequence, tmp_path / 'a', SMALL, Spacing(None, 10.0), submap_m=40.0)
    with pytest.raises(ValueError, match=r'shows local maps .* made without --submap'):
        load_drive(tmp_path / 'a', SMALL)
    drive = load_drive(tmp_path / 'a', SMALL, any_window=True)
    assert len(drive.student_bevs) == 0
    # The last whole one lies 20 m before the end.
    np.testing.assert_array_equal(drive.panorama_poses[:, 0], np.arange(0, 41, 10))
    expected = submaps_of(sequence, SMALL, 40.0, 10.0, lanes_m=(0.0,))
    for found, submap in zip(drive.panoramas, expected, strict=True):
        assert submap.panorama.any()
        np.testing.assert_array_equal(found, submap.panorama)
    assert is_cached(tmp_path / 'a', SMALL, Spacing(None, 10.0), submap_m=40.0)
    assert not is_cached(tmp_path / 'a', SMALL, Spacing(None, 10.0))


def test_local_maps_of_a_lidar_lie_in_the_cache_as_turns_at_the_keyframes_of_its_map(
    tmp_path: Path,
) -> None:
    sequence = replace(lidar_drive(), unreadable=(0, 7))
    cache_drive(sequence, tmp_path / 'a', SMALL, Spacing(10.0, 5.0), of_lidar=True)
    with pytest.raises(ValueError, match=r'local maps .* made without --submap and --lidar'):
        load_drive(tmp_path / 'a', SMALL)
    drive = load_drive(tmp_path / 'a', SMALL, any_window=True)
    # 2 m from scan to scan; a scan that cannot be read is missing in the maps around it alone.
    np.testing.assert_array_equal(drive.student_poses[:, 0], np.arange(0, 79, 10))
    np.testing.assert_array_equal(drive.panorama_poses[:, 0], np.arange(0, 79, 6))
    np.testing.assert_allclose(drive.panorama_poses[:, 2], sequence.lidar_yaw_rad)
    posed = PosedScans(sequence, np.arange(40), sequence.lidar_poses)
    views = list(local_maps(posed, SMALL, 5.0, LeftOut('Posts/01')))
    for found, view in zip(drive.panoramas, views, strict=True):
        assert view.panorama.any()
        np.testing.assert_array_equal(found, view.panorama)
    assert [(radar.sensor, radar.num_scans) for radar in drive.radars] == [
        ('4d', 40),
        ('lidar', 40),
    ]
    assert is_cached(tmp_path / 'a', SMALL, Spacing(10.0, 5.0), of_lidar=True)
    assert not is_cached(tmp_path / 'a', SMALL, Spacing(10.0, 5.0))


class Damaged(StraightDrive):
    """A drive of which some scans of either radar cannot be read."""

    def cloud(self, index: int) -> RadarPointCloud:
        if index in (2, 5):
            raise ValueError('cut off')
        return super().cloud(index)

    def scan(self, index: int) -> SpinningRadarScan:
        if index in (0, 6):
            raise OSError('gone')
        return super().scan(index)


def test_scans_that_cannot_be_read_are_left_out_with_their_poses(tmp_path: Path) -> None:
    sequence, options = Damaged('Town/01', 9, 0), TINY_PREPROCESSING
    done: list[tuple[int, int]] = []
    left_out = cache_drive(
        sequence, tmp_path / 'a', options, Spacing(2.0, 1.0), lambda *counts: done.append(counts)
    )
    assert left_out == {'student': 2, 'panorama': 2}
    assert done == [(number, 14) for number in range(1, 15)]
    assert json.loads((tmp_path / 'a' / 'meta.json').read_text())['unreadable'] == left_out
    drive = load_drive(tmp_path / 'a', options)
    np.testing.assert_array_equal(drive.student_poses[:, 0], [0, 4, 6, 8])
    np.testing.assert_array_equal(drive.panorama_poses[:, 0], [1, 2, 3, 4, 5, 7, 8])
    read = [1, 2, 3, 4, 5, 7, 8]
    np.testing.assert_array_equal(drive.panorama_stamps_ns, sequence.scan_stamps_ns[read])
    np.testing.assert_array_equal(drive.panoramas[5], scan_panorama(sequence.scan(7), options))
    # As in the node, clouds 4 and 6 are the window where 5 did not come.
    preprocessor = CloudPreprocessor(options)
    preprocessor.process(sequence.cloud(4))
    expected = preprocessor.process(sequence.cloud(6)).bev
    np.testing.assert_array_equal(drive.student_bevs[2], expected)


def test_a_drive_most_of_whose_scans_cannot_be_read_makes_no_cache(tmp_path: Path) -> None:
    class Spoilt(StraightDrive):
        def scan(self, index: int) -> SpinningRadarScan:
            raise ValueError('blank')

    with pytest.raises(ValueError, match=r'4 of the first 4 spinning radar scans .*: blank'):
        cache_drive(Spoilt('Town/01', 4, 0), tmp_path / 'a', TINY_PREPROCESSING, Spacing(1.0, 1.0))
    assert list(tmp_path.iterdir()) == []


def test_a_sensor_left_out_has_no_images(tmp_path: Path) -> None:
    options = TINY_PREPROCESSING
    cache_drive(StraightDrive('Town/01', 4, 0), tmp_path / 'a', options, Spacing(2.0, None))
    drive = load_drive(tmp_path / 'a', options)
    assert drive.panoramas.shape == (0, 64, 96)
    assert drive.student_bevs.shape == (2, 64, 32)


def test_a_drive_counts_as_cached_only_with_the_same_options(tmp_path: Path) -> None:
    options, directory = TINY_PREPROCESSING, tmp_path / 'drive'
    assert not is_cached(directory, options, Spacing())
    cache_drive(StraightDrive('Town/01', 4, 0), directory, options, Spacing())
    assert is_cached(directory, options, Spacing())
    assert not is_cached(directory, options, Spacing(student_m=1.0))
    assert not is_cached(directory, replace(options, num_scans=3), Spacing())


def test_images_of_another_window_of_way_are_read_where_any_will_do(tmp_path: Path) -> None:
    options, directory = TINY_PREPROCESSING, tmp_path / 'drive'
    longer = replace(options, window_m=3.0)
    cache_drive(StraightDrive('Town/01', 4, 0), directory, longer, Spacing())
    assert is_cached(directory, longer, Spacing())
    assert not is_cached(directory, options, Spacing())
    with pytest.raises(ValueError, match='cached with another preprocessing'):
        load_drives(tmp_path, options)
    (drive,) = load_drives(tmp_path, options, any_window=True)
    np.testing.assert_array_equal(drive.student_bevs, load_drive(directory, longer).student_bevs)
    with pytest.raises(ValueError, match='cached with another preprocessing'):
        load_drives(tmp_path, replace(options, num_scans=3), any_window=True)


def test_an_interrupted_drive_leaves_nothing(tmp_path: Path) -> None:
    def stop(done: int, total: int) -> None:
        if done == total - 1:
            raise KeyboardInterrupt

    sequence, options = StraightDrive('Town/01', 4, 0), TINY_PREPROCESSING
    with pytest.raises(KeyboardInterrupt):
        cache_drive(sequence, tmp_path / 'drive', options, Spacing(), stop)
    assert list(tmp_path.iterdir()) == []


def test_a_drive_made_with_another_preprocessing_is_refused(tmp_path: Path) -> None:
    options = TINY_PREPROCESSING
    cache_drive(StraightDrive('Town/01', 4, 0), tmp_path / 'a', options, Spacing())
    with pytest.raises(ValueError, match='cached with another preprocessing'):
        load_drive(tmp_path / 'a', replace(options, num_scans=3))


@pytest.mark.parametrize(
    ('file', 'content', 'message'),
    [
        ('meta.json', b'{', 'is not a cached drive'),
        ('meta.json', b'[]', 'is not a cached drive'),
        ('meta.json', b'{"world": "w"}', "is not a cached drive: KeyError.*'name'"),
        ('panoramas.npy', b'', 'is not a cached drive'),
        ('panoramas.npy', b'\x93NUMPY', 'is not a cached drive'),
    ],
)
def test_a_damaged_drive_is_refused_with_the_reason(
    tmp_path: Path,
    file: str,
    content: bytes,
    message: str,
) -> None:
    options = TINY_PREPROCESSING
    cache_drive(StraightDrive('Town/01', 4, 0), tmp_path / 'a', options, Spacing())
    (tmp_path / 'a' / file).write_bytes(content)
    with pytest.raises(ValueError, match=message):
        load_drive(tmp_path / 'a', options)


def test_an_array_of_another_type_is_refused_by_name(tmp_path: Path) -> None:
    options = TINY_PREPROCESSING
    cache_drive(StraightDrive('Town/01', 4, 0), tmp_path / 'a', options, Spacing())
    np.save(tmp_path / 'a' / 'student_poses.npy', np.zeros(3, np.float32))
    with pytest.raises(ValueError, match=r'student_poses\.npy has shape \(3,\) and type float32'):
        load_drive(tmp_path / 'a', options)


def test_an_array_that_would_need_unpickling_is_refused(tmp_path: Path) -> None:
    options = TINY_PREPROCESSING
    cache_drive(StraightDrive('Town/01', 4, 0), tmp_path / 'a', options, Spacing())
    objects = np.array([{}], dtype=object)
    np.save(tmp_path / 'a' / 'student_poses.npy', objects, allow_pickle=True)
    with pytest.raises(ValueError, match='is not a cached drive'):
        load_drive(tmp_path / 'a', options)


def test_an_empty_directory_names_the_command_that_fills_it(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r'holds no cached drive: .*command cache'):
        load_drives(tmp_path, TINY_PREPROCESSING)


def test_a_drive_whose_writing_was_killed_is_left_out(tmp_path: Path) -> None:
    for name in ('a', '.a.k3v9x1'):
        cache_drive(StraightDrive('Town/01', 4, 0), tmp_path / name, TINY_PREPROCESSING, Spacing())
    assert [drive.name for drive in load_drives(tmp_path, TINY_PREPROCESSING)] == ['Town/01']


def test_the_meta_data_hold_no_more_than_names_and_options(tmp_path: Path) -> None:
    cache_drive(StraightDrive('Town/01', 4, 0), tmp_path / 'a', TINY_PREPROCESSING, Spacing())
    meta = json.loads((tmp_path / 'a' / 'meta.json').read_text())
    assert sorted(meta) == [
        'name', 'of_lidar', 'origin', 'preprocessing', 'radars', 'source', 'spacing', 'submap_m',
        'unreadable',
        'window_m', 'world',
    ]  # fmt: skip


def test_drives_of_one_world_in_two_frames_are_refused_by_name(tmp_path: Path) -> None:
    """Training would take places 443 km apart for different ones, and those beside for one."""
    options = TINY_PREPROCESSING
    for world, number, east_m in (('Town', '01', 0), ('Town', '02', 443_000), ('Far', '01', 9e6)):
        drive = StraightDrive(f'{world}/{number}', 4, 0)
        poses = drive.scan_poses
        moved_m = poses.positions_m + np.array([east_m, 0, 0])
        drive.scan_poses = Trajectory(poses.stamps_ns, moved_m, poses.quaternions_xyzw)
        cache_drive(drive, tmp_path / f'{world}_{number}', options, Spacing())
    with pytest.raises(ValueError, match=r'Town/02 lies 443 km from Town/01: their origins'):
        load_drives(tmp_path, options)
    shutil.rmtree(tmp_path / 'Town_02')
    assert [drive.name for drive in load_drives(tmp_path, options)] == ['Far/01', 'Town/01']
