# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Pose files of the data sets, read into trajectories of the radar in a map frame."""

from __future__ import annotations

from collections.abc import Callable, Iterator
import math
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from ssd_ros.datasets.pose_sieve import PoseSieve
from ssd_ros.datasets.stamped_files import stamp_ns_from_digits
from ssd_ros.motion.steps import implausible_steps
from ssd_ros.motion.trajectory import quaternion_from_yaw, Trajectory

# Stamp in nanoseconds, x, y, z, qx, qy, qz, qw.
Pose = tuple[int, list[float]]

# Poses further apart say nothing about what lies between; those of 1 Hz jitter.
_MAX_GAP_NS = 1_500_000_000
_MAX_ROUNDING_NS = 1_000_000

# The mounting that the radar odometry ORORA uses for MulRan.
_MULRAN_RADAR_IN_BASE_M = np.array([1.50, -0.04, 1.97])
_MULRAN_RADAR_YAW_RAD = math.radians(0.9)


def empty_trajectory() -> Trajectory:
    """Return a trajectory without poses."""
    return Trajectory(np.empty(0, np.int64), np.empty((0, 3)), np.empty((0, 4)))


def poses_at(trajectory: Trajectory, stamps_ns: NDArray[np.int64]) -> Trajectory:
    """
    Interpolate the poses at the stamps of a sensor.

    Stamps before the first or after the last pose, or between two that are far apart in time or
    farther than a vehicle goes, get none.

    :param stamps_ns: shape (N,) int64, ascending
    """
    if not len(trajectory):
        return trajectory
    known_ns, newest = trajectory.stamps_ns, len(trajectory) - 1
    right = np.searchsorted(known_ns, stamps_ns)
    gaps_ns = known_ns[np.minimum(right, newest)] - known_ns[np.maximum(right - 1, 0)]
    is_between = (right > 0) & (right <= newest) & (gaps_ns <= _MAX_GAP_NS)
    is_between[is_between] = ~implausible_steps(trajectory)[right[is_between] - 1]
    # What cannot be interpolated may still be a pose itself whose time was rounded in a file.
    index, is_posed = trajectory.nearest(stamps_ns, _MAX_ROUNDING_NS)
    is_posed |= is_between
    positions_m, quaternions = trajectory.positions_m[index], trajectory.quaternions_xyzw[index]
    between = trajectory.interpolate(stamps_ns[is_between])
    positions_m[is_between] = between.positions_m
    quaternions[is_between] = between.quaternions_xyzw
    return Trajectory(stamps_ns[is_posed], positions_m[is_posed], quaternions[is_posed])


def read_hercules_poses(path: Path) -> Trajectory:
    """
    Read lines `stamp_ns x y z qx qy qz qw` (HeRCULES ground truth).

    Lines that are broken, as the last one often is, and poses that are none are left out with
    one warning, as in all files here.
    """
    return _read(path, 'stamp_ns x y z qx qy qz qw', _hercules_pose)


def write_hercules_poses(path: Path, poses: Trajectory) -> None:
    """Write the lines that `read_hercules_poses` reads, to the last bit."""
    rows = np.column_stack([poses.positions_m, poses.quaternions_xyzw]).tolist()
    lines = (
        f'{stamp} {" ".join(map(repr, row))}\n'
        for stamp, row in zip(poses.stamps_ns.tolist(), rows, strict=True)
    )
    path.write_text(''.join(lines))


def read_mulran_poses(path: Path) -> Trajectory:
    """
    Read lines `stamp,` + row-major 3x4 pose (MulRan global_pose.csv), in UTM metres.

    The file gives the pose of the vehicle; the radar's follows from its mounting.
    """
    return _read(path, 'stamp_ns and 12 values of a 3x4 pose', _mulran_pose)


def read_oxford_poses(path: Path) -> Trajectory:
    """
    Read gps/ins.csv of Oxford Radar RobotCar: x east, y north, z up in UTM metres.

    Its yaw is the heading, clockwise from north; roll and pitch are left out.
    """
    columns = ['timestamp', 'easting', 'northing', 'down', 'yaw']
    return read_table(path, columns, _oxford_pose)


def read_boreas_poses(path: Path) -> Trajectory:
    """
    Read applanix/radar_poses.csv of Boreas: x east, y north, z up in UTM metres.

    The frame of the file has x forward and z down (roll is about pi), and its heading is, unlike
    the word says, counter-clockwise from east: in two sessions it agrees with the direction of
    motion within 0.3 degrees in the median. So heading is yaw; roll and pitch are left out.
    """
    columns = ['GPSTime', 'easting', 'northing', 'altitude', 'heading']
    return read_table(path, columns, _boreas_pose)


