# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Hand what the localizer publishes to the page in the browser."""

from __future__ import annotations

from collections.abc import Callable, Sequence
import json
from typing import Any

import numpy as np
from rclpy.node import Node
from ssd_ros.recognition import candidates
from ssd_ros.ros.health.throttle import Throttled
from ssd_ros.ros.messages.conversions import pose_from_msg
from ssd_ros.ros.messages.qos import qos_profile
from ssd_ros.ros.messages.topics import DIAGNOSTICS, PUBLISHED
from ssd_ros.ros.messages.types import message_class
from ssd_ros.ros.node.run import run, spin, StartupError
from ssd_ros.view import messages
from ssd_ros.view.address import ServerConfig
from ssd_ros.view.messages import Status
from ssd_ros.view.server import ViewServer

COMMAND = 'view'
_TOPICS = {topic.name: topic for topic in PUBLISHED}
_MAX_INFO = 1 << 20


class ViewNode(Node):
    """Listen to one localizer; what it says is shown as soon as somebody looks."""

    def __init__(self, localizer: str, server: ViewServer) -> None:
        """
        Subscribe.

        :param localizer: name of its node; a relative one is in the namespace of this node
        """
        super().__init__('ssd_view')
        self._localizer, self._server = localizer, server
        self._warn = Throttled(self.get_logger().warning)
        for name, show in {
            '~/map_keyframes': self._show_places,
            '~/map_info': self._show_maps,
            '~/candidates': self._show_answer,
            '~/pose': self._show_pose,
            '~/path': self._show_path,
            '~/bev': self._show_image,
        }.items():
            topic = _TOPICS[name]
            self._listen(topic.kind, name.replace('~', localizer), topic.qos, show)
        self._listen(DIAGNOSTICS.kind, DIAGNOSTICS.name, DIAGNOSTICS.qos, self._show_health)

    def _listen(self, kind: str, name: str, qos: Any, show: Callable[[Any], None]) -> None:
        def heard(msg: Any) -> None:
            try:
                show(msg)
            except (ValueError, RecursionError) as error:  # of a node that is none of ours
                self._warn(f'{name} cannot be shown: {error}')

        self.create_subscription(message_class(kind), name, heard, qos_profile(qos))

    def _show_places(self, msg: Any) -> None:
        positions_m = [[pose.position.x, pose.position.y] for pose in msg.poses]
        places = np.array(positions_m).reshape(-1, 2)
        self._server.publish('places', messages.places_text(places, msg.header.frame_id))

    def _show_maps(self, msg: Any) -> None:
        summary = json.loads(msg.data) if len(msg.data) <= _MAX_INFO else None
        if not isinstance(summary, dict):
            raise ValueError(f'{len(msg.data)} characters are not the JSON of ~/map_info')
        self._server.publish('maps', messages.maps_text(summary))

    def _show_answer(self, msg: Any) -> None:
        rows = candidates.from_msg(msg)
        text = messages.answer_text(_stamp_ns(msg), msg.header.frame_id, rows)
        self._server.publish('answer', text)

    def _show_pose(self, msg: Any) -> None:
        planar = pose_from_msg(msg.pose.pose).planar
        covariance = np.reshape(msg.pose.covariance, (6, 6))[:2, :2]
        self._server.publish('pose', messages.pose_text(_stamp_ns(msg), planar, covariance))

    def _show_path(self, msg: Any) -> None:
        path = [[pose.pose.position.x, pose.pose.position.y] for pose in msg.poses]
        self._server.publish('path', messages.path_text(np.array(path).reshape(-1, 2)))

    def _show_image(self, msg: Any) -> None:
        pixels = np.frombuffer(msg.data, np.uint8)
        if (
            msg.encoding != 'mono8'
            or msg.step != msg.width
            or len(pixels) != msg.height * msg.step
        ):
            raise ValueError(f'an image of {msg.height} x {msg.width} in {msg.encoding}')
        image = pixels.reshape(msg.height, msg.width)
        self._server.publish(messages.IMAGE, messages.image_bytes(image))

    def _show_health(self, msg: Any) -> None:
        prefix = f'{self._localizer.rpartition("/")[2]}: '
        own = [status for status in msg.status if status.name.startswith(prefix)]
        if own:  # other nodes are in other messages
            self._server.publish('health', messages.health_text([_line(each) for each in own]))


def _line(status: Any) -> Status:
    values = {item.key: item.value for item in status.values}
    level = int.from_bytes(status.level, 'little')  # a byte
    return Status(status.name.partition(': ')[2], level, status.message, values)


def _stamp_ns(msg: Any) -> int:
    stamp = msg.header.stamp
    return int(stamp.sec) * 1_000_000_000 + int(stamp.nanosec)


def serve(localizer: str, config: ServerConfig, ros_args: Sequence[str]) -> int:
    """
    Serve the page until a signal ends it; return the exit code.

    :param localizer: name of its node
    :param ros_args: of this node
    """
    return run(COMMAND, lambda: _serve(localizer, config), ros_args)


def _serve(localizer: str, config: ServerConfig) -> None:
    try:
        with ViewServer(config) as server:
            node = ViewNode(localizer, server)
            try:
                print(f'{localizer} is shown at {server.url}', flush=True)
                spin(node)
            finally:
                node.destroy_node()
    except OSError as error:
        raise StartupError(error) from error
