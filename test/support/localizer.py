# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The running localizer as tests of its topics and services see it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
import math
from pathlib import Path
import signal
from typing import Any

from diagnostic_msgs.msg import DiagnosticArray, DiagnosticStatus
from geometry_msgs.msg import PoseArray, PoseWithCovarianceStamped
from nav_msgs.msg import Odometry
import numpy as np
from rcl_interfaces.msg import Parameter as ParameterMsg
from rcl_interfaces.msg import ParameterType, ParameterValue
from rcl_interfaces.srv import SetParametersAtomically
from rclpy.qos import DurabilityPolicy, QoSProfile
from sensor_msgs.msg import PointCloud2
from ssd_ros.maps.builder import build_database
from ssd_ros.maps.place_database import PlaceDatabase
from ssd_ros.radar.types import RadarPointCloud, SpinningRadarScan
from std_msgs.msg import Header, String
from support.posts import (
    random_posts,
    small_encoder,
    START_NS,
    straight_drive,
    write_small_encoder,
)
from support.ros import Peer, points_msg, Processes, Running

# Thirty keyframes, one every 10 m along x.
# Enough posts that a query can be verified, and is like no other place.
DRIVE = replace(straight_drive(num=30), posts=random_posts(1000))
NODE = '/ssd_localizer'
LATCHED = QoSProfile(depth=1, durability=DurabilityPolicy.TRANSIENT_LOCAL)


class Localizer:
    """The running node and the topics that the tests look at."""

    def __init__(
        self,
        peer: Peer,
        running: Running,
        database: PlaceDatabase | None,
        map_path: Path,
        message_type: type = PointCloud2,
    ) -> None:
        self.peer, self.running = peer, running
        self._database, self.map_path = database, map_path
        self.clock_ns = START_NS
        self._num_odometry = 0
        self.candidates = peer.listen(PointCloud2, f'{NODE}/candidates', 100)
        self.candidate_poses = peer.listen(PoseArray, f'{NODE}/candidate_poses', 100)
        self.poses = peer.listen(PoseWithCovarianceStamped, f'{NODE}/pose', 100)
        self.diagnostics = peer.listen(DiagnosticArray, '/diagnostics')
        self.publisher = peer.speak(message_type, '/points', 100)
        self._odometry = peer.speak(Odometry, '/odom', 100)
        infos = peer.listen(String, f'{NODE}/map_info', LATCHED)
        peer.wait(lambda: infos, 'activation')

    @property
    def database(self) -> PlaceDatabase:
        """What the node was started with; only of a node that has a map."""
        assert self._database is not None
        return self._database

    def send(
        self,
        index: int,
        odometry_x_m: float | None = None,
        measured: Callable[[RadarPointCloud], RadarPointCloud] = lambda cloud: cloud,
    ) -> int:
        """
        Publish the cloud seen at a keyframe as the next scan and return its stamp.

        :param odometry_x_m: of the base in the odometry frame, published first
        :param measured: what the radar makes of what there is to see
        """
        # Two seconds later: the window holds no scan but this one.
        self.clock_ns += 2_000_000_000
        if odometry_x_m is not None:
            self.send_odometry(odometry_msg(odometry_x_m, self.clock_ns))
        self.publisher.publish(points_msg(measured(DRIVE.cloud(index)), self.clock_ns))
        return self.clock_ns

    def send_odometry(self, *messages: Odometry) -> None:
        """Publish poses and wait until they have arrived."""
        self._num_odometry += len(messages)
        expected = str(self._num_odometry)
        for msg in messages:
            self._odometry.publish(msg)
        self.wait_for_value('input', lambda values: values['odometry_messages'] == expected)

    def answer_to(self, stamp_ns: int, messages: list[Any] | None = None) -> Any:
        """Return the message about the scan with this stamp."""
        messages = self.candidates if messages is None else messages

        def matching() -> Any:
            stamps = [msg.header.stamp.sec * 10**9 + msg.header.stamp.nanosec for msg in messages]
            return messages[stamps.index(stamp_ns)] if stamp_ns in stamps else None

        return self.peer.wait(matching, f'an answer to {stamp_ns}')

    def values(self, name: str) -> dict[str, str]:
        """Return the values of a status of the newest diagnostics."""
        return {item.key: item.value for item in self.status(name).values}

    def status(self, name: str) -> DiagnosticStatus:
        self.diagnostics.clear()
        self.peer.wait(lambda: self.diagnostics, 'diagnostics')
        return next(
            status
            for status in self.diagnostics[-1].status
            if status.name == f'ssd_localizer: {name}'
        )

    def wait_for_value(self, name: str, condition: Callable[[dict[str, str]], bool]) -> None:
        self.peer.wait(lambda: condition(self.values(name)), f'diagnostics of {name}')


def set_parameter(peer: Peer, name: str, value: ParameterValue) -> Any:
    request = SetParametersAtomically.Request(parameters=[ParameterMsg(name=name, value=value)])
    service = f'{NODE}/set_parameters_atomically'
    return peer.call(SetParametersAtomically, service, request).result


def double(value: float) -> ParameterValue:
    return ParameterValue(type=ParameterType.PARAMETER_DOUBLE, double_value=value)


def integer(value: int) -> ParameterValue:
    return ParameterValue(type=ParameterType.PARAMETER_INTEGER, integer_value=value)


def text(value: object) -> ParameterValue:
    return ParameterValue(type=ParameterType.PARAMETER_STRING, string_value=str(value))


def odometry_msg(x_m: float, stamp_ns: int) -> Odometry:
    """Return a pose on the x axis, looking along it."""
    msg = Odometry(child_frame_id='base_link')
    msg.header.frame_id = 'odom'
    msg.header.stamp.sec, msg.header.stamp.nanosec = divmod(stamp_ns, 10**9)
    msg.pose.pose.position.x = x_m
    msg.pose.pose.orientation.w = 1.0
    return msg


@contextmanager
def running_localizer(
    peer: Peer, directory: Path, message_type: type = PointCloud2, **parameters: object
) -> Iterator[Localizer]:
    """
    Start a localizer with a map of DRIVE, which must end well.

    :param message_type: of its radar
    """
    database = build_database(DRIVE, small_encoder(directory, 'spinning'))
    database.save(directory / 'map.ssd')
    defaults = {
        'index_path': directory / 'map.ssd',
        'model_path': write_small_encoder(directory / 'student.onnx', '4d'),
        'stamp_source': 'header',
        'diagnostics_rate': 10.0,
        'aggregation__min_points': 5,
        'accept__max_rival': 0.0,  # among posts, others fit as well
    }
    with Processes(directory) as started:
        running = started.start_localizer(**(defaults | parameters))
        try:
            yield Localizer(peer, running, database, directory / 'map.ssd', message_type)
        finally:
            assert running.end(signal.SIGINT) == 0, running.text()


def turn(place: int, turned_deg: float) -> SpinningRadarScan:
    """Return the turn of a radar at a keyframe that looks elsewhere."""
    pose = np.array([[10.0 * place, 0.0, math.radians(turned_deg)]])
    return replace(DRIVE, xy_yaw=pose).scan(0)


def header_msg(stamp_ns: int) -> Header:
    result = Header(frame_id='navtech')
    result.stamp.sec, result.stamp.nanosec = divmod(stamp_ns, 10**9)
    return result
