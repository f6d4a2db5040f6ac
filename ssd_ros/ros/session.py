# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What the node has while it is configured: model, map, topics, worker, health."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
import time

from diagnostic_msgs.msg import DiagnosticArray
from rclpy.clock import Clock, ClockType  # type: ignore[attr-defined]
from rclpy.lifecycle import LifecycleNode
from rclpy.qos import QoSProfile, ReliabilityPolicy
from rclpy.task import Future
from sensor_msgs.msg import PointCloud2
from ssd_ros.encoder import OnnxEncoder
from ssd_ros.place_database import PlaceDatabase
from ssd_ros.ros.conversions import diagnostics_msg
from ssd_ros.ros.extrinsics import Extrinsics, tf_lookup
from ssd_ros.ros.geometry import pose_from_xyzrpy
from ssd_ros.ros.health import Level, Status
from ssd_ros.ros.intake import Intake
from ssd_ros.ros.loading import map_summary
from ssd_ros.ros.matcher import Job, Matcher
from ssd_ros.ros.outputs import no_reply, Outputs, query_reply
from ssd_ros.ros.parameters import NodeParameters
from ssd_ros.ros.worker import LatestWorker

try:
    from rclpy.event_handler import SubscriptionEventCallbacks
except ImportError:  # Humble
    from rclpy.qos_event import SubscriptionEventCallbacks

_WARN_PERIOD_S = 5.0
_NOT_ACTIVE = 'the node is not active'


