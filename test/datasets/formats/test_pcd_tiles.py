# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Check maps of points: what a pose sees of them, and what is no such map."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
import pytest
from ssd_ros.cli.common.drive_options import DriveOptions
from ssd_ros.cli.common.drives import open_drive
from ssd_ros.datasets.bags.rosbag2 import Rosbag2Config
from ssd_ros.datasets.formats.open_sequence import open_sequence
from ssd_ros.datasets.formats.pcd_tiles import AUTOWARE_FILE, open_pcd_tiles
from ssd_ros.datasets.sequence import RadarSequence
from ssd_ros.motion.trajectory import quaternion_from_yaw, Trajectory

FIRST_S = 1_700_000_000
UTM_M = np.array([412_345.25, 5_678_901.5, 120.0])


def write_tile(path: Path, xyz_m: NDArray[np.float64]) -> None:
    """Write doubles, as in UTM a float has half a metre."""
    head = (
        f'FIELDS x y z\nSIZE 8 8 8\nTYPE F F F\nWIDTH {len(xyz_m)}\nHEIGHT 1\n'
        f'POINTS {len(xyz_m)}\nDATA binary\n'
    )
    path.write_bytes(head.encode() + xyz_m.astype('<f8').tobytes())


def way(*xy_yaw: tuple[float, float, float]) -> Trajectory:
    x, y, yaw = np.array(xy_yaw).T
    positions_m = UTM_M + np.column_stack([x, y, 0 * x])
    stamps_ns = np.arange(1, len(x) + 1) * 1_000_000_000
    return Trajectory(stamps_ns, positions_m, quaternion_from_yaw(yaw))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Return tiles with a point 100 m north, one 100 m east twice, and one 300 m east."""
    points_m = UTM_M + np.array([[0, 100, 2], [100, 0, 1], [100.01, 0, 1], [300, 0, 5.0]])
    write_tile(tmp_path / 'b.pcd', points_m[:2])
    write_tile(tmp_path / 'a.pcd', points_m[2:])
    write_tile(tmp_path / 'empty.pcd', points_m[:0])
    return tmp_path


def test_a_pose_sees_what_is_within_reach(folder: Path) -> None:
    tiles = open_pcd_tiles(folder).along(way((0, 0, math.pi / 2), (250, 0, 0)))
    assert isinstance(tiles, RadarSequence)
    assert len(tiles.lidar_stamps_ns) == 2
    ahead = tiles.lidar(0)  # looks north
    seen_m = ahead.xyz_m[np.argsort(ahead.xyz_m[:, 0])]
    # One of each tile stays of the two that are 1 cm apart.
    np.testing.assert_allclose(seen_m[:2], [[0, -100, 1]] * 2, atol=0.02)
    np.testing.assert_allclose(seen_m[2:], [[100, 0, 2]], atol=0.02)
    assert ahead.stamp_ns == 1_000_000_000
    assert np.isnan(ahead.intensity).all()
    np.testing.assert_allclose(sorted(tiles.lidar(1).xyz_m[:, 0]), [-150, -149.99, 50], atol=0.02)


def test_points_of_a_voxel_are_one(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    write_tile(
        tmp_path / 'map.pcd', UTM_M + np.array([5.05, 5.05, 1.05]) + 0.1 * rng.random((99, 3))
    )
    tiles = open_pcd_tiles(tmp_path / 'map.pcd').along(way((0, 0, 0)))
    assert 1 <= len(tiles.lidar(0)) <= 8
    assert tiles.name == 'map'


def test_a_pose_outside_of_the_map_is_an_error(folder: Path) -> None:
    tiles = open_pcd_tiles(folder).along(way((0, 5000, 0)))
    with pytest.raises(ValueError, match=r'no point of the map lies within 160 m of \[412345'):
        tiles.lidar(0)


def test_tiles_of_autoware_and_single_files_are_known(folder: Path) -> None:
    (folder / AUTOWARE_FILE).write_text('x_resolution: 20\n')
    assert type(open_sequence(folder)).__name__ == 'PcdTiles'
    assert type(open_sequence(folder / 'a.pcd')).__name__ == 'PcdTiles'
    (folder / AUTOWARE_FILE).unlink()
    # Without it they could be scans.
    with pytest.raises(ValueError, match='cannot tell the data set'):
        open_sequence(folder)


def test_the_way_through_them_is_that_of_the_poses(folder: Path, tmp_path: Path) -> None:
    poses = tmp_path / 'way.txt'
    lines = [f'{FIRST_S + row}.5 {UTM_M[0] + row} {UTM_M[1]} 0 0 0 0 1' for row in range(20)]
    poses.write_text('\n'.join(lines))
    lidar = Rosbag2Config(sensors=('lidar',))
    options = DriveOptions(dataset='pcd_tiles', poses=poses)
    drive = open_drive(folder, options, lidar, say=lambda line: None)
    assert len(drive.lidar_stamps_ns) == 20
    assert drive.lidar_stamps_ns[1] == (FIRST_S + 1) * 10**9 + 5 * 10**8
    np.testing.assert_allclose(drive.lidar_poses.positions_m[3, :2], UTM_M[:2] + np.array([3, 0]))
    assert len(drive.lidar(3)) == 3
    with pytest.raises(ValueError, match='is a map of points: give the way through it with --po'):
        open_drive(folder, DriveOptions(dataset='pcd_tiles'), lidar)


def test_what_is_no_map_is_refused(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match=r'has no \.pcd files'):
        open_pcd_tiles(tmp_path)
    write_tile(tmp_path / 'a.pcd', np.full((3, 3), np.nan))
    with pytest.raises(ValueError, match='has no points'):
        open_pcd_tiles(tmp_path).along(way((0, 0, 0))).lidar(0)
    (tmp_path / 'a.pcd').write_bytes(b'FIELDS x y\nSIZE 4 4\nTYPE F F\nPOINTS 0\nDATA binary\n')
    with pytest.raises(ValueError, match=r'a.pcd has no field z, but \[.x., .y.\]'):
        open_pcd_tiles(tmp_path).along(way((0, 0, 0))).lidar(0)
