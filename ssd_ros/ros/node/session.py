# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What the node has while it is configured: model, maps, topics, worker, back ends, health."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
import threading
import time
from typing import TYPE_CHECKING

from rclpy.lifecycle import LifecycleNode
from rclpy.task import Future
from ssd_ros.encoders.place_encoder import PlaceEncoder
from ssd_ros.maps.place_database import PlaceDatabase
from ssd_ros.motion.stamp_order import Admitted
from ssd_ros.packages import way_out
from ssd_ros.radar.merging import MergeConfig
from ssd_ros.radar.types import Scan
from ssd_ros.ros.adapters import Adapter, load_adapter
from ssd_ros.ros.health.texts import NOT_ACTIVE, QUERY_FAILED
from ssd_ros.ros.health.throttle import Throttled
from ssd_ros.ros.inputs.odometry_input import OdometryInput
from ssd_ros.ros.inputs.prior_input import PriorInput
from ssd_ros.ros.inputs.radar_input import RadarInput
from ssd_ros.ros.inputs.stamp_source import StampSource
from ssd_ros.ros.inputs.transforms import listen_to_tf
from ssd_ros.ros.matching.loading import live_confidence, new_live_session
from ssd_ros.ros.matching.matcher import Answer, Job, Matcher, NewestScan
from ssd_ros.ros.matching.travel_gate import TravelGate
from ssd_ros.ros.matching.worker import LatestWorker
from ssd_ros.ros.messages.geometry import Pose
from ssd_ros.ros.node.askers import Askers
from ssd_ros.ros.node.report import HealthReport
from ssd_ros.ros.outputs.delivery import Delivery, Surroundings
from ssd_ros.ros.outputs.reply import answered, Delivered, Reply, unanswered
from ssd_ros.ros.outputs.tf_output import TfOutput
from ssd_ros.ros.parameters.node import NodeParameters

if TYPE_CHECKING:
    from ssd_ros.ros.matching.server_asker import ServerAsker


