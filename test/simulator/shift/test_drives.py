# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Check drives of other radars, made of scans on disk."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from ssd_ros.data_origin import Origin, SIMULATED
from ssd_ros.datasets.sequence import RadarSequence
from ssd_ros.simulator.shift.clouds import CloudChange
from ssd_ros.simulator.shift.drives import ChangedDrive, Clouds, DriveChange
from support.posts import PostDrive, random_posts

STEP_NS = 50_000_000  # 20 Hz


@pytest.fixture
def plain() -> Clouds:
    """Return a drive of 41 scans along x, 1 m apart, at 20 Hz."""
    xy_yaw = np.stack([np.arange(41.0), np.zeros(41), np.zeros(41)], axis=1)
    origin = Origin(SIMULATED, 'a test', 'Posts', 5)
    drive = PostDrive(random_posts(), xy_yaw, step_ns=STEP_NS, origin=origin)
    return Clouds.of(drive, lambda new, total: None)


def changed(plain: Clouds, **options: Any) -> ChangedDrive:
    drive = ChangedDrive(plain, DriveChange(**options), 'radar')
    assert isinstance(drive, RadarSequence)
    return drive


def test_scans_survive_the_disk(plain: Clouds, tmp_path: Path) -> None:
    plain.save(tmp_path / 'clouds.npz')
    loaded = Clouds.load(tmp_path / 'clouds.npz')
    assert (loaded.name, loaded.origin.seed) == ('Posts/01', 5)
    assert len(loaded.cloud_stamps_ns) == 41
    for index in (0, 40):
        np.testing.assert_array_equal(loaded.cloud(index).xyz_m, plain.cloud(index).xyz_m)
        assert loaded.cloud(index).stamp_ns == plain.cloud_stamps_ns[index]
    assert len(loaded.scan_poses) == len(loaded.scan_stamps_ns) == 0
    with pytest.raises(IndexError, match='no spinning radar scan 3'):
        loaded.scan(3)


@pytest.mark.parametrize(
    ('spoil', 'reason'),
    [
        ({'rcs_dbsm': np.zeros(3, np.float32)}, 'rcs_dbsm has shape'),
        ({'first_points': np.arange(42)}, 'first_points do not ascend'),
        ({'stamps_ns': None}, 'stamps_ns'),
        ({'origin': np.array('{"kind": "dreamt"}')}, 'kind of origin'),
    ],
)
def test_scans_on_disk_are_looked_through(
    plain: Clouds, tmp_path: Path, spoil: dict[str, Any], reason: str
) -> None:
    path = tmp_path / 'clouds.npz'
    plain.save(path)
    with np.load(path) as file:
        arrays = {**file, **spoil}
    np.savez_compressed(path, **{key: value for key, value in arrays.items() if value is not None})
    with pytest.raises(ValueError, match=f'does not hold the scans of a drive: .*{reason}'):
        Clouds.load(path)


@pytest.mark.parametrize(
    ('rate_hz', 'kept'),
    [
        (10.0, [0, 2, 4, 6, 8]),
        (15.0, [0, 2, 3, 4, 6]),
        (5.0, [0, 4, 8, 12, 16]),
        (20.0, [0, 1, 2, 3, 4]),
        (100.0, [0, 1, 2, 3, 4]),
    ],
)
def test_a_slower_radar_leaves_out_scans(plain: Clouds, rate_hz: float, kept: list[int]) -> None:
    drive = changed(plain, rate_hz=rate_hz)
    np.testing.assert_array_equal(drive.cloud_stamps_ns[:5], plain.cloud_stamps_ns[kept])
    np.testing.assert_array_equal(drive.cloud(1).xyz_m, plain.cloud(kept[1]).xyz_m)
    assert drive.cloud_poses.positions_m[4, 0] == kept[4]


def test_a_reversed_drive_ends_where_it_began_with_doppler_the_other_way_round(
    plain: Clouds,
) -> None:
    drive = changed(plain, is_reversed=True)
    np.testing.assert_array_equal(drive.cloud_stamps_ns, plain.cloud_stamps_ns)
    assert drive.cloud_poses.positions_m[:, 0].tolist() == list(range(40, -1, -1))
    last = plain.cloud(40)
    np.testing.assert_array_equal(drive.cloud(0).xyz_m, last.xyz_m)
    np.testing.assert_array_equal(drive.cloud(0).radial_velocity_mps, -last.radial_velocity_mps)
    assert drive.cloud(0).stamp_ns == plain.cloud_stamps_ns[0]


def test_the_poses_are_those_that_wrong_extrinsics_give(plain: Clouds) -> None:
    """The radar is 0.6 m ahead of and 0.8 m left of where it is said to be."""
    drive = changed(plain, offset_m=(0.6, 0.8))
    np.testing.assert_allclose(drive.cloud_poses.positions_m[5], [5 - 0.6, -0.8, 0])
    np.testing.assert_array_equal(drive.cloud(5).xyz_m, plain.cloud(5).xyz_m)


def test_random_changes_are_the_same_each_time_and_others_for_another_scan_or_radar(
    plain: Clouds,
) -> None:
    change = DriveChange(CloudChange(num_points=5, rcs_std_db=3.0))
    drive, again, other = (ChangedDrive(plain, change, key) for key in ('radar', 'radar', 'else'))
    np.testing.assert_array_equal(drive.cloud(3).xyz_m, again.cloud(3).xyz_m)
    np.testing.assert_array_equal(drive.cloud(3).rcs_dbsm, again.cloud(3).rcs_dbsm)
    assert not np.array_equal(drive.cloud(3).rcs_dbsm, drive.cloud(4).rcs_dbsm)
    assert not np.array_equal(drive.cloud(3).rcs_dbsm, other.cloud(3).rcs_dbsm)


@pytest.mark.parametrize(
    'options', [{'rate_hz': 0.0}, {'offset_m': (1.0,)}, {'offset_m': (1e9, 0.0)}]
)
def test_drives_that_cannot_be_are_refused(options: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=rf'{next(iter(options))} is'):
        DriveChange(**options)
