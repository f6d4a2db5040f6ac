# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""
Where a sensor was and when: stamped poses in a map frame.

`T_a_b` is the pose of b in a: `p_a = T_a_b @ p_b`. Quaternions are stored x, y, z, w as in ROS.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

END_OF_STAMPS_NS = (1 << 31) * 1_000_000_000  # seconds of ROS messages have 31 bits
POSE_TOLERANCE_NS = 5_000_000  # a pose so near in time is that of a scan


@dataclass(frozen=True, slots=True)
class Trajectory:
    """
    Poses of one sensor in the map frame, in order of time.

    :param stamps_ns: shape (N,) int64, strictly ascending
    :param positions_m: shape (N, 3) float64, map frame
    :param quaternions_xyzw: shape (N, 4) float64, unit length, rotation map <- sensor
    """

    stamps_ns: NDArray[np.int64]
    positions_m: NDArray[np.float64]
    quaternions_xyzw: NDArray[np.float64]

    def __post_init__(self) -> None:
        num_poses = len(self.stamps_ns)
        if self.stamps_ns.dtype != np.int64:
            raise ValueError(f'stamps_ns has type {self.stamps_ns.dtype}, expected int64')
        if self.positions_m.shape != (num_poses, 3):
            raise ValueError(
                f'positions_m has shape {self.positions_m.shape}, expected ({num_poses}, 3)'
            )
        if self.quaternions_xyzw.shape != (num_poses, 4):
            raise ValueError(
                f'quaternions_xyzw has shape {self.quaternions_xyzw.shape}, '
                f'expected ({num_poses}, 4)'
            )
        if (np.diff(self.stamps_ns) <= 0).any():
            raise ValueError('stamps_ns is not strictly ascending: sort the poses by stamp first')

    def __len__(self) -> int:
        return len(self.stamps_ns)

    @property
    def yaws_rad(self) -> NDArray[np.float64]:
        """Heading of +x in the map, counter-clockwise from map x, shape (N,)."""
        return yaw_from_quaternion(self.quaternions_xyzw)

    def nearest(
        self, stamps_ns: NDArray[np.int64], tolerance_ns: int
    ) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
        """
        Find the pose nearest in time to each stamp.

        :param stamps_ns: shape (M,) int64
        :return: index of the nearest pose and whether it lies within the tolerance, shapes (M,)
        """
        stamps_ns = np.asarray(stamps_ns, dtype=np.int64)
        if len(self) == 0:
            return np.zeros(len(stamps_ns), np.int64), np.zeros(len(stamps_ns), bool)
        right = np.clip(np.searchsorted(self.stamps_ns, stamps_ns), 0, len(self) - 1)
        left = np.maximum(right - 1, 0)
        left_is_nearer = np.abs(stamps_ns - self.stamps_ns[left]) <= np.abs(
            self.stamps_ns[right] - stamps_ns
        )
        index = np.where(left_is_nearer, left, right)
        return index, np.abs(self.stamps_ns[index] - stamps_ns) <= tolerance_ns

    def interpolate(self, stamps_ns: NDArray[np.int64]) -> Trajectory:
        """
        Return the poses at other stamps: linear in position, normalised-linear in rotation.

        :param stamps_ns: shape (M,) int64, ascending, within the span of the trajectory
        :raise ValueError: a stamp lies outside the span
        """
        stamps_ns = np.asarray(stamps_ns, dtype=np.int64)
        outside = (stamps_ns < self.stamps_ns[0]) | (stamps_ns > self.stamps_ns[-1])
        if outside.any():
            raise ValueError(
                f'stamp {stamps_ns[outside][0]} ns lies outside the trajectory '
                f'{self.stamps_ns[0]} .. {self.stamps_ns[-1]} ns'
            )
        right = np.clip(np.searchsorted(self.stamps_ns, stamps_ns), 1, len(self) - 1)
        left = right - 1
        span = (self.stamps_ns[right] - self.stamps_ns[left]).astype(np.float64)
        weight = ((stamps_ns - self.stamps_ns[left]) / span)[:, None]
        before, after = self.quaternions_xyzw[left], self.quaternions_xyzw[right]
        # q and -q are the same rotation: take the short way round.
        after = np.where((before * after).sum(axis=1, keepdims=True) < 0, -after, after)
        mixed = (1 - weight) * before + weight * after
        positions_m = (1 - weight) * self.positions_m[left] + weight * self.positions_m[right]
        quaternions = mixed / np.linalg.norm(mixed, axis=1, keepdims=True)
        return Trajectory(stamps_ns, positions_m, quaternions)

    def at(
        self, stamps_ns: NDArray[np.int64], tolerance_ns: int = POSE_TOLERANCE_NS
    ) -> tuple[NDArray[np.int64], Trajectory]:
        """
        Return the stamps that have a pose near in time, and the poses under those stamps.

        :param stamps_ns: shape (M,) int64, ascending
        :return: indices of the stamps that have a pose, and one pose for each
        """
        nearest, is_near = self.nearest(stamps_ns, tolerance_ns)
        posed, nearest = np.flatnonzero(is_near), nearest[is_near]
        positions_m, quaternions = self.positions_m[nearest], self.quaternions_xyzw[nearest]
        return posed, Trajectory(stamps_ns[posed], positions_m, quaternions)

    def select(self, index: NDArray[np.int64] | NDArray[np.bool_]) -> Trajectory:
        """Return the chosen poses."""
        return Trajectory(
            self.stamps_ns[index], self.positions_m[index], self.quaternions_xyzw[index]
        )


