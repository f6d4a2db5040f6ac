# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Check the running node with a 4D radar in a map that a LiDAR has made."""

from __future__ import annotations

from dataclasses import replace
import json
from pathlib import Path
from typing import Any

from diagnostic_msgs.msg import DiagnosticStatus
from ssd_ros.maps.builder import build_database
from ssd_ros.recognition.candidates import Flag, from_msg
from std_msgs.msg import String
from std_srvs.srv import Trigger
from support.calibrations import calibration_of
from support.localizer import LATCHED, Localizer, NODE, running_localizer
from support.posts import lidar_drive, random_posts, small_encoder
from support.ros import Peer

DRIVE = replace(lidar_drive(), posts=random_posts(1000))


def rows_of(localizer: Localizer, index: int) -> Any:
    stamp_ns = localizer.send(0, measured=lambda _: DRIVE.cloud(index))
    return from_msg(localizer.answer_to(stamp_ns))


def test_places_are_found_and_accepted_with_a_calibration_for_lidar_maps_alone(
    peer: Peer, tmp_path: Path
) -> None:
    teacher = small_encoder(tmp_path, 'spinning')
    database = build_database(DRIVE, teacher, keyframe_distance_m=10.0, sensor='lidar')
    map_path = tmp_path / 'lidar.map'
    database.save(map_path)
    with running_localizer(
        peer, tmp_path, index_path=map_path, accept__max_rival=0.0
    ) as localizer:
        infos = peer.listen(String, f'{NODE}/map_info', LATCHED)
        peer.wait(lambda: bool(infos), 'word of the map')
        assert json.loads(infos[-1].data)['maps'][0]['sensor'] == 'lidar'
        told = 'unlike those the calibration knows: a radar in a LiDAR map (known: none)'
        assert json.loads(infos[-1].data)['radar'] == told
        for place in range(5):
            rows = rows_of(localizer, 5 * place)
            assert rows[0]['keyframe_id'] == place
            assert (rows['flags'] & Flag.UNKNOWN_RADAR).all()
            assert not (rows['flags'] & Flag.ACCEPTED).any()
        status = localizer.status('matching')
        assert status.level == DiagnosticStatus.WARN
        assert 'a radar in a LiDAR map (known: none): nothing is accepted' in status.message

        known = calibration_of(DRIVE, small_encoder(tmp_path, '4d'))
        database.confidence = replace(known, maps='lidar')
        database.save(map_path)
        assert peer.call(Trigger, f'{NODE}/reload_map', Trigger.Request()).success
        assert rows_of(localizer, 30)[0]['flags'] & Flag.ACCEPTED
