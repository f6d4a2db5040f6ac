# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Check a localizer with a spinning radar, which looks all around, in a map of another one."""

from __future__ import annotations

import array
from collections.abc import Iterator
from dataclasses import replace
import json
import math

import numpy as np
from numpy.typing import NDArray
import pytest
from rcl_interfaces.msg import ParameterType, ParameterValue
from sensor_msgs.msg import Image
from ssd_ros.radar.types import SpinningRadarScan
from ssd_ros.recognition import candidates
from ssd_ros.recognition.candidates import Flag
from std_srvs.srv import Trigger
from support.localizer import header_msg, Localizer, NODE, running_localizer, set_parameter, turn
from support.posts import write_small_encoder
from support.ros import Peer, Processes

PLACE = 12
UNKNOWN = 'a spinning radar (known: none)'


def image_msg(scan: SpinningRadarScan, stamp_ns: int) -> Image:
    """Return a turn as the players of data sets send it: a row a range."""
    height, width = scan.power.shape
    data = array.array('B', scan.power.tobytes())
    return Image(header=header_msg(stamp_ns), height=height, width=width, encoding='mono8',
                 step=width, data=data)  # fmt: skip


def rows_of(localizer: Localizer, place: int, turned_deg: float) -> NDArray[np.void]:
    """Send a turn and return the candidates."""
    localizer.clock_ns += 2_000_000_000
    message = image_msg(turn(place, turned_deg), localizer.clock_ns)
    localizer.publisher.publish(message)
    return candidates.from_msg(localizer.answer_to(localizer.clock_ns))


@pytest.fixture(scope='module')
def localizer(peer: Peer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Localizer]:
    directory = tmp_path_factory.mktemp('spinning')
    with running_localizer(
        peer,
        directory,
        Image,
        input_type='polar_image',
        model_path=write_small_encoder(directory / 'teacher.onnx', 'spinning'),
        radar_extrinsics='[1.5, 0.0, 0.5, 0.0, 0.0, 0.0]',
    ) as running:
        yield running


@pytest.mark.parametrize('turned_deg', [0.0, 90.0, 180.0])
def test_a_turn_is_found_in_every_heading(localizer: Localizer, turned_deg: float) -> None:
    best = rows_of(localizer, PLACE, turned_deg)[0]
    assert best['keyframe_id'] == PLACE
    miss_deg = math.degrees(best['relative_yaw']) - turned_deg
    assert abs(math.remainder(miss_deg, 360)) < 2.5  # a column
    assert best['flags'] & Flag.GEOMETRICALLY_VERIFIED
    # The base is 1.5 m behind the radar, which was moved by less than a cell.
    behind = -1.5 * np.array([math.cos(best['relative_yaw']), math.sin(best['relative_yaw'])])
    assert (best['relative_x'], best['relative_y']) == pytest.approx(behind, abs=1.0)


def test_nothing_is_accepted_until_a_calibration_has_seen_such_a_radar(
    localizer: Localizer,
) -> None:
    for place in range(5, 12):
        rows = rows_of(localizer, place, 90.0)
        assert not (rows['flags'] & Flag.ACCEPTED).any()
        assert (rows['flags'] & Flag.UNKNOWN_RADAR).all()
    reply = json.loads(localizer.peer.call(Trigger, f'{NODE}/query').message)
    assert UNKNOWN in reply['reason']
    localizer.peer.wait(
        lambda: UNKNOWN in localizer.status('matching').message, 'what is wrong in diagnostics'
    )
    assert UNKNOWN in localizer.values('matching')['radar']


def test_who_takes_the_risk_gets_a_pose(localizer: Localizer) -> None:
    name, peer = 'accept.risk_unknown_radar', localizer.peer
    risk = ParameterValue(type=ParameterType.PARAMETER_BOOL, bool_value=True)
    assert set_parameter(peer, name, risk).successful
    rows = rows_of(localizer, 20, 180.0)
    assert rows[0]['flags'] & Flag.ACCEPTED
    pose = localizer.answer_to(localizer.clock_ns, localizer.poses).pose.pose
    # It looks back along x, from 200 m.
    assert (pose.position.x, pose.position.y) == pytest.approx((201.5, 0), abs=1.0)
    assert abs(pose.orientation.z) == pytest.approx(1, abs=0.01)
    risk.bool_value = False
    assert set_parameter(peer, name, risk).successful


def test_a_blank_image_is_counted_and_the_next_turn_answered(localizer: Localizer) -> None:
    blank = replace(turn(4, 0.0), power=np.zeros((600, 400), np.uint8))
    localizer.clock_ns += 2_000_000_000
    localizer.publisher.publish(image_msg(blank, localizer.clock_ns))
    localizer.wait_for_value('input', lambda values: values.get('refused_bad_turn') == '1')
    assert rows_of(localizer, 4, 0.0)[0]['keyframe_id'] == 4
    values = localizer.values('input')
    assert (values['type'], values['frame']) == ('polar_image', 'navtech')
    assert int(values['points_used']) > 100


def test_a_drive_of_a_spinning_radar_is_not_remembered(processes: Processes) -> None:
    running = processes.start_localizer(input_type='polar_image', online_index=True)
    running.wait_for_text('online_index remembers places of a 4D radar: set it to false')
    assert running.end() == 1
