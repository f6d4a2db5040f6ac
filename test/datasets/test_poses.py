# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Check the pose files of the data sets, Boreas on real ones."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from ssd_ros.datasets.poses import (
    empty_trajectory,
    poses_at,
    read_boreas_poses,
    read_hercules_poses,
    read_mulran_poses,
    read_oxford_poses,
    write_hercules_poses,
)
from ssd_ros.motion.trajectory import Trajectory, wrap_angle, yaw_from_quaternion

BOREAS = Path(__file__).parents[1] / 'data/boreas_poses'
OXFORD_HEADER = (
    'timestamp,ins_status,latitude,longitude,altitude,northing,easting,down,utm_zone,'
    'velocity_north,velocity_east,velocity_down,roll,pitch,yaw'
)


@pytest.mark.parametrize(
    ('sequence', 'first_ns'),
    [
        ('boreas-2021-08-05-13-34', 1628185485062420086),  # nanoseconds in the file
        ('boreas-2021-09-02-11-42', 1630597905303082000),  # microseconds in the file
    ],
)
def test_a_boreas_radar_looks_where_the_car_drives(sequence: str, first_ns: int) -> None:
    poses = read_boreas_poses(BOREAS / sequence / 'radar_poses.csv')
    assert (len(poses), poses.stamps_ns[0]) == (60, first_ns)
    step_m = np.diff(poses.positions_m[:, :2], axis=0)
    course_rad = np.arctan2(step_m[:, 1], step_m[:, 0])
    middle_yaw_rad = poses.yaws_rad[:-1] + wrap_angle(np.diff(poses.yaws_rad)) / 2
    # The car turns by more than 165 degrees here; side slip and lever arm make a few degrees.
    assert np.abs(np.degrees(wrap_angle(middle_yaw_rad - course_rad))).max() < 7
    assert np.degrees(np.ptp(np.unwrap(poses.yaws_rad))) > 165


def test_oxford_yaw_runs_clockwise_from_north(tmp_path: Path) -> None:
    path = tmp_path / 'ins.csv'
    rows = ['1547131046353776', '1547131046363776', '1547131046373776']
    yaws = [0.0, np.pi / 2, np.pi]  # north, east, south
    lines = [
        f'{stamp},INS_SOLUTION_GOOD,51,-1,100,5735000.5,620000.25,-110,30U,0,0,0,0,0,{yaw}'
        for stamp, yaw in zip(rows, yaws, strict=True)
    ]
    path.write_text('\n'.join([OXFORD_HEADER, *lines]))
    poses = read_oxford_poses(path)
    assert poses.stamps_ns[0] == 1547131046353776000
    assert poses.positions_m[0].tolist() == [620000.25, 5735000.5, 110]
    np.testing.assert_allclose(np.degrees(poses.yaws_rad), [90, 0, -90], atol=1e-9)


def test_a_mulran_radar_sits_one_and_a_half_metres_ahead(tmp_path: Path) -> None:
    path = tmp_path / 'global_pose.csv'
    # The base at (100, 200, 10) looks along +y.
    path.write_text('1564718976161407002,0,-1,0,100,1,0,0,200,0,0,1,10\n')
    poses = read_mulran_poses(path)
    np.testing.assert_allclose(poses.positions_m, [[100.04, 201.5, 11.97]])
    np.testing.assert_allclose(np.degrees(poses.yaws_rad), [90.9])


@pytest.mark.parametrize('seed', range(8))
def test_any_rotation_survives_the_matrix(tmp_path: Path, seed: int) -> None:
    rng = np.random.default_rng(seed)
    q, r = np.linalg.qr(rng.normal(size=(3, 3)))
    rotation = q * np.sign(np.diag(r))
    rotation *= np.sign(np.linalg.det(rotation))
    matrix = np.column_stack([rotation, np.zeros(3)])
    path = tmp_path / 'global_pose.csv'
    path.write_text('1564718976161407002,' + ','.join(map(repr, matrix.ravel().tolist())))
    x, y, z, w = read_mulran_poses(path).quaternions_xyzw[0]
    angle = np.radians(0.9)
    mounted = rotation @ [
        [np.cos(angle), -np.sin(angle), 0],
        [np.sin(angle), np.cos(angle), 0],
        [0, 0, 1],
    ]
    back = [
        [1 - 2 * (y * y + z * z), 2 * (x * y - w * z), 2 * (x * z + w * y)],
        [2 * (x * y + w * z), 1 - 2 * (x * x + z * z), 2 * (y * z - w * x)],
        [2 * (x * z - w * y), 2 * (y * z + w * x), 1 - 2 * (x * x + y * y)],
    ]
    np.testing.assert_allclose(back, mounted, atol=1e-12)


def test_stamps_keep_every_nanosecond(tmp_path: Path) -> None:
    path = tmp_path / 'gt.txt'
    path.write_text('1700000000123456789 1 2 3 0 0 0 1\n1700000000123456790 1 2 3 0 0 0 1\n')
    stamps_ns = read_hercules_poses(path).stamps_ns.tolist()
    assert stamps_ns == [1700000000123456789, 1700000000123456790]


def test_poses_are_sorted_and_the_first_of_a_time_stays(tmp_path: Path) -> None:
    path = tmp_path / 'gt.txt'
    path.write_text('3 30 0 0 0 0 0 1\n1 10 0 0 0 0 0 1\n3 99 0 0 0 0 0 1\n')
    poses = read_hercules_poses(path)
    assert poses.stamps_ns.tolist() == [1, 3]
    assert poses.positions_m[:, 0].tolist() == [10, 30]