class Session:
    """Scans in, answers out; made by configure, closed by cleanup."""

    def __init__(
        self,
        node: LifecycleNode,
        encoder: PlaceEncoder,
        maps: Sequence[PlaceDatabase],
        parameters: Callable[[], NodeParameters],
    ) -> None:
        """
        Open the topics.

        :param parameters: returns them as they stand
        :raise ValueError: model, maps and parameters do not fit together
        :raise ImportError: the package of a message or a back end is not installed
        """
        self._node = node
        self._parameters = parameters
        self.is_active = False
        self._is_enabled = True
        self._newest: Job | None = None
        self._gate = TravelGate()
        self._answering = threading.Lock()  # or an old answer would outlive what forgets it
        self._askers = Askers(node)
        self._warn = Throttled(node.get_logger().warning)
        self._complain = Throttled(node.get_logger().error)
        self._stamps = StampSource(parameters, self._warn)
        fixed = parameters()
        self._matcher = Matcher(encoder, maps, fixed, new_live_session(encoder, fixed))
        with ExitStack() as built:  # what was opened is closed again if a part fails
            self._open(built, fixed)
            self._parts = built.pop_all()

    def _open(self, built: ExitStack, fixed: NodeParameters) -> None:
        """Open the parts; they will be closed in reverse order."""
        node, matcher = self._node, self._matcher
        self._transforms = listen_to_tf(node)
        if self._transforms is not None:
            built.callback(self._transforms.destroy)
        adapters = self._load_adapters(built, fixed)
        tf_output = TfOutput(node, fixed) if fixed.publish_tf else None
        surroundings = Surroundings(adapters, self._transforms, tf_output)
        self._delivery = Delivery(node, surroundings, matcher.statistics, self._warn)
        built.callback(self._delivery.destroy)
        self._odometry = OdometryInput(
            node, fixed.odom_frame, fixed.base_frame, self._transforms, self._stamps, self._warn
        )
        built.callback(self._odometry.destroy)
        self._input = self._open_radars(built, fixed)
        outputs = self._delivery.outputs
        self._priors = PriorInput(
            node,
            self._parameters,
            lambda: [place.info.origin for place in matcher.maps],
            lambda: outputs.initial_ns,
        )
        built.callback(self._priors.destroy)
        self._asker = self._open_asker(built) if fixed.place_server else None
        report = HealthReport(
            node, self._input, self._odometry, matcher, outputs, adapters, self._parameters
        )
        report.asker, report.priors = self._asker, self._priors
        built.callback(report.destroy)
        self._worker = LatestWorker(
            self._work, self._on_work_error, lambda: 1 / self._parameters().query_rate
        )
        built.callback(self._end_work)

    def _load_adapters(self, built: ExitStack, fixed: NodeParameters) -> list[Adapter]:
        adapters = []
        for name in filter(None, fixed.adapters):
            adapters.append(load_adapter(name, self._node, fixed.map_frame))
            built.callback(adapters[-1].destroy)
        return adapters

    def _open_asker(self, built: ExitStack) -> ServerAsker:
        try:
            from ssd_ros.ros.matching.server_asker import ServerAsker
        except ImportError as error:
            raise ImportError(f'place_server is set, but {way_out(error)}') from error
        matcher, deliver = self._matcher, self._deliver_from_server
        asker = ServerAsker(
            matcher.encoder, lambda: matcher.maps, self._parameters, deliver, self._on_work_error
        )
        built.callback(asker.close)
        return asker

    def _open_radars(self, built: ExitStack, fixed: NodeParameters) -> RadarInput:
        contract = self._matcher.encoder.contract.preprocessing
        radars = RadarInput(
            self._node,
            self._parameters,
            fixed.base_frame,
            None if self._transforms is None else self._transforms.newest,
            MergeConfig(fov_deg=contract.grid.fov_deg, ego_velocity=contract.ego_velocity),
            self._stamps,
            self._on_scan,
            self._set_clock,
            self._warn,
        )
        built.callback(radars.destroy)
        return radars

    def close(self) -> None:
        """Let the running query end and take the topics down."""
        self.deactivate()
        self._parts.close()

    def _end_work(self) -> None:
        self._worker.close()
        self._askers.answer_all(self._unanswered('the node is being shut down'))

    def activate(self) -> None:
        """Start with an empty window; the publishers are awake already."""
        with self._answering:
            self._matcher.clear()
            self._forget_answers()
        self._delivery.initial_pose.start()
        self._newest, self._gate = None, TravelGate()
        self._stamps.begin_anew()
        self._input.start()
        self.is_active = True
        self._publish_maps()

    def deactivate(self) -> None:
        """Ignore what arrives from now on."""
        self._input.stop()
        self.is_active = False

    def enable(self, is_enabled: bool) -> None:
        """Start or stop to ask for each scan; what services ask for is answered anyhow."""
        self._is_enabled = is_enabled

    def ask(self, relocalize: bool) -> Future | Reply:
        """
        Have the newest window searched for; the future's result is the Reply.

        :param relocalize: give an accepted pose to the back ends
        """
        if not self.is_active:
            return self._unanswered(NOT_ACTIVE)
        if self._newest is None:
            return self._unanswered(f'no usable scan has come on {self._input.topic_name}')
        future = self._askers.add(relocalize)
        self._worker.offer(self._newest, at_once=True)
        return future

    def _unanswered(self, reason: str) -> Reply:
        return unanswered(reason, self._matcher.maps)

    def swap_maps(self, maps: Sequence[PlaceDatabase]) -> None:
        """
        Use other maps, and the running drive another calibration, from the next query on.

        :raise ValueError: one does not fit the model; the old ones stay
        """
        confidence = live_confidence(self._matcher.encoder, self._parameters())
        with self._answering:
            self._matcher.swap_maps(maps, confidence)
            self._forget_answers()
        if self.is_active:
            self._publish_maps()

    def save(self, name: str) -> tuple[Path, int]:
        """
        Write the running drive as a map; return where, and the number of its keyframes.

        :param name: below the folder of sessions
        :raise ValueError: it is not remembered, is empty or must not be written there
        :raise OSError: it cannot be written
        """
        return self._matcher.save_live_session(name)

    def clear(self) -> None:
        """Forget the window of scans, the last answers and the running drive."""
        self._worker.drop()
        self._askers.answer_all(self._unanswered('cleared: there is no window to search with'))
        with self._answering:
            self._matcher.forget_drive()
            self._forget_answers()
        self._newest, self._gate = None, TravelGate()

    def _forget_answers(self) -> None:
        """Forget what was answered, and void what a place server still answers."""
        self._delivery.clear()
        self._priors.clear()
        if self._asker is not None:
            self._asker.forget()

    def _publish_maps(self) -> None:
        parameters, matcher = self._parameters(), self._matcher
        summary = matcher.summary(parameters)
        self._delivery.outputs.publish_maps(matcher.maps, summary, parameters)

    def _set_clock(self, admitted: Admitted[Scan]) -> None:
        """Begin a new drive, or go on with another clock."""
        if admitted.is_restart:
            self.clear()
            self._odometry.forget_transforms()
        else:
            self._matcher.set_clock(admitted.step_ns)

    def _on_scan(self, scan: Scan, base_radar: Pose, receive_s: float) -> None:
        """Add a scan to the window and have it searched for; base_radar is of the level radar."""
        decode_ms = (time.monotonic() - receive_s) * 1e3
        pose = self._odometry.radar_at(scan.stamp_ns, base_radar)
        matcher, statistics = self._matcher, self._input.primary.statistics
        newest = NewestScan(scan.stamp_ns, pose, self._odometry.segment)
        query = matcher.prepare(scan, pose, newest.segment, base_radar)
        statistics.count_used(query.image.num_points)
        statistics.is_doppler_opposite = matcher.is_doppler_opposite
        statistics.yaw_error = matcher.yaw_error
        self._newest = Job(query, newest, scan.frame_id, base_radar, receive_s, decode_ms)
        if self._is_enabled and self._gate.passes(query.odometry, self._parameters().min_travel):
            self._matcher.statistics.num_replaced += self._worker.offer(self._newest)

    def _work(self, job: Job) -> None:
        askers, is_active = self._askers.take(), self.is_active
        reply = self._unanswered('the query failed: see the log' if is_active else NOT_ACTIVE)
        try:
            if is_active:
                delivered = self._answer(job, [asker.relocalize for asker in askers])
                if askers:
                    reply = answered(delivered)
                else:  # they may ask for an old window
                    total_ms = (time.monotonic() - job.receive_s) * 1e3
                    self._matcher.statistics.time_stage('total', total_ms)
        finally:
            for asker in askers:
                asker.future.set_result(reply)

    def _answer(self, job: Job, relocalize: Sequence[bool]) -> Delivered:
        parameters = self._parameters()
        with self._answering:
            is_awaited = bool(relocalize) or self._delivery.awaits_pose(parameters)
            asked = parameters.prior.asked if relocalize else None
            told = None if asked else self._priors.at(job.newest.stamp_ns)
            job = replace(job, prior=asked or told)
            answer = self._matcher.match(job, parameters, is_awaited)
            self._priors.learn(told, answer.is_placed, answer.recognition.decision.reason)
            delivered = self._delivery.deliver(answer, job, parameters, any(relocalize))
            if self._asker is None:
                return delivered
            is_asked = self._asker.follow(answer, job, is_awaited, any(relocalize))
            return delivered._replace(is_asked_elsewhere=is_asked)

    def _deliver_from_server(
        self, answer: Answer, job: Job, wants_pose: bool, still_counts: Callable[[], bool]
    ) -> None:
        """Tell everybody what a place server answered, unless that was settled in the meantime."""
        with self._answering:
            if self.is_active and still_counts():
                self._delivery.deliver(answer, job, self._parameters(), wants_pose)

    def _on_work_error(self, error: Exception) -> None:
        if not self._node.context.ok():  # nothing can be published while ROS goes down
            return
        statistics = self._matcher.statistics
        statistics.num_failed += 1
        statistics.last_error = f'{type(error).__name__}: {error}'
        self._complain(QUERY_FAILED.format(error=statistics.last_error))
