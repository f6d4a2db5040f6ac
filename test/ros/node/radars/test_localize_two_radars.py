# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Check a localizer with two radars of one frame name: each sees half of the posts."""

from __future__ import annotations

from dataclasses import replace
import math
from pathlib import Path

import numpy as np
from sensor_msgs.msg import PointCloud2
from ssd_ros.radar.types import RadarPointCloud
from ssd_ros.recognition import candidates
from support.localizer import DRIVE, running_localizer
from support.ros import Peer, points_msg

PLACE = 12
SIDE_YAW_RAD = math.radians(30)


def halves(cloud: RadarPointCloud) -> tuple[RadarPointCloud, RadarPointCloud]:
    """Return what the front radar sees, and the rest as a radar turned to the left sees it."""
    odd = np.arange(len(cloud)) % 2 == 1
    azimuth_rad = np.arctan2(cloud.xyz_m[:, 1], cloud.xyz_m[:, 0])
    seen = odd & (np.abs(azimuth_rad - SIDE_YAW_RAD) < math.radians(59))
    c, s = math.cos(SIDE_YAW_RAD), math.sin(SIDE_YAW_RAD)
    turn = np.array([[c, -s, 0], [s, c, 0], [0, 0, 1]], np.float32)
    side = cloud.select(seen)
    return cloud.select(~odd), replace(side, xyz_m=side.xyz_m @ turn)


def test_the_posts_of_both_make_one_query(peer: Peer, tmp_path: Path) -> None:
    front, side = halves(DRIVE.cloud(PLACE))
    assert min(len(front), len(side)) >= 5
    with running_localizer(
        peer,
        tmp_path,
        input_topics='[points, side]',
        frame_override='[front_radar, side_radar]',
        radar_extrinsics=[0.0] * 11 + [SIDE_YAW_RAD],
    ) as localizer:
        publisher = peer.speak(PointCloud2, '/side', 10)
        # The place of the front radar is known from its first scan on.
        localizer.answer_to(localizer.send(0))
        stamp_ns = localizer.clock_ns + 2_000_000_000
        publisher.publish(points_msg(side, stamp_ns - 50_000_000))
        localizer.wait_for_value('input /side', lambda values: int(values['messages']) > 0)
        localizer.publisher.publish(points_msg(front, stamp_ns))
        rows = candidates.from_msg(localizer.answer_to(stamp_ns))
        assert rows['keyframe_id'][0] == PLACE
        values = localizer.values('input')
        assert (values['frame'], values['points_in']) == ('front_radar', str(len(front)))
        assert values['points_used'] == str(len(front) + len(side))
        assert localizer.values('input /side')['frame'] == 'side_radar'