def test_quaternions_are_made_unit(tmp_path: Path) -> None:
    path = tmp_path / 'gt.txt'
    path.write_text('1 0 0 0 0 0 2 2\n')
    poses = read_hercules_poses(path)
    assert np.degrees(yaw_from_quaternion(poses.quaternions_xyzw)).tolist() == pytest.approx([90])
    assert np.linalg.norm(poses.quaternions_xyzw) == pytest.approx(1)


def test_an_empty_file_has_no_poses(tmp_path: Path) -> None:
    (tmp_path / 'gt.txt').write_text('')
    assert len(read_hercules_poses(tmp_path / 'gt.txt')) == 0
    write_hercules_poses(tmp_path / 'out.txt', empty_trajectory())
    assert (tmp_path / 'out.txt').read_text() == ''


def test_interpolation_leaves_out_what_lies_outside_or_in_a_gap() -> None:
    second = 1_000_000_000
    stamps_ns = np.array([10, 11, 20, 21]) * second
    positions_m = np.outer([0, 1, 10, 11], [1.0, 0, 0])
    trajectory = Trajectory(stamps_ns, positions_m, np.tile([0, 0, 0, 1.0], (4, 1)))
    wanted = np.array([9.9, 10, 10.25, 15, 20.5, 21.1]) * second
    poses = poses_at(trajectory, wanted.astype(np.int64))
    np.testing.assert_allclose(poses.positions_m[:, 0], [0, 0.25, 10.5])
    assert len(poses_at(empty_trajectory(), stamps_ns)) == 0


def test_nothing_is_interpolated_across_lost_poses_even_close_to_one() -> None:
    second = 1_000_000_000
    stamps_ns = np.array([0, 1, 2, 12, 13]) * second
    positions_m = np.outer([0, 1, 2, 1000, 1001], [1.0, 0, 0])
    trajectory = Trajectory(stamps_ns, positions_m, np.tile([0, 0, 0, 1.0], (5, 1)))
    wanted = (np.array([1.75, 2, 2.1, 11.9, 12, 12.5]) * second).astype(np.int64)
    assert poses_at(trajectory, wanted).positions_m[:, 0].tolist() == [1.75, 2, 1000, 1000.5]


def test_a_pose_whose_time_was_rounded_counts_for_its_scan() -> None:
    """TUM files of keyframes: seconds with six decimals, gaps of any length."""
    stamps_ns = np.array([1_700_000_000_123_456_000, 1_700_000_009_123_456_000])
    poses = Trajectory(
        stamps_ns, np.array([[1.0, 0, 0], [2, 0, 0]]), np.tile([0, 0, 0, 1.0], (2, 1))
    )
    scans_ns = stamps_ns + np.array([-789, 789])
    found = poses_at(poses, scans_ns)
    assert (found.stamps_ns.tolist(), found.positions_m[:, 0].tolist()) == (
        scans_ns.tolist(),
        [1, 2],
    )
    assert len(poses_at(poses.select(np.array([0])), scans_ns)) == 1


def test_poses_in_disorder_are_told(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    path = tmp_path / 'gt.txt'
    path.write_text('# by hand\n3000000000 3 0 0 0 0 0 1\n500000000 1 0 0 0 0 0 1\n'
                    '3000000000 3 0 0 0 0 0 1\n3000000000 4 0 0 0 0 0 1\n')  # fmt: skip
    assert read_hercules_poses(path).positions_m[:, 0].tolist() == [1, 3]
    assert [record.getMessage() for record in caplog.records] == [
        f'{path}: left out 1 of 3 poses: 1 at the stamp of another, at 3.000 s; '
        'put 1 poses into order, up to 2.500 s late'
    ]


@pytest.mark.parametrize(
    ('read', 'text', 'expected'),
    [
        (
            read_boreas_poses,
            'GPSTime,easting,northing\n1,2,3\n',
            r"no column .*'altitude', 'headi",
        ),
        (read_oxford_poses, 'a,b\n1,2\n', r"no column .*'timestamp'.*header is \['a', 'b'\]"),
        (read_boreas_poses, 'GPSTime,easting,northing,altitude,heading\n12,1,1,1,0\n', 'no pose'),
        (read_mulran_poses, '1564718976161407002,1,2,3\n', 'holds no pose: expected lines of sta'),
        (read_mulran_poses, '1,2,0,0,0,0,2,0,0,0,0,2,0\n', 'holds no pose'),  # not a rotation
        (read_hercules_poses, '1700000000.5 1 2 3 0 0 0 1\n', 'holds no pose'),
        (read_hercules_poses, '-5 1 2 3 0 0 0 1\n', 'holds no pose'),
        (read_hercules_poses, '99999999999999999999 1 2 3 0 0 0 1\n', 'holds no pose'),
    ],
)
def test_a_file_without_poses_is_refused(
    tmp_path: Path, read: Callable[[Path], Trajectory], text: str, expected: str
) -> None:
    path = tmp_path / 'poses'
    path.write_text(text)
    with pytest.raises(ValueError, match=expected):
        read(path)


def test_binary_rubbish_is_refused(tmp_path: Path) -> None:
    path = tmp_path / 'gt.txt'
    path.write_bytes(np.random.default_rng(0).bytes(1000))
    with pytest.raises(ValueError, match='holds no pose'):
        read_hercules_poses(path)
