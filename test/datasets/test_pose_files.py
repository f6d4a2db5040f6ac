# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Check that one function reads the pose files that users have, and says what they were."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from ssd_ros.datasets.pose_files import read_poses
from ssd_ros.datasets.poses import write_hercules_poses
from ssd_ros.motion.trajectory import quaternion_from_yaw, Trajectory

SECOND = 10**9
START_NS = 1_700_000_000_123_456_789
STAMPS_NS = START_NS + SECOND * np.arange(4)
# To the east, turning left by 30 degrees a second.
POSES = Trajectory(
    STAMPS_NS,
    np.outer(np.arange(4.0), [10.0, 2.0, 0.5]),
    quaternion_from_yaw(np.radians(30.0) * np.arange(4)),
)


def matrices() -> list[str]:
    lines = []
    for position, yaw in zip(POSES.positions_m, POSES.yaws_rad, strict=True):
        cos, sin = np.cos(yaw), np.sin(yaw)
        rows = [[cos, -sin, 0, position[0]], [sin, cos, 0, position[1]], [0, 0, 1, position[2]]]
        lines.append(' '.join(f'{value:.18e}' for row in rows for value in row))
    return lines


def rows(stamps: list[str], separator: str = ' ', w_first: bool = False) -> list[str]:
    lines = []
    for stamp, position, quaternion in zip(
        stamps, POSES.positions_m, POSES.quaternions_xyzw, strict=True
    ):
        turned = np.roll(quaternion, 1) if w_first else quaternion
        lines.append(separator.join([stamp, *map(repr, [*map(float, [*position, *turned])])]))
    return lines


def seconds(stamp_ns: int) -> str:
    return f'{stamp_ns // SECOND}.{stamp_ns % SECOND:09d}'


DIGITS = [str(stamp) for stamp in STAMPS_NS]
SECONDS = [seconds(stamp) for stamp in STAMPS_NS.tolist()]
FLOAT_NS = [f'{float(stamp):.18e}' for stamp in STAMPS_NS]
FLOAT_SECONDS = [f'{stamp / 1e9:.18e}' for stamp in STAMPS_NS]
NAMED = 'timestamp,x,y,z,qx,qy,qz,qw'
ROSTOPIC = '%time,field.header.stamp,field.pose.position.x,field.pose.position.y,' + ','.join(
    ['field.pose.position.z', *(f'field.pose.orientation.{axis}' for axis in 'xyzw')]
)
EUROC = (
    '#timestamp, p_RS_R_x [m], p_RS_R_y [m], p_RS_R_z [m], q_RS_w [], q_RS_x [], q_RS_y [], '
    'q_RS_z []'
)


@pytest.mark.parametrize(
    ('lines', 'form', 'off_ns'),
    [
        (rows(DIGITS), 'stamp x y z qx qy qz qw, nanoseconds', 0),
        (rows(SECONDS), 'stamp x y z qx qy qz qw, seconds', 0),
        (['# timestamp tx ty tz qx qy qz qw', *rows(SECONDS)], 'named columns, seconds', 0),
        (['', '# a comment', *rows(SECONDS, ', ')], 'stamp x y z qx qy qz qw, seconds', 0),
        # A float64 of 1.7e18 is a multiple of 256.
        (rows(FLOAT_NS), 'stamp x y z qx qy qz qw, nanoseconds', 128),
        (rows(FLOAT_SECONDS), 'stamp x y z qx qy qz qw, seconds', 128),
        (rows([stamp[:16] for stamp in DIGITS]), 'stamp x y z qx qy qz qw, microseconds', 789),
        ([NAMED, *rows(SECONDS, ',')], 'named columns, seconds', 0),
        (
            ['#timestamp x y z qx qy qz qw id', *(f'{line} 7' for line in rows(SECONDS))],
            'named columns, seconds',
            0,
        ),
        ([EUROC, *rows(DIGITS, ',', w_first=True)], 'named columns, nanoseconds', 0),
        (
            [ROSTOPIC, *(line.replace(',', ',0,', 1) for line in rows(DIGITS, ','))],
            'named columns, nanoseconds',
            0,
        ),
        (
            [f'{stamp} {line}' for stamp, line in zip(DIGITS, matrices(), strict=True)],
            'stamp and 3x4 matrix, nanoseconds',
            0,
        ),
        (matrices(), '3x4 matrices, one for each scan', 0),
    ],
)
def test_each_form_gives_the_same_poses(
    tmp_path: Path, lines: list[str], form: str, off_ns: int
) -> None:
    path = tmp_path / 'poses.txt'
    path.write_text('\n'.join(lines), encoding='utf-8-sig')
    file = read_poses(path, STAMPS_NS)
    assert file.form == form
    assert np.abs(file.poses.stamps_ns - STAMPS_NS).max() <= off_ns
    np.testing.assert_allclose(file.poses.positions_m, POSES.positions_m, atol=1e-12)
    np.testing.assert_allclose(file.poses.yaws_rad, POSES.yaws_rad, atol=1e-12)