class Session:
    """Scans in, answers out; made by configure, closed by cleanup."""

    def __init__(
        self,
        node: LifecycleNode,
        encoder: OnnxEncoder,
        database: PlaceDatabase,
        parameters: Callable[[], NodeParameters],
    ) -> None:
        """
        Open the topics.

        :param parameters: returns them as they stand
        :raise MapError: model and map do not fit together
        """
        self._node = node
        self._parameters = parameters
        self.is_active = False
        fixed = parameters()
        self._matcher = Matcher(encoder, database, fixed)
        self._intake = Intake(fixed.doppler_sign, self._warn)
        mounting = pose_from_xyzrpy(fixed.radar_extrinsics)
        self._extrinsics = Extrinsics(fixed.base_frame, mounting, tf_lookup(node), self._warn)
        self._newest: Job | None = None
        self._askers: deque[Future] = deque()
        self._outputs = Outputs(node)
        self._worker = LatestWorker(
            self._work, self._on_work_error, lambda: 1 / parameters().query_rate
        )
        self._subscription = node.create_subscription(
            PointCloud2,
            'points',
            self._on_points,
            QoSProfile(depth=5, reliability=ReliabilityPolicy[fixed.qos_reliability.upper()]),
            event_callbacks=SubscriptionEventCallbacks(
                incompatible_qos=lambda event: self._on_incompatible_qos()
            ),
        )
        self._diagnostics = node.create_publisher(DiagnosticArray, '/diagnostics', 10)
        # Health is reported even while simulated time stands still.
        self._timer = node.create_timer(
            1 / fixed.diagnostics_rate, self._report, clock=Clock(clock_type=ClockType.STEADY_TIME)
        )

    def close(self) -> None:
        """Let the running query end and take the topics down."""
        self.deactivate()
        self._worker.close()
        self._answer_askers(no_reply('the node is being shut down'))
        self._node.destroy_timer(self._timer)
        self._node.destroy_subscription(self._subscription)
        self._node.destroy_publisher(self._diagnostics)
        self._outputs.destroy(self._node)

    def activate(self) -> None:
        """Start with an empty window; the publishers are awake already."""
        self._matcher.clear()
        self._intake.statistics.start(time.monotonic())
        self._newest = None
        self.is_active = True
        self._publish_map_info()

    def deactivate(self) -> None:
        """Ignore what arrives from now on."""
        self.is_active = False

    def ask(self) -> Future | str:
        """Have the newest window searched for; the future's result is the reply to `~/query`."""
        if not self.is_active:
            return no_reply(_NOT_ACTIVE)
        if self._newest is None:
            return no_reply(f'no usable point cloud has come on {self._subscription.topic_name}')
        reply = Future(executor=self._node.executor)
        # The executor sleeps until something happens to it: this callback does.
        reply.add_done_callback(lambda done: None)
        self._askers.append(reply)
        self._worker.offer(self._newest, at_once=True)
        return reply

    def swap_database(self, database: PlaceDatabase) -> None:
        """
        Use another map from the next query on.

        :raise MapError: it does not fit the model; the old one stays
        """
        self._matcher.swap_database(database)
        if self.is_active:
            self._publish_map_info()

    def _publish_map_info(self) -> None:
        map_frame = self._parameters().map_frame
        self._outputs.publish_map_info(
            map_summary(self._matcher.database, self._matcher.encoder, map_frame)
        )

    def _on_points(self, msg: PointCloud2) -> None:
        if not self.is_active:
            return
        try:
            self._take(msg)
        except Exception as error:  # no cloud, however strange, may end the node
            text = f'{type(error).__name__}: {error}'
            self._intake.statistics.count_error('failed', text)
            self._node.get_logger().error(
                f'a cloud failed: {text}', throttle_duration_sec=_WARN_PERIOD_S
            )

    def _take(self, msg: PointCloud2) -> None:
        """Add a scan to the window and have it searched for."""
        receive_s, parameters = time.monotonic(), self._parameters()
        now_ns = self._node.get_clock().now().nanoseconds
        cloud = self._intake.receive(
            msg, receive_s, now_ns, parameters.stamp_source, parameters.max_stamp_skew
        )
        if cloud is None:
            return
        decode_ms = (time.monotonic() - receive_s) * 1e3
        query = self._matcher.prepare(cloud)
        self._intake.statistics.count_used(query.image.num_points)
        self._newest = Job(query, cloud.frame_id, receive_s, decode_ms)
        if self._worker.offer(self._newest):
            self._matcher.statistics.num_replaced += 1

    def _work(self, job: Job) -> None:
        askers = [self._askers.popleft() for _ in range(len(self._askers))]
        if not self.is_active:
            for asker in askers:
                asker.set_result(no_reply(_NOT_ACTIVE))
            return
        reply = no_reply('the query failed: see the log')
        try:
            parameters = self._parameters()
            answer = self._matcher.match(job, parameters)
            base_radar, self._intake.statistics.extrinsics = self._extrinsics.pose_of(job.frame_id)
            rows = self._outputs.publish(answer, base_radar, parameters)
            age_s = time.monotonic() - job.receive_s
            reply = query_reply(answer, rows, age_s)
            if not askers:  # they may ask for an old window
                self._matcher.statistics.time_stage('total', age_s * 1e3)
        finally:
            for asker in askers:
                asker.set_result(reply)

    def _on_work_error(self, error: Exception) -> None:
        if not self._node.context.ok():  # nothing can be published while ROS goes down
            return
        self._matcher.statistics.num_failed += 1
        self._matcher.statistics.last_error = f'{type(error).__name__}: {error}'
        self._node.get_logger().error(
            f'a query failed: {self._matcher.statistics.last_error}',
            throttle_duration_sec=_WARN_PERIOD_S,
        )

    def _answer_askers(self, reply: str) -> None:
        while self._askers:
            self._askers.popleft().set_result(reply)

    def _on_incompatible_qos(self) -> None:
        self._intake.statistics.num_qos_incompatible += 1
        self._warn(
            f'a publisher of {self._subscription.topic_name} is best effort: '
            'set qos_reliability to best_effort'
        )

    def _report(self) -> None:
        """Publish the health of the node."""
        now_s, parameters = time.monotonic(), self._parameters()
        if self.is_active:
            received = self._intake.statistics.status(
                now_s, self._subscription.topic_name, parameters.aggregation.min_points
            )
        else:
            received = Status('input', Level.STALE, _NOT_ACTIVE, {})
        database, statistics = self._matcher.database, self._matcher.statistics
        statuses = [
            received,
            statistics.inference_status(now_s, self._matcher.encoder.provider),
            statistics.matching_status(now_s, len(database)),
        ]
        stamp = self._node.get_clock().now().to_msg()
        name, uuid = self._node.get_name(), database.info.uuid
        self._diagnostics.publish(diagnostics_msg(statuses, name, uuid, stamp))

    def _warn(self, text: str) -> None:
        self._node.get_logger().warning(text, throttle_duration_sec=_WARN_PERIOD_S)
