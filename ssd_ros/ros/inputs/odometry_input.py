# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""
Where the vehicle is in the odometry frame: from the topic `odom`, else from TF.

Without both the recogniser integrates the radar's own Doppler velocity, which says how far the
vehicle went but not where to. Covariances are ignored: back ends fill them in too many ways.
"""

from __future__ import annotations

from collections.abc import Callable
import time

from nav_msgs.msg import Odometry
from rclpy.node import Node
from rclpy.qos import qos_profile_sensor_data
from ssd_ros.motion.pose_chain import PoseChain
from ssd_ros.motion.pose_faults import fault_of_pose
from ssd_ros.recognition.answer import SensorPose
from ssd_ros.ros.health import texts as health_texts
from ssd_ros.ros.inputs import stamp_source
from ssd_ros.ros.inputs.odometry_buffer import LATE_NS, OdometryBuffer, values_of
from ssd_ros.ros.inputs.stamp_source import StampSource
from ssd_ros.ros.inputs.transforms import Transforms
from ssd_ros.ros.messages.conversions import pose_from_msg
from ssd_ros.ros.messages.geometry import Pose
from ssd_ros.ros.messages.topics import ODOMETRY


class OdometryInput:
    """T_odom_base at the time of a scan; all of it runs in the executor's thread."""

    def __init__(
        self,
        node: Node,
        odom_frame: str,
        base_frame: str,
        transforms: Transforms | None,
        source: StampSource,
        warn: Callable[[str], None],
    ) -> None:
        """
        Listen.

        :param source: of the stamps of all inputs
        :param warn: gets a sentence about each fault; the caller throttles
        """
        self._node = node
        self._odom_frame, self._base_frame = odom_frame, base_frame
        self._transforms = transforms
        self._warn = warn
        self._buffer = OdometryBuffer()
        self._tf_chain = PoseChain()
        self._num_tf_invalid = 0
        self.segment = 0  # of the last pose that was told
        self._source = 'doppler'
        self._stamps, self._num_changes = source, source.num_changes
        self._num_messages = self._num_misses = 0
        self._problem = ''
        self._subscription = node.create_subscription(
            Odometry, ODOMETRY.name, self._on_odometry, qos_profile_sensor_data
        )

    @property
    def topic_name(self) -> str:
        """Name of the topic after remapping."""
        return str(self._subscription.topic_name)

    def destroy(self) -> None:
        """Take the topic down."""
        self._node.destroy_subscription(self._subscription)

    def radar_at(self, stamp_ns: int, base_radar: Pose) -> SensorPose | None:
        """
        Return T_odom_radar at the stamp of a scan, None if nothing tells.

        :param base_radar: T_base_radar
        """
        odom_base, self._source = self._found(stamp_ns)
        if odom_base is None:
            return None
        odom_radar = odom_base @ base_radar
        return SensorPose(odom_radar.position_m, odom_radar.quaternion_xyzw)

    def forget_transforms(self) -> None:
        """Forget what moves: time began anew."""
        if self._transforms is not None:  # of Humble, the buffer keeps what lies ahead
            self._transforms.clear()
            self._tf_chain.begin_anew()

    @property
    def source(self) -> str:
        """Who told about the last scan: topic, tf or, if neither did, doppler."""
        return self._source

    def outlast(self) -> None:
        """Believe what is held and ahead, if nothing has contradicted it for long."""
        self._buffer.outlast(time.monotonic_ns())

    def values(self) -> dict[str, object]:
        """Return what diagnostics say about it."""
        counts, chain = self._buffer.stream.counts, self._tf_chain
        if not len(self._buffer):
            of_tf = {'jumps': chain.num_jumps, 'segments': chain.segment + 1}
            counts |= of_tf | {'invalid': counts['invalid'] + self._num_tf_invalid}
        return {
            'odometry': self._source,
            'odometry_messages': self._num_messages,
            'odometry_misses': self._num_misses,
            **{f'odometry_{reason}': num for reason, num in counts.items()},
        }

    def problem(self) -> str:
        """Return what was wrong since the last call, empty if nothing was."""
        problem, self._problem = self._problem, ''
        return problem

    def _found(self, stamp_ns: int) -> tuple[Pose | None, str]:
        if len(self._buffer):
            pose = self._buffer.at(stamp_ns)
            if pose is None:
                self._num_misses += 1
                self._warn(self._missed(stamp_ns))
            self.segment = self._buffer.segment_at(stamp_ns)
            return pose, 'doppler' if pose is None else 'topic'
        pose = None if self._transforms is None else self._from_tf(self._transforms, stamp_ns)
        return pose, 'doppler' if pose is None else 'tf'

    def _from_tf(self, transforms: Transforms, stamp_ns: int) -> Pose | None:
        pose = transforms.near(self._odom_frame, self._base_frame, stamp_ns, LATE_NS)
        if pose is None:
            return None
        fault = fault_of_pose(values_of(pose))
        if fault is not None:
            self._num_tf_invalid += 1
            self._say(health_texts.ODOMETRY_LEFT_OUT.format(error=f'a pose that is {fault}'))
            return None
        if not self._tf_chain.add(stamp_ns, values_of(pose)):
            return None
        if self._tf_chain.segment != self.segment:
            self.segment = self._tf_chain.segment
            self._say_segment(stamp_ns, self.segment)
        return pose

    def _missed(self, stamp_ns: int) -> str:
        apart_s = (self._buffer.newest_ns - stamp_ns) / 1e9
        side = 'earlier' if apart_s < 0 else 'later'
        return health_texts.ODOMETRY_MISSED.format(
            stamp_s=stamp_ns / 1e9, apart_s=abs(apart_s), side=side
        )

    def _say_segment(self, stamp_ns: int, segment: int) -> None:
        text = health_texts.ODOMETRY_BEGAN_ANEW
        self._say(text.format(stamp_s=stamp_ns / 1e9, segment=segment + 1))

    def _say(self, problem: str) -> None:
        self._problem = problem
        self._warn(problem)

    def _on_odometry(self, msg: Odometry) -> None:
        self._check_frame('frame_id', msg.header.frame_id, 'odom_frame', self._odom_frame)
        self._check_frame('child_frame_id', msg.child_frame_id, 'base_frame', self._base_frame)
        self._num_messages += 1
        now_ns = self._node.get_clock().now().nanoseconds
        header_ns = msg.header.stamp.sec * 1_000_000_000 + msg.header.stamp.nanosec
        stamp_ns = self._stamps.stamp_of(stamp_source.ODOMETRY, header_ns, now_ns)
        if self._stamps.num_changes != self._num_changes:
            self._num_changes = self._stamps.num_changes
            self._buffer.stream.change_clock()
        arrived = self._buffer.add(stamp_ns, pose_from_msg(msg.pose.pose), time.monotonic_ns())
        if arrived.begins_ns is not None:
            self._say_segment(arrived.begins_ns, arrived.poses[-1].segment)
        if arrived.left_out:
            self._say(health_texts.ODOMETRY_LEFT_OUT.format(error=arrived.left_out))

    def _check_frame(self, field: str, found: str, parameter: str, expected: str) -> None:
        if found and found != expected:
            self._warn(
                health_texts.ODOMETRY_FRAME.format(
                    field=field, found=found, parameter=parameter, expected=expected
                )
            )