def _hercules_pose(words: list[str]) -> Pose:
    _require(len(words) == 8)
    return int(words[0]), [float(word) for word in words[1:]]


def _mulran_pose(words: list[str]) -> Pose:
    _require(len(words) == 13)
    T_map_base = np.array([float(word) for word in words[1:]]).reshape(3, 4)
    rotation = T_map_base[:, :3]
    _require(bool(np.allclose(rotation @ rotation.T, np.eye(3), atol=1e-3)))
    position = rotation @ _MULRAN_RADAR_IN_BASE_M + T_map_base[:, 3]
    cos, sin = math.cos(_MULRAN_RADAR_YAW_RAD), math.sin(_MULRAN_RADAR_YAW_RAD)
    rotation = rotation @ np.array([[cos, -sin, 0], [sin, cos, 0], [0, 0, 1]])
    return int(words[0]), [*position, *quaternion_from_matrix(rotation)]


def _oxford_pose(words: list[str]) -> Pose:
    stamp, east, north, down, heading = int(words[0]), *map(float, words[1:])
    yaw = math.pi / 2 - heading
    return stamp, [east, north, -down, *quaternion_from_yaw(yaw)]


def _boreas_pose(words: list[str]) -> Pose:
    stamp, east, north, up, heading = int(words[0]), *map(float, words[1:])
    return stamp, [east, north, up, *quaternion_from_yaw(heading)]


def _require(condition: bool) -> None:
    if not condition:
        raise ValueError('broken line')


def quaternion_from_matrix(rotation: NDArray[np.float64]) -> list[float]:
    """Return x, y, z, w; from the largest of the four, so that the division is well behaved."""
    m = rotation
    squares = np.array(
        [
            1 + m[0, 0] - m[1, 1] - m[2, 2],
            1 - m[0, 0] + m[1, 1] - m[2, 2],
            1 - m[0, 0] - m[1, 1] + m[2, 2],
            1 + m[0, 0] + m[1, 1] + m[2, 2],
        ]
    )
    products = {
        (0, 1): m[1, 0] + m[0, 1],
        (0, 2): m[0, 2] + m[2, 0],
        (1, 2): m[2, 1] + m[1, 2],
        (0, 3): m[2, 1] - m[1, 2],
        (1, 3): m[0, 2] - m[2, 0],
        (2, 3): m[1, 0] - m[0, 1],
    }
    largest = int(np.argmax(squares))
    quaternion = [
        squares[i] if i == largest else products[min(i, largest), max(i, largest)]
        for i in range(4)
    ]
    norm = math.sqrt(sum(value * value for value in quaternion))
    return [float(value / norm) for value in quaternion]


def read_table(
    path: Path, columns: list[str], pose_from: Callable[[list[str]], Pose]
) -> Trajectory:
    """Read a CSV with a header line by the names of its columns."""
    with path.open(encoding='utf-8', errors='replace') as file:
        header = [name.strip() for name in file.readline().split(',')]
    if missing := [name for name in columns if name not in header]:
        raise ValueError(f'{path} has no column {missing}: its header is {header}')
    places = [header.index(name) for name in columns]

    def chosen(words: list[str]) -> Pose:
        _require(len(words) == len(header))
        stamp, values = pose_from([words[place] for place in places])
        return stamp_ns_from_digits(stamp), values

    return _read(path, ','.join(columns), chosen, num_header_lines=1)


def _read(
    path: Path, expected: str, pose_from: Callable[[list[str]], Pose], num_header_lines: int = 0
) -> Trajectory:
    sieve = PoseSieve(str(path))
    for words in _lines_of_words(path, num_header_lines):
        try:
            with np.errstate(all='ignore'):
                stamp_ns, values = pose_from(words)
        except ValueError:
            sieve.leave_out('broken lines')
        else:
            sieve.add(stamp_ns, values)
    if sieve.faults and not len(sieve):
        raise ValueError(f'{path} holds no pose: expected lines of {expected}, {sieve.faults}')
    return sieve.trajectory()


def _lines_of_words(path: Path, num_header_lines: int) -> Iterator[list[str]]:
    with path.open(encoding='utf-8-sig', errors='replace') as file:
        for number, line in enumerate(file):
            words = line.replace(',', ' ').split()
            if number >= num_header_lines and words and not words[0].startswith('#'):
                yield words
