# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Drive back in the lane beside, asking by submaps: in a map, and in the running drive."""

from __future__ import annotations

from dataclasses import replace
import json
import math
from pathlib import Path

from diagnostic_msgs.msg import DiagnosticStatus
from nav_msgs.msg import Odometry
import numpy as np
from numpy.typing import NDArray
import pytest
from rcl_interfaces.msg import ParameterType, ParameterValue
from ssd_ros.maps.live_session import LIVE_MAP_ID
from ssd_ros.maps.place_database import PlaceDatabase
from ssd_ros.motion.trajectory import quaternion_from_yaw
from ssd_ros.recognition.candidates import Flag, from_msg
from ssd_ros.recognition.offline.submap_drive import map_of_submaps
from std_srvs.srv import Trigger
from support.localizer import Localizer, NODE, odometry_msg, running_localizer, set_parameter
from support.posts import (
    MovingDrive,
    random_posts,
    small_encoder,
    straight_drive,
    write_small_encoder,
)
from support.ros import Peer, points_msg

LENGTH_M, STEP_M = 40.0, 2.0
HALF = 10  # scans of half a submap
POSTS = random_posts(num=1500)
ALONG = np.arange(0.0, 121.0, STEP_M)
THERE = replace(straight_drive(num=121, step_m=1.0), posts=POSTS)
THERE_WAY = np.stack([ALONG, 0 * ALONG, 0 * ALONG], axis=1)
BACK_WAY = np.stack([ALONG[::-1], 0 * ALONG + 3.5, 0 * ALONG + math.pi], axis=1)
TURNS = np.linspace(0, math.pi, 8)[1:-1]
ROUND_WAY = np.stack([120 + 1.75 * np.sin(TURNS), 1.75 - 1.75 * np.cos(TURNS), TURNS], axis=1)
AT_BASE = [0.0] * 6


def drive_of(way: NDArray[np.float64]) -> MovingDrive:
    return MovingDrive(POSTS, way, step_ns=250_000_000)


def pose_msg(xy_yaw: NDArray[np.float64], stamp_ns: int) -> Odometry:
    msg = odometry_msg(float(xy_yaw[0]), stamp_ns)
    msg.pose.pose.position.y = float(xy_yaw[1])
    orientation = msg.pose.pose.orientation
    x, y, z, w = quaternion_from_yaw(xy_yaw[2:])[0].tolist()
    orientation.x, orientation.y, orientation.z, orientation.w = x, y, z, w
    return msg


def send(localizer: Localizer, drive: MovingDrive, numbers: range) -> list[int]:
    """Drive on, each scan once the one before is answered, and return the stamps of the scans."""
    stamps_ns: list[int] = []
    for index in numbers:
        num = len(localizer.candidates) + 1
        localizer.clock_ns += drive.step_ns
        localizer.send_odometry(pose_msg(drive.xy_yaw[index], localizer.clock_ns))
        localizer.publisher.publish(points_msg(drive.cloud(index), localizer.clock_ns))
        stamps_ns.append(localizer.clock_ns)
        localizer.peer.wait(lambda n=num: len(localizer.candidates) >= n, 'an answer')
    return stamps_ns


def reason_of(localizer: Localizer) -> str:
    reply = localizer.peer.call(Trigger, f'{NODE}/query', Trigger.Request())
    return str(json.loads(reply.message)['reason'])


