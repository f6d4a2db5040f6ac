# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Heading from the direction of motion, for files whose own heading cannot be trusted."""

from __future__ import annotations

import numpy as np
from ssd_ros.motion.trajectory import quaternion_from_yaw, Trajectory

# Shorter chords show the noise of the positions, longer ones cut the corners.
REACH_M = 1.0


def heading_from_motion(poses: Trajectory) -> Trajectory:
    """
    Return the same positions, each turned to where the vehicle goes.

    Takes the chord from REACH_M behind to REACH_M ahead, so that standing still keeps the
    heading. A drive that never moves is returned as it is. Going backwards turns it round.
    """
    xy_m = poses.positions_m[:, :2]
    if len(poses) < 2 or np.ptp(xy_m, axis=0).max() < REACH_M:
        return poses
    along_m = np.concatenate([[0.0], np.cumsum(np.hypot(*np.diff(xy_m, axis=0).T))])
    behind = np.searchsorted(along_m, along_m - REACH_M, side='right') - 1
    ahead = np.searchsorted(along_m, along_m + REACH_M)
    chord_m = xy_m[np.minimum(ahead, len(poses) - 1)] - xy_m[np.maximum(behind, 0)]
    yaws_rad = np.arctan2(chord_m[:, 1], chord_m[:, 0])
    return Trajectory(poses.stamps_ns, poses.positions_m, quaternion_from_yaw(yaws_rad))
