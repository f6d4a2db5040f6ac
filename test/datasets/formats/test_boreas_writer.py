# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Check drives written in the layout of Boreas-RT: what comes back, and what is not replaced."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from ssd_ros.datasets.formats.boreas_writer import write_boreas
from ssd_ros.datasets.formats.open_sequence import open_sequence
from ssd_ros.lidar.types import LidarPointCloud
from ssd_ros.targets import TargetError
from support.drives.in_memory import DriveInMemory, line_of_poses, START_NS
from support.drives.in_memory import with_lidar as with_lidar_in_a_hurry


def with_lidar() -> DriveInMemory:
    """Return three scans a quarter of a second apart and two of a LiDAR."""
    stamps_ns = START_NS + 250_000_000 * np.arange(3)
    poses = line_of_poses(stamps_ns)
    return replace(with_lidar_in_a_hurry(), scan_stamps_ns=stamps_ns, scan_poses=poses)


def test_a_drive_comes_back_to_the_microsecond(tmp_path: Path) -> None:
    drive, files = with_lidar(), []
    path = write_boreas(tmp_path / 'boreas-1', drive, lambda: files.append(1))
    assert len(files) == 5
    sequence = open_sequence(path)
    assert sequence.scan_stamps_ns.tolist() == (drive.scan_stamps_ns // 1000 * 1000).tolist()
    np.testing.assert_allclose(sequence.scan_poses.positions_m, drive.scan_poses.positions_m)
    np.testing.assert_allclose(sequence.lidar_poses.positions_m, drive.lidar_poses.positions_m)
    for poses, expected in (
        (sequence.scan_poses.yaws_rad, drive.scan_poses.yaws_rad),
        (sequence.lidar_poses.yaws_rad, drive.lidar_poses.yaws_rad),
    ):
        np.testing.assert_allclose(np.exp(1j * poses), np.exp(1j * expected))
    scan, original = sequence.lidar(1), drive.lidar(1)
    np.testing.assert_allclose(scan.xyz_m, original.xyz_m, atol=1e-6)
    np.testing.assert_array_equal(scan.intensity, original.intensity)
    np.testing.assert_array_equal(scan.radial_velocity_mps, original.radial_velocity_mps)


def test_echoes_stay_where_they_are_in_range_and_azimuth(tmp_path: Path) -> None:
    drive = with_lidar()
    scan = open_sequence(write_boreas(tmp_path / 'boreas-1', drive)).scan(1)
    original = drive.scan(1)
    assert scan.range_offset_m == -0.31
    range_m = (np.arange(len(scan.power)) + 0.5) * scan.range_resolution_m + scan.range_offset_m
    rows = np.floor(range_m / original.range_resolution_m).astype(int)
    np.testing.assert_array_equal(scan.power[rows >= 0], original.power[rows[rows >= 0]])
    assert not scan.power[rows < 0].any()
    np.testing.assert_allclose(scan.azimuths_rad, original.azimuths_rad, atol=1e-3)


class WithoutDoppler(DriveInMemory):
    """The drive with a LiDAR of another kind."""

    def lidar(self, index: int) -> LidarPointCloud:
        return replace(super().lidar(index), radial_velocity_mps=None)


def test_a_lidar_without_doppler_is_a_velodyne(tmp_path: Path) -> None:
    plain = with_lidar()
    drive = WithoutDoppler(
        plain.name,
        plain.cloud_stamps_ns,
        plain.scan_stamps_ns[:0],
        plain.cloud_poses,
        plain.scan_poses,
        lidar_stamps_ns=plain.lidar_stamps_ns,
        lidar_poses=plain.lidar_poses,
    )
    path = write_boreas(tmp_path / 'boreas-1', drive)
    assert sorted(p.name for p in path.iterdir() if p.is_dir()) == [
        'applanix',
        'calib',
        'lidar',
    ]
    sequence = open_sequence(path)
    np.testing.assert_allclose(sequence.lidar(0).xyz_m, plain.lidar(0).xyz_m, atol=1e-6)
    assert sequence.lidar(0).radial_velocity_mps is None


def test_a_drive_of_ours_is_replaced_and_one_of_others_is_not(tmp_path: Path) -> None:
    path = write_boreas(tmp_path / 'boreas-1', with_lidar())
    before = sorted(file.name for file in path.rglob('*'))
    write_boreas(path, with_lidar())
    assert sorted(file.name for file in path.rglob('*')) == before
    (path / 'video.mp4').write_bytes(b'mine')
    with pytest.raises(TargetError, match=r'video\.mp4'):
        write_boreas(path, with_lidar())
    theirs = tmp_path / 'boreas-2/radar'
    theirs.mkdir(parents=True)
    (theirs / '1.png').write_bytes(b'mine')
    with pytest.raises(TargetError, match='boreas-2'):
        write_boreas(theirs.parent, with_lidar())
