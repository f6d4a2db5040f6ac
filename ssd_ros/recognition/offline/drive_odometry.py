# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Offline: the poses of a recorded drive as the node takes its odometry, in segments."""

from __future__ import annotations

import logging

from ssd_ros.datasets.sequence import RadarSequence, sensor_scans
from ssd_ros.motion.pose_chain import segments_of
from ssd_ros.motion.trajectory import POSE_TOLERANCE_NS
from ssd_ros.recognition.answer import SensorPose

_logger = logging.getLogger(__name__)


def odometry_of(drive: RadarSequence, sensor: str = '4d') -> dict[int, tuple[SensorPose, int]]:
    """
    Return the poses of the scans that have one, each with its segment.

    :param sensor: whose scans, '4d' or 'spinning'
    """
    scans = sensor_scans(drive, sensor)
    segments = segments_of(scans.poses)
    poses = scans.poses.select(segments >= 0)
    nearest, is_near = poses.nearest(scans.stamps_ns, POSE_TOLERANCE_NS)
    num_segments, num_jumps = segments.max(initial=0) + 1, int((segments < 0).sum())
    if num_segments > 1 or num_jumps:
        _logger.warning(
            'the odometry has %d segments, not related to each other; %d poses that jump alone '
            'were left out',
            num_segments,
            num_jumps,
        )
    kept = segments[segments >= 0].tolist()
    return {
        index: (SensorPose(poses.positions_m[row], poses.quaternions_xyzw[row]), kept[row])
        for index, row in enumerate(nearest.tolist())
        if is_near[index]
    }
