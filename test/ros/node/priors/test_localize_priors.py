# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Tell the running node where it is: rightly, wrongly, too late, outside, or nonsense."""

from __future__ import annotations

from collections.abc import Iterator
import math
from pathlib import Path
from typing import Any

from geometry_msgs.msg import PoseWithCovarianceStamped
import pytest
from rcl_interfaces.msg import ParameterType, ParameterValue
from ssd_ros.recognition.candidates import Flag, from_msg
from std_srvs.srv import Trigger
from support.fleet.served import STREET, write_street
from support.localizer import Localizer, NODE, running_localizer, set_parameter
from support.ros import Peer

STEP_NS = 2_000_000_000  # between two scans of the localizer
FAR_M = 90_000.0


@pytest.fixture(scope='module')
def city(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a map of three squares, 512 m each."""
    return write_street(tmp_path_factory.mktemp('city'))


@pytest.fixture(scope='module')
def localizer(
    peer: Peer, tmp_path_factory: pytest.TempPathFactory, city: Path
) -> Iterator[Localizer]:
    with running_localizer(
        peer, tmp_path_factory.mktemp('priors'), index_path=city, prior__source='pose'
    ) as running:
        yield running


def see(localizer: Localizer, place: int) -> Any:
    """Send what is seen at a keyframe of the street, one every 20 m; return the rows."""
    stamp_ns = localizer.send(0, measured=lambda cloud: STREET.cloud(place))
    return from_msg(localizer.answer_to(stamp_ns))


def pose_msg(localizer: Localizer, x_m: float, late_ns: int = 0, **odd: Any) -> Any:
    """Return a prior for the next scan."""
    msg = PoseWithCovarianceStamped()
    msg.header.frame_id = odd.get('frame', 'map')
    msg.header.stamp.sec, msg.header.stamp.nanosec = divmod(
        localizer.clock_ns + STEP_NS - late_ns, 10**9
    )
    msg.pose.pose.position.x = x_m
    msg.pose.pose.orientation.w = 1.0
    covariance = [0.0] * 36
    covariance[0] = covariance[7] = odd.get('variance', 4.0)
    msg.pose.covariance = covariance
    return msg


def tell(localizer: Localizer, publisher: Any, msg: Any) -> None:
    """Publish a prior and wait until it has come."""
    expected = str(int(localizer.values('matching')['prior_messages']) + 1)
    publisher.publish(msg)
    localizer.wait_for_value('matching', lambda values: values['prior_messages'] == expected)


@pytest.fixture(scope='module')
def publisher(peer: Peer, localizer: Localizer) -> Any:
    return peer.speak(PoseWithCovarianceStamped, '/prior')


def test_the_squares_about_a_prior_are_searched(localizer: Localizer, publisher: Any) -> None:
    # Before, nothing is known: candidates are of all squares.
    everywhere = see(localizer, 3)
    assert everywhere[0]['keyframe_id'] == 3
    peer_clear(localizer)
    tell(localizer, publisher, pose_msg(localizer, 460.0))
    rows = see(localizer, 23)
    assert rows[0]['keyframe_id'] == 23
    assert rows[0]['flags'] & Flag.ACCEPTED
    assert max(rows['map_x']) < 1024  # the squares that 460 +- 130 m reach
    assert localizer.values('matching')['prior_used'] == '1'


def peer_clear(localizer: Localizer) -> None:
    """Forget where the node was: it would search there otherwise."""
    assert localizer.peer.call(Trigger, f'{NODE}/clear').success


def test_a_wrong_prior_closes_no_loop_and_is_left_after_some_queries(
    localizer: Localizer, publisher: Any
) -> None:
    peer_clear(localizer)
    num_searched_there = 0
    for _ in range(12):
        tell(localizer, publisher, pose_msg(localizer, 1190.0))
        rows = see(localizer, 3)  # at x = 60
        if min(rows['map_x']) < 1024:
            break
        num_searched_there += 1
        assert not (rows['flags'] & Flag.ACCEPTED).any()
    assert num_searched_there == 10
    assert rows[0]['keyframe_id'] == 3


def test_a_prior_outside_of_the_map_says_so(localizer: Localizer, publisher: Any) -> None:
    peer_clear(localizer)
    tell(localizer, publisher, pose_msg(localizer, FAR_M))
    assert len(see(localizer, 3)) == 0
    message = localizer.status('matching').message
    assert message.startswith('nothing of the map is within 50 m about (90000.0, 0.0), where ')
    assert '/prior says the vehicle is: is it in this map, and the message in its' in message
    reply = localizer.peer.call(Trigger, f'{NODE}/relocalize')
    assert not reply.success
    assert reply.message.startswith(
        'nothing of the map is within 50 m about (90000.0, 0.0), where the place was said to be'
    )


def test_a_prior_that_is_old_is_dropped(localizer: Localizer, publisher: Any) -> None:
    peer_clear(localizer)
    tell(localizer, publisher, pose_msg(localizer, FAR_M, late_ns=60 * 10**9))
    assert see(localizer, 3)[0]['keyframe_id'] == 3
    message = localizer.status('matching').message
    assert 'a message on /prior was 60 s off the scans and left out' in message
    assert 'See prior.max_age' in message
    # One that was good is used no longer than that.
    peer_clear(localizer)
    tell(localizer, publisher, pose_msg(localizer, FAR_M))
    assert len(see(localizer, 3)) == 0
    localizer.clock_ns += 10 * 10**9
    assert see(localizer, 3)[0]['keyframe_id'] == 3


@pytest.mark.parametrize(
    ('x_m', 'odd', 'expected'),
    [
        (math.nan, {}, 'prior is (nan, 0.0, 50.0), expected finite numbers'),
        (math.inf, {}, 'prior is (inf, 0.0, 50.0), expected finite numbers'),
        (0.0, {'variance': -4.0}, 'its variances are [-4.0, -4.0], expected 0 or more'),
        (0.0, {'variance': math.nan}, 'expected finite numbers'),
        (0.0, {'frame': 'odom'}, "it is in frame 'odom', expected map, map_frame"),
        (0.0, {'frame': ''}, "it is in frame '', expected map, map_frame"),
    ],
)
def test_what_is_no_prior_is_left_out(
    localizer: Localizer, publisher: Any, x_m: float, odd: dict[str, Any], expected: str
) -> None:
    num_left_out = int(localizer.values('matching')['prior_left_out'])
    tell(localizer, publisher, pose_msg(localizer, x_m, **odd))
    assert int(localizer.values('matching')['prior_left_out']) == num_left_out + 1
    message = localizer.status('matching').message
    assert 'a message on /prior was left out: ' in message
    assert expected in message
    see(localizer, 3)
    assert localizer.values('inference')['failed'] == '0'


def circle(*values: float) -> ParameterValue:
    return ParameterValue(
        type=ParameterType.PARAMETER_DOUBLE_ARRAY, double_array_value=list(values)
    )


def test_a_service_searches_in_the_circle_of_the_parameter(localizer: Localizer) -> None:
    peer, ask = localizer.peer, f'{NODE}/relocalize'
    peer_clear(localizer)
    see(localizer, 3)
    assert set_parameter(peer, 'prior.circle', circle(FAR_M, 0.0, 20.0)).successful
    outside = peer.call(Trigger, ask)
    assert not outside.success
    assert outside.message.startswith('nothing of the map is within 20 m about (90000.0, 0.0)')
    assert set_parameter(peer, 'prior.circle', circle(60.0, 0.0, 5000.0)).successful
    assert peer.call(Trigger, ask).success
    refused = set_parameter(peer, 'prior.circle', circle(0.0, 0.0, -1.0))
    assert not refused.successful
    assert 'expected a radius of 0 or more' in refused.reason
    assert set_parameter(peer, 'prior.circle', circle(0.0, 0.0, 0.0)).successful
