# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""A radar turned or unknown to the calibration, and a map of wrong poses, are told in driving."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
import json
import math
from pathlib import Path
from typing import Any

from diagnostic_msgs.msg import DiagnosticStatus
import pytest
from rcl_interfaces.msg import ParameterType, ParameterValue
from ssd_ros.maps.builder import build_database
from ssd_ros.recognition.candidates import Flag, from_msg
from std_msgs.msg import String
from std_srvs.srv import Trigger
from support.calibrations import calibration_of, EASY, thinned
from support.localizer import (
    DRIVE as POSTS,
)
from support.localizer import (
    LATCHED,
    Localizer,
    NODE,
    odometry_msg,
    running_localizer,
    set_parameter,
)
from support.posts import jolted, moving_drive, random_posts, small_encoder, straight_drive
from support.ros import Peer, points_msg

# It looks 1.2 rad to the left, or 5 degrees more.
HEADING_RAD, TURNED_RAD = 1.2, math.radians(5)
DRIVE = moving_drive(num=24, turned_rad=HEADING_RAD + TURNED_RAD)


def drive(localizer: Localizer) -> None:
    """Drive 46 m along x."""
    for index in range(len(DRIVE.xy_yaw)):
        localizer.clock_ns += DRIVE.step_ns
        localizer.send_odometry(odometry_msg(2.0 * index, localizer.clock_ns))
        localizer.publisher.publish(points_msg(DRIVE.cloud(index), localizer.clock_ns))
        expected = str(index + 1)
        localizer.wait_for_value('input', lambda values, n=expected: values['messages'] == n)


@pytest.mark.parametrize('stated_rad', [HEADING_RAD, HEADING_RAD + TURNED_RAD])
def test_a_turned_radar_is_a_warning_and_the_corrected_mounting_is_none(
    peer: Peer, tmp_path: Path, stated_rad: float
) -> None:
    extrinsics = [1.5, 0.0, 0.5, 0.0, 0.0, stated_rad]
    with running_localizer(peer, tmp_path, radar_extrinsics=extrinsics) as localizer:
        drive(localizer)
        off_deg = math.degrees(HEADING_RAD + TURNED_RAD - stated_rad)
        values = localizer.values('input')
        assert float(values['yaw_error_deg']) == pytest.approx(off_deg, abs=0.3)
        said = localizer.status('input').message
        assert said.startswith('the 4D radar points 5.0 degrees') == (off_deg > 0)


# So many posts that a fifth of them is enough to verify.
MANY = replace(POSTS, posts=random_posts(1250))
UNLIKE = 'this radar is unlike those the calibration knows: '


@pytest.fixture
def localizer(peer: Peer, tmp_path: Path) -> Iterator[Localizer]:
    database = build_database(MANY, small_encoder(tmp_path, 'spinning'))
    database.confidence = calibration_of(MANY, small_encoder(tmp_path, '4d'))
    database.save(tmp_path / 'calibrated.map')
    parameters = {'index_path': tmp_path / 'calibrated.map', 'accept__max_rival': 0.0}
    with running_localizer(peer, tmp_path, **parameters) as running:
        yield running


def rows_of(localizer: Localizer, index: int, share: float) -> Any:
    stamp_ns = localizer.send(index, measured=lambda _: thinned(MANY.cloud(index), share))
    return from_msg(localizer.answer_to(stamp_ns))


def test_an_unknown_radar_is_told_and_accepted_at_a_risk_alone(localizer: Localizer) -> None:
    infos = localizer.peer.listen(String, f'{NODE}/map_info', LATCHED)

    def radar() -> str:
        return str(json.loads(infos[-1].data)['radar'])

    known = [rows_of(localizer, index, 1.0) for index in range(3)]
    assert all(rows[0]['flags'] & Flag.ACCEPTED for rows in known)
    assert not any((rows['flags'] & Flag.UNKNOWN_RADAR).any() for rows in known)
    assert localizer.values('matching')['radar'] == 'like those the calibration knows'
    localizer.peer.call(Trigger, f'{NODE}/clear', Trigger.Request())

    unknown = [rows_of(localizer, index, 0.2) for index in range(5)]
    for rows in unknown:
        assert len(rows) == 10
        assert (rows['flags'] & Flag.UNKNOWN_RADAR).all()
        assert not (rows['flags'] & Flag.ACCEPTED).any()
    localizer.peer.wait(lambda: radar().startswith('unlike'), 'word of the radar')
    assert 'static points a scan (known: ' in radar()
    status = localizer.status('matching')
    assert status.level == DiagnosticStatus.WARN
    assert status.message.startswith(UNLIKE)
    assert status.message.endswith('nothing is accepted until trust was run with drives of yours')
    reply = localizer.peer.call(Trigger, f'{NODE}/query', Trigger.Request())
    assert json.loads(reply.message)['reason'].startswith(UNLIKE)

    risk = ParameterValue(type=ParameterType.PARAMETER_BOOL, bool_value=True)
    assert set_parameter(localizer.peer, 'accept.risk_unknown_radar', risk).successful
    assert rows_of(localizer, 5, 0.2)[0]['flags'] & Flag.ACCEPTED
    status = localizer.status('matching')
    assert status.level == DiagnosticStatus.WARN
    assert status.message.endswith('accept.risk_unknown_radar accepts it all the same')

    localizer.peer.call(Trigger, f'{NODE}/clear', Trigger.Request())
    rows_of(localizer, 5, 1.0)
    localizer.peer.wait(lambda: radar() == 'like those the calibration knows', 'word of it')


def test_a_map_of_wrong_poses_is_told_and_accepted_at_a_risk_alone(
    peer: Peer, tmp_path: Path
) -> None:
    near = replace(straight_drive(num=30, step_m=4.0), posts=MANY.posts)
    database = build_database(jolted(near, 2.0), small_encoder(tmp_path, 'spinning'))
    database.confidence = EASY
    database.save(tmp_path / 'wrong.map')
    misfit_m = database.info.pose_misfit_m
    assert misfit_m == pytest.approx(2.35, rel=0.25)
    parameters = {'index_path': tmp_path / 'wrong.map', 'accept__max_rival': 0.0}
    with running_localizer(peer, tmp_path, **parameters) as localizer:
        infos = peer.listen(String, f'{NODE}/map_info', LATCHED)
        peer.wait(lambda: bool(infos), 'word of the map')
        assert json.loads(infos[-1].data)['maps'][0]['pose_misfit_m'] == misfit_m
        said = f'the poses of map Posts/01 disagree with its returns by {misfit_m:.2f} m'

        def asked(index: int) -> Any:
            stamp_ns = localizer.send(index, measured=lambda _: near.cloud(index))
            return from_msg(localizer.answer_to(stamp_ns))

        rows = asked(0)
        assert len(rows) == 10
        assert not (rows['flags'] & Flag.ACCEPTED).any()
        reply = peer.call(Trigger, f'{NODE}/query', Trigger.Request())
        assert json.loads(reply.message)['reason'].startswith(said)
        status = localizer.status('matching')
        assert status.level == DiagnosticStatus.WARN
        assert status.message.startswith(said)
        assert status.message.endswith('give it better poses with map repose')
        risk = ParameterValue(type=ParameterType.PARAMETER_BOOL, bool_value=True)
        assert set_parameter(peer, 'accept.risk_map_poses', risk).successful
        assert asked(5)[0]['flags'] & Flag.ACCEPTED
        status = localizer.status('matching')
        assert status.level == DiagnosticStatus.WARN
        assert status.message.endswith('accept.risk_map_poses accepts it all the same')
