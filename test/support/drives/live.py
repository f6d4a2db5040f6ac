# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""A driver and odometry of a simulated drive on the running graph, at the pace of real ones."""

from __future__ import annotations

from collections.abc import Callable
import threading
import time
from types import TracebackType
from typing import Any

from support.ros import points_msg  # skips the tests where rclpy is absent

# isort: split
from builtin_interfaces.msg import Time
from nav_msgs.msg import Odometry
import numpy as np
import rclpy
from rclpy.context import Context
from rclpy.node import Node
from sensor_msgs.msg import PointCloud2
from ssd_ros.radar.types import RadarPointCloud
from support.posts import MovingDrive

_NS = 1_000_000_000
_POSES = 5  # a scan


class LiveDrive:
    """Publish in a thread of its own from the beginning of the block to its end."""

    def __init__(
        self,
        drive: MovingDrive,
        topic: str = '/front/points',
        odometry_topic: str = '/odom',
        child: str = 'base_link',
        stamp_of: Callable[[int], int] = lambda now_ns: now_ns,
        measured: Callable[[RadarPointCloud], RadarPointCloud] = lambda cloud: cloud,
    ) -> None:
        """
        Take over a drive; at its end the vehicle stands for good.

        :param child: whose odometry it is
        :param stamp_of: what the clock of the sensors says at a time
        :param measured: what the radar makes of what there is to see
        """
        self._drive, self._child = drive, child
        self._topic, self._odometry_topic = topic, odometry_topic
        self._stamp_of, self._measured = stamp_of, measured
        self._is_over = threading.Event()
        self._thread = threading.Thread(target=self._publish)

    def __enter__(self) -> LiveDrive:
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._is_over.set()
        self._thread.join()

    def _publish(self) -> None:
        context = Context()
        rclpy.init(context=context)
        node = Node('live_drive', context=context)
        try:
            clouds = node.create_publisher(PointCloud2, self._topic, 10)
            poses = node.create_publisher(Odometry, self._odometry_topic, 10)
            start_s, positions_m = time.monotonic(), self._drive.cloud_poses.positions_m
            for number in range(_POSES * (len(positions_m) - 1)):
                index, part = divmod(number, _POSES)
                due_s = start_s + number / _POSES * self._drive.step_ns / _NS
                if self._is_over.wait(max(due_s - time.monotonic(), 0.0)):
                    return
                stamp_ns = self._stamp_of(time.time_ns())
                x_m = np.interp(index + part / _POSES, range(len(positions_m)), positions_m[:, 0])
                poses.publish(self._pose(float(x_m), stamp_ns))
                if part == 0:
                    cloud = self._measured(self._drive.cloud(index))
                    clouds.publish(points_msg(cloud, stamp_ns))
            self._is_over.wait()
        finally:
            node.destroy_node()
            rclpy.shutdown(context=context)

    def _pose(self, x_m: float, stamp_ns: int) -> Any:
        msg = Odometry(child_frame_id=self._child)
        msg.header.frame_id = 'odom'
        sec, nanosec = divmod(stamp_ns, _NS)
        msg.header.stamp = Time(sec=sec, nanosec=nanosec)
        msg.pose.pose.position.x = x_m
        msg.pose.pose.orientation.w = 1.0
        return msg