def test_our_own_lines_come_back_to_the_last_bit(tmp_path: Path) -> None:
    write_hercules_poses(tmp_path / 'poses.txt', POSES)
    poses = read_poses(tmp_path / 'poses.txt', STAMPS_NS).poses
    assert poses.stamps_ns.tolist() == STAMPS_NS.tolist()
    assert poses.positions_m.tolist() == POSES.positions_m.tolist()


@pytest.mark.parametrize('unit', [1, SECOND])
def test_in_simulated_time_the_drive_tells_the_unit(tmp_path: Path, unit: int) -> None:
    """Of `100000000` nobody knows whether it is a tenth of a second or the year 1973."""
    stamps_ns = np.arange(1, 5) * SECOND // 10
    path = tmp_path / 'poses.txt'
    path.write_text('\n'.join(rows([repr(float(stamp) / unit) for stamp in stamps_ns])))
    assert read_poses(path, stamps_ns).poses.stamps_ns.tolist() == stamps_ns.tolist()


@pytest.mark.parametrize('name', ['times.txt', 'poses_times.txt'])
def test_matrices_take_their_times_from_the_file_beside(tmp_path: Path, name: str) -> None:
    path = tmp_path / 'poses.txt'
    path.write_text('\n'.join(matrices()))
    (tmp_path / name).write_text('\n'.join(SECONDS))
    file = read_poses(path, STAMPS_NS[:2], STAMPS_NS[1:])
    assert file.form == f'3x4 matrices, seconds of {name}'
    assert file.poses.stamps_ns.tolist() == STAMPS_NS.tolist()
    (tmp_path / name).write_text('\n'.join(SECONDS[:3]))
    with pytest.raises(ValueError, match=f'{name} has 3 lines, .*poses.txt 4'):
        read_poses(path, STAMPS_NS)


def test_what_is_no_pose_is_left_out_and_told_once(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    lost, broken = '0 0 0 0 0 0 0', '1 2'
    lines = rows(DIGITS)
    stamps = [str(START_NS + SECOND * k // 2) for k in (1, 3, 5)]
    far = f'{stamps[1]} 1e9 0 0 0 0 0 1'
    lines[2:2] = [f'{stamps[0]} {lost}', broken, far, f'{stamps[2]} nan 0 0 0 0 0 1']
    path = tmp_path / 'poses.txt'
    path.write_text('\n'.join(lines))
    assert read_poses(path, STAMPS_NS).poses.stamps_ns.tolist() == STAMPS_NS.tolist()
    assert [record.getMessage() for record in caplog.records] == [
        f'{path}: left out 4 of 8 poses: 1 null (quaternion 0), 1 broken lines, 1 beyond 1e+08 m, '
        '1 not finite, from 1700000000.623 to 1700000002.623 s'
    ]


@pytest.mark.parametrize(
    ('lines', 'expected'),
    [
        ([], 'holds no pose: expected lines of stamp x y z'),
        (['a b c'], 'holds no pose: expected'),
        (['1 2 3 4'], 'has lines of 4 words: expected'),
        (['5 0 0 0 0 0 0 1'], 'has poses from 5 to 5, in no unit within the time of the drive'),
        (['-5 0 0 0 0 0 0 1'], 'in no unit within'),
        (['1e999999999 0 0 0 0 0 0 1'], 'holds no pose'),
        (rows(DIGITS) and [f'{DIGITS[0]} 0 0 0 0 0 0 0'], r'no pose, but 1 null \(quaternion 0'),
        (matrices()[:3], 'has 3 poses without times and the drive 4 scans: put a file times.txt'),
        (['sec,nanosec,x,y,z,qx,qy,qz,qw', '1,2,0,0,0,0,0,0,1'], 'time stands in two columns'),
    ],
)
def test_what_cannot_be_read_is_refused_by_name(
    tmp_path: Path, lines: list[str], expected: str
) -> None:
    path = tmp_path / 'poses.txt'
    path.write_text('\n'.join(lines))
    with pytest.raises(ValueError, match=expected):
        read_poses(path, STAMPS_NS)


def test_matrices_that_fit_two_sensors_need_times(tmp_path: Path) -> None:
    path = tmp_path / 'poses.txt'
    path.write_text('\n'.join(matrices()))
    with pytest.raises(ValueError, match='4 poses without times and the drive 4 and 4 scans'):
        read_poses(path, STAMPS_NS, STAMPS_NS + 5)


def test_binary_rubbish_is_refused(tmp_path: Path) -> None:
    path = tmp_path / 'poses.txt'
    path.write_bytes(np.random.default_rng(0).bytes(1000))
    with pytest.raises(ValueError, match=r'holds no pose|words'):
        read_poses(path, STAMPS_NS)
