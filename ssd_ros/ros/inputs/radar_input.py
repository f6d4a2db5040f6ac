# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""
The radars of the vehicle: their topics in, scans of the primary radar out.

The primary radar is the first of `input_topics`: each of its scans makes a query, to which the
others add what they see in its field of view (see radar_merging). The clouds of all are levelled
first; turns of a spinning radar, which is alone, are taken as they are. All of it runs in the
executor's thread.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
import time
from typing import Any

from rclpy.node import Node
from ssd_ros.motion.stamp_order import Admitted
from ssd_ros.radar.merging import MergeConfig, PlacedCloud, RadarMerger
from ssd_ros.radar.types import RadarPointCloud, Scan, SpinningRadarScan
from ssd_ros.ros.health.inputs import Level, Status
from ssd_ros.ros.health.texts import NOT_ACTIVE, TURN_TILTED
from ssd_ros.ros.inputs.extrinsics import Lookup
from ssd_ros.ros.inputs.mounting import MAX_TURN_TILT_DEG
from ssd_ros.ros.inputs.radar import Radar
from ssd_ros.ros.inputs.radar_subscription import RadarSubscription
from ssd_ros.ros.inputs.stamp_source import StampSource
from ssd_ros.ros.messages.geometry import Pose
from ssd_ros.ros.parameters.inputs import InputParameters