def test_the_way_back_is_found_in_a_map_and_accepted_at_a_risk_alone(
    peer: Peer, tmp_path: Path
) -> None:
    database = map_of_submaps(THERE, small_encoder(tmp_path, 'spinning'), LENGTH_M, STEP_M)
    database.save(tmp_path / 'submaps.map')
    parameters = {
        'index_path': tmp_path / 'submaps.map',
        'model_path': write_small_encoder(tmp_path / 'teacher.onnx', 'spinning'),
        'aggregation__submap': LENGTH_M,
        'accept__max_rival': 0.0,
        'radar_extrinsics': AT_BASE,
    }
    back = drive_of(BACK_WAY)
    with running_localizer(peer, tmp_path, **parameters) as localizer:
        first = send(localizer, back, range(4))
        localizer.answer_to(first[-1])
        assert reason_of(localizer) == 'no submap yet: the vehicle has to drive 40 m first'

        stamps_ns = first + send(localizer, back, range(4, 36))
        rows = from_msg(localizer.answer_to(stamps_ns[35 - HALF]))
        assert (rows['flags'] & Flag.SUBMAP).all()
        assert not (rows['flags'] & Flag.ACCEPTED).any()
        assert np.isnan(rows['confidence']).all()
        # The place 20 m back, in the lane that the vehicle comes back in.
        assert rows[0]['map_x'] == pytest.approx(BACK_WAY[35 - HALF, 0], abs=STEP_M)
        assert rows[0]['map_y'] == pytest.approx(3.5)
        assert abs(rows[0]['relative_yaw']) == pytest.approx(math.pi, abs=math.radians(6))
        said = 'asked by submaps, which no calibration knows'
        assert reason_of(localizer).startswith(said)
        status = localizer.status('matching')
        assert status.level == DiagnosticStatus.WARN
        assert status.message.startswith(said)
        assert localizer.values('matching')['radar'] == 'no calibration'
        assert localizer.poses == []

        risk = ParameterValue(type=ParameterType.PARAMETER_BOOL, bool_value=True)
        assert set_parameter(peer, 'accept.risk_submaps', risk).successful
        stamps_ns += send(localizer, back, range(36, 37))
        rows = from_msg(localizer.answer_to(stamps_ns[36 - HALF]))
        assert rows[0]['flags'] & Flag.ACCEPTED
        pose = localizer.answer_to(stamps_ns[36 - HALF], localizer.poses).pose.pose
        there = pose.position.x, pose.position.y
        assert there == pytest.approx((BACK_WAY[36 - HALF, 0], 3.5), abs=1.5)
        assert localizer.status('matching').message.endswith('accepts it all the same')


def test_the_running_drive_finds_its_way_back_and_is_saved(peer: Peer, tmp_path: Path) -> None:
    parameters = {
        'index_path': "''",
        'model_path': write_small_encoder(tmp_path / 'teacher.onnx', 'spinning'),
        'aggregation__submap': LENGTH_M,
        'radar_extrinsics': AT_BASE,
        'online_index': True,
        'keyframe_distance': STEP_M,
        'exclude_recent': 5.0,
        'session_directory': tmp_path,
        'session_path': 'session.map',
    }
    way = np.concatenate([THERE_WAY, ROUND_WAY, BACK_WAY])
    drive = drive_of(way)
    with running_localizer(peer, tmp_path, **parameters) as localizer:
        num = len(THERE_WAY) + len(ROUND_WAY) + 40
        stamps_ns = send(localizer, drive, range(num))
        # Seen on the way there, and looked at from the lane beside.
        asked = range(num - HALF - 20, num - HALF)
        found = [from_msg(localizer.answer_to(stamps_ns[index])) for index in asked]
        is_right = []
        for index, rows in zip(asked, found, strict=True):
            best = rows[0]
            assert set(rows['map_id']) == {LIVE_MAP_ID}
            assert best['flags'] & Flag.LIVE_SESSION
            assert not best['flags'] & Flag.ACCEPTED
            off_m = math.dist((best['map_x'], best['map_y']), way[index, :2])
            is_right.append(off_m <= STEP_M and abs(best['relative_yaw']) > math.radians(174))
        assert sum(is_right) >= 12, is_right

        response = peer.call(Trigger, f'{NODE}/save_session')
        assert response.success, response.message
        saved = PlaceDatabase.load(tmp_path / 'session.map')
        info = saved.info
        assert (info.sensor, info.submap_m, info.num_views) == ('4d', LENGTH_M, 36)
        assert saved.num_rows == 36 * len(saved)
        assert len(saved) % 3 == 0  # in three lanes