def in_lanes(poses: Trajectory, to_left_m: float) -> Trajectory:
    """
    Return each pose and, 1 ns later, the one beside it, turned as it is.

    :param to_left_m: in the map's plane
    """
    yaws_rad = poses.yaws_rad
    to_left = np.column_stack([-np.sin(yaws_rad), np.cos(yaws_rad), np.zeros(len(poses))])
    pairs_m = np.stack([poses.positions_m, poses.positions_m + to_left_m * to_left], axis=1)
    stamps_ns = np.repeat(poses.stamps_ns, 2)
    stamps_ns[1::2] += 1
    return Trajectory(
        stamps_ns, pairs_m.reshape(-1, 3), np.repeat(poses.quaternions_xyzw, 2, axis=0)
    )


def mounted(
    poses: Trajectory, position_m: NDArray[np.float64], quaternion_xyzw: NDArray[np.float64]
) -> Trajectory:
    """
    Return the poses of a sensor from those of what carries it.

    :param position_m: shape (3,), of the sensor in the frame that the poses are of
    :param quaternion_xyzw: shape (4,), unit length, likewise
    """
    turns = poses.quaternions_xyzw
    vector = np.append(position_m, 0.0)  # as a quaternion
    inverse = turns * (-1.0, -1.0, -1.0, 1.0)
    arms_m = _products(_products(turns, vector), inverse)[:, :3]
    return Trajectory(
        poses.stamps_ns, poses.positions_m + arms_m, _products(turns, quaternion_xyzw)
    )


def turned(poses: Trajectory, angle_rad: float) -> Trajectory:
    """Return the same positions, each rotation turned counter-clockwise about the map's z."""
    turns = _products(quaternion_from_yaw(angle_rad), poses.quaternions_xyzw)
    return Trajectory(poses.stamps_ns, poses.positions_m, turns)


def thin_by_distance(positions_m: NDArray[np.float64], spacing_m: float) -> NDArray[np.int64]:
    """
    Return the indices of positions at least spacing_m (in xy) from the last one kept.

    :param positions_m: shape (N, 2) or (N, 3), in order of time
    :param spacing_m: 0 keeps all
    """
    kept: list[int] = []
    last = np.full(2, np.inf)
    for index, position in enumerate(positions_m[:, :2]):
        if not kept or np.hypot(*(position - last)) >= spacing_m:
            kept.append(index)
            last = position
    return np.array(kept, dtype=np.int64)


def yaw_from_quaternion(quaternions_xyzw: NDArray[np.float64]) -> NDArray[np.float64]:
    """
    Return the rotation about z in radians, in (-pi, pi].

    :param quaternions_xyzw: shape (..., 4)
    """
    x, y, z, w = (np.asarray(quaternions_xyzw)[..., axis] for axis in range(4))
    return np.arctan2(2 * (w * z + x * y), 1 - 2 * (y * y + z * z))


def quaternion_from_yaw(yaw_rad: NDArray[np.float64] | float) -> NDArray[np.float64]:
    """
    Return the quaternion of a rotation about z.

    :return: shape (..., 4): x, y, z, w
    """
    half = np.asarray(yaw_rad, dtype=np.float64) / 2
    zero = np.zeros_like(half)
    return np.stack([zero, zero, np.sin(half), np.cos(half)], axis=-1)


def wrap_angle(angle_rad: NDArray[np.float64] | float) -> NDArray[np.float64]:
    """Return the same angle in (-pi, pi]."""
    return np.asarray(np.pi - np.mod(np.pi - np.asarray(angle_rad), 2 * np.pi))


def _products(a: NDArray[np.float64], b: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the quaternion products, shape (..., 4)."""
    x, y, z, w = np.moveaxis(a, -1, 0)
    i, j, k, r = np.moveaxis(b, -1, 0)
    return np.stack(
        [
            w * i + x * r + y * k - z * j,
            w * j - x * k + y * r + z * i,
            w * k + x * j - y * i + z * r,
            w * r - x * i - y * j - z * k,
        ],
        axis=-1,
    )
