# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Check that queries are answered while the running drive is made a map."""

from __future__ import annotations

from pathlib import Path
import threading

import numpy as np
import pytest
from ssd_ros.maps.files import MapContent, MapInfo
from ssd_ros.maps.live_session import SessionSnapshot
from ssd_ros.maps.place_database import PlaceDatabase
from ssd_ros.recognition.answer import SensorPose
from ssd_ros.ros.matching.loading import new_live_session
from ssd_ros.ros.matching.matcher import Job, Matcher, NewestScan
from ssd_ros.ros.messages.geometry import Pose
from ssd_ros.ros.parameters.node import AggregationParameters, NodeParameters
from support.posts import small_encoder, straight_drive

DRIVE = straight_drive(num=6)
AT_BASE = Pose(np.zeros(3), np.array([0.0, 0.0, 0.0, 1.0]))
LIMIT_S = 60.0  # a loaded machine must not fail the test


def match(matcher: Matcher, parameters: NodeParameters, index: int) -> None:
    """Answer the query at a place of the drive, which remembers it."""
    poses = DRIVE.cloud_poses
    pose = SensorPose(poses.positions_m[index], poses.quaternions_xyzw[index])
    query = matcher.prepare(DRIVE.cloud(index), pose)
    newest = NewestScan(query.stamp_ns, query.pose, query.segment)
    matcher.match(Job(query, newest, 'radar', AT_BASE, 0.0, 0.0), parameters)


def test_a_query_is_answered_while_the_map_is_put_together(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    parameters = NodeParameters(
        online_index=True,
        session_directory=str(tmp_path),
        aggregation=AggregationParameters(min_points=1),
    )
    encoder = small_encoder(tmp_path, '4d')
    matcher = Matcher(encoder, [], parameters, new_live_session(encoder, parameters))
    for index in range(4):
        match(matcher, parameters, index)
    to_map = SessionSnapshot.to_map

    def while_queries_come(taken: SessionSnapshot, info: MapInfo) -> MapContent:
        asking = threading.Thread(target=match, args=(matcher, parameters, 4), daemon=True)
        asking.start()
        asking.join(LIMIT_S)
        assert not asking.is_alive(), 'the query waits for the map'
        return to_map(taken, info)

    monkeypatch.setattr(SessionSnapshot, 'to_map', while_queries_come)
    path, count = matcher.save_live_session('drive')
    assert (count, matcher.num_live_keyframes) == (4, 5)
    assert len(PlaceDatabase.load(path)) == 4