class RadarInput:
    """Subscribe to the radars and hand on each scan of the primary one."""

    def __init__(
        self,
        node: Node,
        parameters: Callable[[], InputParameters],
        base_frame: str,
        lookup: Lookup | None,
        merge_config: MergeConfig,
        source: StampSource,
        use: Callable[[Scan, Pose, float], None],
        set_clock: Callable[[Admitted[Scan]], None],
        warn: Callable[[str], None],
    ) -> None:
        """
        Open the topics; scans are handed on from `start` to `stop`.

        :param parameters: returns them as they stand
        :param lookup: see extrinsics; None = there is no TF
        :param use: gets a scan in the level frame of the primary radar, T_base_level and the
            monotonic time in seconds at which it came
        :param set_clock: told before that time has begun anew or that its clock was set
        :param warn: gets a sentence about each fault; the caller throttles
        :raise ImportError: the package that defines a message is not installed
        """
        self._node = node
        self._parameters = parameters
        self._source = source
        self._use = use
        self._set_clock = set_clock
        self._warn = warn
        self._merger = RadarMerger(merge_config)
        self._is_active = False
        fixed = parameters()
        self._radars = [
            Radar(topic, fixed, base_frame, lookup, source, warn) for topic in fixed.radar_topics()
        ]
        self.primary = self._radars[0]
        self._subscriptions: list[RadarSubscription] = []
        try:
            for radar in self._radars:
                self._subscriptions.append(self._subscribe(radar, fixed))
        except ImportError:
            self.destroy()
            raise

    @property
    def topic_name(self) -> str:
        """Topic of the primary radar after remapping."""
        return self._subscriptions[0].topic_name

    def destroy(self) -> None:
        """Take the topics down."""
        self.stop()
        for subscription in self._subscriptions:
            subscription.destroy()
        self._subscriptions = []

    def start(self) -> None:
        """Hand on what comes from now on."""
        for radar in self._radars:
            radar.intake.start(time.monotonic())
        self._is_active = True

    def stop(self) -> None:
        """Ignore what comes from now on."""
        self._is_active = False

    def statuses(self, min_points: int) -> list[Status]:
        """
        Report the health of each radar; call it about once a second.

        It follows the publishers and hands on what was held for long enough, too.

        :param min_points: fewest static points in the window of a query
        """
        now_s, reports = time.monotonic(), []
        for radar, subscription in zip(self._radars, self._subscriptions, strict=True):
            try:
                subscription.refresh()
            except ImportError as error:
                radar.intake.refuse('no_package', str(error))
            self._hand_on(radar, radar.intake.outlast(now_s), now_s)
            name = subscription.topic_name
            is_primary = radar is self.primary
            title = 'input' if is_primary else f'input {name}'
            if not self._is_active:
                reports.append(Status(title, Level.STALE, NOT_ACTIVE, {}))
                continue
            status = radar.statistics.status(now_s, name, min_points if is_primary else 0)
            kind, is_reliable = subscription.choice
            values = {**status.values, 'type': kind, 'reliable': is_reliable}
            values['stamp_source'] = self._source.in_use
            if status.level == Level.OK and self._source.problem:
                status = replace(status, level=Level.WARN, message=self._source.problem)
            reports.append(replace(status, name=title, values=values))
        return reports

    def _subscribe(self, radar: Radar, fixed: InputParameters) -> RadarSubscription:
        return RadarSubscription(
            self._node,
            radar.topic.name,
            fixed.input_type,
            fixed.qos_reliability,
            lambda kind, msg: self._on_message(radar, kind, msg),
            lambda: self._on_incompatible_qos(radar),
            radar.statistics.count_lost,
        )

    def _on_message(self, radar: Radar, kind: str, msg: Any) -> None:
        if not self._is_active:
            return
        try:
            self._take(radar, kind, msg)
        except Exception as error:  # no scan, however strange, may end the node
            radar.intake.refuse('failed', f'a scan failed: {type(error).__name__}: {error}')

    def _take(self, radar: Radar, kind: str, msg: Any) -> None:
        receive_s = time.monotonic()
        now_ns = self._node.get_clock().now().nanoseconds
        self._hand_on(radar, radar.intake.receive(msg, receive_s, now_ns, kind), receive_s)

    def _hand_on(self, radar: Radar, admitted: Admitted[Scan], receive_s: float) -> None:
        if radar is self.primary and (admitted.is_restart or admitted.step_ns):
            self._set_clock(admitted)
        for _, scan in admitted.samples:
            if isinstance(scan, SpinningRadarScan):
                self._use_turn(radar, scan, receive_s)
            elif radar is self.primary:
                mounting = radar.mounting(scan.frame_id)
                merged = self._merger.merged(mounting.level(scan))
                self._use(merged, mounting.base_level, receive_s)
            else:
                self._hold(radar, scan)

    def _use_turn(self, radar: Radar, scan: SpinningRadarScan, receive_s: float) -> None:
        mounting = radar.mounting(scan.frame_id)
        if mounting.tilt_deg > MAX_TURN_TILT_DEG:
            text = TURN_TILTED.format(tilt_deg=mounting.tilt_deg)
            radar.intake.refuse('tilted', text)
            return
        self._use(scan, mounting.base_level, receive_s)

    def _hold(self, radar: Radar, cloud: RadarPointCloud) -> None:
        """Keep the scan of another radar for the next one of the primary radar."""
        if not self.primary.statistics.num_messages:
            radar.intake.refuse(
                'no_primary',
                f'nothing came on {self.primary.topic.name} yet, the first of input_topics: '
                f'{radar.topic.name} is left out',
            )
            return
        frame = self.primary.statistics.frame_id
        if cloud.frame_id and cloud.frame_id == frame:
            radar.intake.refuse(
                'same_frame',
                f'{radar.topic.name} and {self.primary.topic.name} both say frame {frame!r}: '
                'tell them apart by frame_override',
            )
            return
        mounting = radar.mounting(cloud.frame_id)
        if not radar.is_placed:
            radar.intake.refuse(
                'no_extrinsics',
                f'TF does not know {cloud.frame_id!r}: {radar.topic.name} is left out; '
                'give its six numbers in radar_extrinsics',
            )
            return
        primary_radar = self.primary.mounting(frame).base_level.inverse() @ mounting.base_level
        placed = PlacedCloud(mounting.level(cloud), primary_radar.matrix)
        self._merger.hold(radar.topic.name, placed)
        radar.statistics.count_used(len(cloud))

    def _on_incompatible_qos(self, radar: Radar) -> None:
        radar.statistics.num_qos_incompatible += 1
        if self._parameters().qos_reliability == 'reliable':  # auto changes it itself
            self._warn(
                f'a publisher of {radar.topic.name} is best effort: '
                'set qos_reliability to best_effort'
            )
