# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What follows from an answer: topics, the initial pose, back ends, the transform."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
import time

import numpy as np
from rclpy.lifecycle import LifecycleNode
from ssd_ros.ros.adapters import Adapter
from ssd_ros.ros.adapters.closure import LoopClosure
from ssd_ros.ros.health.texts import NOBODY_LISTENS
from ssd_ros.ros.inputs.transforms import Transforms
from ssd_ros.ros.matching.matcher import Answer, Job
from ssd_ros.ros.matching.query_health import QueryStatistics
from ssd_ros.ros.messages.geometry import Pose
from ssd_ros.ros.messages.qos import qos_profile
from ssd_ros.ros.messages.topics import LOST
from ssd_ros.ros.outputs.closures import accepted_closure, at_newest_scan
from ssd_ros.ros.outputs.initial_pose import InitialPosePolicy
from ssd_ros.ros.outputs.publishers import Outputs
from ssd_ros.ros.outputs.reply import Delivered
from ssd_ros.ros.outputs.tf_output import TfOutput
from ssd_ros.ros.parameters.node import NodeParameters
from std_msgs.msg import Bool

_TF_LATE_NS = 100_000_000


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What the node hands its answers to, besides its topics."""

    adapters: Sequence[Adapter]
    transforms: Transforms | None
    tf_output: TfOutput | None


class Delivery:
    """Publish answers; `deliver` runs in the worker's thread."""

    def __init__(
        self,
        node: LifecycleNode,
        surroundings: Surroundings,
        statistics: QueryStatistics,
        warn: Callable[[str], None],
    ) -> None:
        """
        Open the topics.

        :param warn: gets a sentence about each fault; the caller throttles
        """
        self.outputs = Outputs(node)
        self.initial_pose = InitialPosePolicy()
        self._node = node
        self._lost = node.create_subscription(
            Bool, LOST.name, self._on_lost, qos_profile(LOST.qos)
        )
        self._to = surroundings
        self._statistics = statistics
        self._warn = warn

    def destroy(self) -> None:
        """Take the topics down."""
        self._node.destroy_subscription(self._lost)
        self.outputs.destroy()
        if self._to.tf_output is not None:
            self._to.tf_output.destroy()

    def clear(self) -> None:
        """Forget what earlier answers said: they were of another drive or other maps."""
        self._statistics.begin_anew()
        self.outputs.clear()
        if self._to.tf_output is not None:
            self._to.tf_output.clear()

    def awaits_pose(self, parameters: NodeParameters) -> bool:
        """Return whether a back end waits for an initial pose."""
        return self.initial_pose.is_due(parameters.initialpose_mode)

    def deliver(
        self, answer: Answer, job: Job, parameters: NodeParameters, is_requested: bool
    ) -> Delivered:
        """
        Tell everybody.

        :param is_requested: a service asked for an initial pose
        """
        base_radar = job.base_radar
        if answer.news is not None:
            self.outputs.publish_info(answer.news)
        age_s = time.monotonic() - job.receive_s
        rows = self.outputs.publish_answer(answer, base_radar, parameters, age_s)
        live = accepted_closure(answer, True, base_radar, parameters)
        if live is not None:
            if parameters.publish_loop_closure_stamps:
                self.outputs.publish_loop_closure_stamps(live)
            self._tell_adapters(live)
        mapped = accepted_closure(answer, False, base_radar, parameters)
        if mapped is not None:
            self._statistics.num_since_accept = 0  # of a place server, too
            self.outputs.publish_pose(mapped, parameters)
            self._tell_adapters(mapped)
            here = at_newest_scan(mapped, job)
            if here is not None:
                self._initialize(here, parameters, is_requested)
            self._compare(mapped, parameters)
        self._publish_tf(mapped, job)
        self.outputs.publish_pictures(answer, job, parameters)
        return Delivered(answer, rows, age_s, mapped is not None)

    def _on_lost(self, msg: Bool) -> None:
        self.initial_pose.lose(msg.data)

    def _tell_adapters(self, closure: LoopClosure) -> None:
        for adapter in self._to.adapters:
            adapter.on_loop_closure(closure)

    def _initialize(
        self, closure: LoopClosure, parameters: NodeParameters, is_requested: bool
    ) -> None:
        """Set the pose of the back ends if the mode asks for it."""
        mode, interval_s = parameters.initialpose_mode, parameters.initialpose_min_interval
        if not self.initial_pose.wants(mode, is_requested, time.monotonic(), interval_s):
            return
        for adapter in self._to.adapters:
            adapter.relocalize(closure)
        if mode == 'off':
            return
        self.outputs.publish_initial_pose(closure, parameters.map_frame)
        if not self.outputs.listeners_of('initialpose'):
            name = self.outputs.topic_name('initialpose')
            self._warn(NOBODY_LISTENS.format(topic=name))

    def _compare(self, closure: LoopClosure, parameters: NodeParameters) -> None:
        """Note how far the back end's own pose lies from the accepted one."""
        transforms = self._to.transforms
        if transforms is None or parameters.publish_tf:
            return
        frames = parameters.map_frame, parameters.base_frame
        known = transforms.near(*frames, closure.query_stamp_ns, _TF_LATE_NS)
        if known is not None:
            apart_m = (known.position_m - closure.map_base.position_m)[:2]
            self._statistics.proxies.add_agreement(float(np.hypot(*apart_m)))

    def _publish_tf(self, mapped: LoopClosure | None, job: Job) -> None:
        if self._to.tf_output is None:
            return
        if mapped is not None and job.query.pose is not None:
            odom_base = Pose(*job.query.pose) @ job.base_radar.inverse()
            self._to.tf_output.update(mapped.map_base @ odom_base.inverse())
        self._to.tf_output.publish(job.newest.stamp_ns)
