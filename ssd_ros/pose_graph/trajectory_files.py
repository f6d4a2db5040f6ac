# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Trajectories as text in the TUM format, which evo and others read, and how far two differ."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from ssd_ros.motion.trajectory import Trajectory
from ssd_ros.targets import GENERATOR, write_file


def write_tum(path: Path, trajectory: Trajectory) -> None:
    """
    Write a line `seconds x y z qx qy qz qw` for each pose; seconds have nine decimals.

    The format has comments, which say here who made the file.
    """
    lines = [f'# {GENERATOR}']
    lines += [
        f'{stamp_ns // 10**9}.{stamp_ns % 10**9:09d} '
        + ' '.join(f'{value:.6f}' for value in (*position, *quaternion))
        for stamp_ns, position, quaternion in zip(
            trajectory.stamps_ns.tolist(),
            trajectory.positions_m.tolist(),
            trajectory.quaternions_xyzw.tolist(),
            strict=True,
        )
    ]
    write_file(path, ''.join(line + '\n' for line in lines).encode())


def read_tum(path: Path) -> Trajectory:
    """
    Read a file of `write_tum`.

    :raise ValueError: a line has another form
    """
    stamps_ns, rows = [], []
    for number, line in enumerate(path.read_text().splitlines(), start=1):
        if line.startswith('#'):
            continue
        stamp, *values = line.split()
        seconds, _, decimals = stamp.partition('.')
        if len(values) != 7:
            raise ValueError(f'{path}:{number} has {len(values) + 1} numbers, expected 8')
        stamps_ns.append(int(seconds) * 10**9 + int(decimals.ljust(9, '0')))
        rows.append([float(value) for value in values])
    poses = np.array(rows).reshape(-1, 7)
    return Trajectory(np.array(stamps_ns, dtype=np.int64), poses[:, :3], poses[:, 3:])


def aligned(estimate_m: NDArray[np.float64], truth_m: NDArray[np.float64]) -> NDArray[np.float64]:
    """
    Turn and shift an estimate in the plane so that it lies on the truth as well as it can.

    :param estimate_m: shape (N, 2), N >= 2
    :param truth_m: shape (N, 2), where it was at the same times
    :return: shape (N, 2)
    """
    if estimate_m.shape != truth_m.shape or len(estimate_m) < 2:
        raise ValueError(
            f'shapes are {estimate_m.shape} and {truth_m.shape}, expected (N, 2) twice, N >= 2'
        )
    estimate_centre_m, truth_centre_m = estimate_m.mean(axis=0), truth_m.mean(axis=0)
    estimate, truth = estimate_m - estimate_centre_m, truth_m - truth_centre_m
    # Least squares for one angle: Kabsch in two dimensions.
    along = (estimate * truth).sum()
    across = (estimate[:, 0] * truth[:, 1] - estimate[:, 1] * truth[:, 0]).sum()
    angle_rad = np.arctan2(across, along)
    cos, sin = np.cos(angle_rad), np.sin(angle_rad)
    return estimate @ np.array([[cos, sin], [-sin, cos]]) + truth_centre_m


def absolute_trajectory_error_m(
    estimate_m: NDArray[np.float64], truth_m: NDArray[np.float64]
) -> float:
    """Return the root mean square distance after alignment in the plane; shapes (N, 2)."""
    errors_m = aligned(estimate_m, truth_m) - truth_m
    return float(np.sqrt((errors_m**2).sum(axis=1).mean()))
