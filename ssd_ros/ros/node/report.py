# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The health of the node, published while it is configured."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
import time
from typing import TYPE_CHECKING

from rclpy.clock import Clock, ClockType  # type: ignore[attr-defined]
from rclpy.node import Node
from ssd_ros.recognition.decision import SUBMAP_QUERIES, UNLIKE_RADAR, WRONG_MAP_POSES
from ssd_ros.recognition.map_check import doubt_of
from ssd_ros.ros.adapters import Adapter
from ssd_ros.ros.health.inputs import Level, Status
from ssd_ros.ros.health.texts import (
    MAP_POSES_AT_RISK,
    NOTHING_REMEMBERED,
    RADAR_AT_RISK,
    SESSION_FULL,
    SQUARES_LOST,
    SUBMAPS_AT_RISK,
)
from ssd_ros.ros.inputs.odometry_input import OdometryInput
from ssd_ros.ros.inputs.prior_input import PriorInput
from ssd_ros.ros.inputs.radar_input import RadarInput
from ssd_ros.ros.matching.matcher import Matcher
from ssd_ros.ros.messages.conversions import diagnostics_msg
from ssd_ros.ros.messages.qos import qos_profile
from ssd_ros.ros.messages.topics import DIAGNOSTICS
from ssd_ros.ros.messages.types import message_class
from ssd_ros.ros.outputs.publishers import Outputs
from ssd_ros.ros.parameters.node import NodeParameters
from ssd_ros.verification import why_numpy

if TYPE_CHECKING:
    from ssd_ros.ros.matching.server_asker import ServerAsker


class HealthReport:
    """Ask the parts for their statuses, with the rate of the parameters."""

    def __init__(
        self,
        node: Node,
        radars: RadarInput,
        odometry: OdometryInput,
        matcher: Matcher,
        outputs: Outputs,
        adapters: Sequence[Adapter],
        parameters: Callable[[], NodeParameters],
    ) -> None:
        """Start to publish."""
        self._node = node
        self._radars, self._odometry = radars, odometry
        self._matcher = matcher
        self._outputs = outputs
        self._adapters = adapters
        self._parameters = parameters
        self.asker: ServerAsker | None = None
        self.priors: PriorInput | None = None
        self._is_full = False
        kind = message_class(DIAGNOSTICS.kind)
        self._publisher = node.create_publisher(
            kind, DIAGNOSTICS.name, qos_profile(DIAGNOSTICS.qos)
        )
        # Health is reported even while simulated time stands still.
        clock = Clock(clock_type=ClockType.STEADY_TIME)
        period_s = 1 / parameters().diagnostics_rate
        self._timer = node.create_timer(period_s, self._publish, clock=clock)

    def destroy(self) -> None:
        """Stop to publish."""
        self._node.destroy_timer(self._timer)
        self._node.destroy_publisher(self._publisher)

    def _publish(self) -> None:
        uuids = ','.join(database.info.uuid for database in self._matcher.maps)
        stamp = self._node.get_clock().now().to_msg()
        name = self._node.get_name()
        self._publisher.publish(diagnostics_msg(self._statuses(), name, uuids, stamp))

    def _statuses(self) -> list[Status]:
        now_s, matcher = time.monotonic(), self._matcher
        self._odometry.outlast()  # before the scans, which look their poses up
        primary, *others = self._radars.statuses(self._parameters().aggregation.min_points)
        statistics, problem = matcher.statistics, self._odometry.problem()
        primary = replace(primary, values={**primary.values, **self._odometry.values()})
        if problem and primary.level == Level.OK:
            primary = replace(primary, level=Level.WARN, message=problem)
        return [
            primary,
            *others,
            statistics.inference_status(now_s, matcher.encoder.provider),
            self._matching(now_s),
            *(adapter.status() for adapter in self._adapters),
        ]

    def _matching(self, now_s: float) -> Status:
        matcher, num_live = self._matcher, self._matcher.num_live_keyframes
        num_keyframes = sum(map(len, matcher.maps))
        status = matcher.statistics.matching_status(now_s, num_keyframes, num_live)
        more: dict[str, object] = {
            'initialpose_listeners': self._outputs.listeners_of('initialpose'),
            'radar': matcher.radar_words,
            'verification': f'NumPy: {why_numpy()}' if why_numpy() else 'compiled',
        }
        if self.priors is not None:
            more |= self.priors.values()
        if self.asker is not None:
            more |= self.asker.statistics.values()
        status = replace(status, values={**status.values, **more})
        if doubts := list(self._doubts()):
            status = replace(status, level=Level.WARN, message='; '.join(doubts))
        is_asked = matcher.statistics.num_queries > 0
        is_without = num_live == 0 and self._odometry.source == 'doppler'
        if is_asked and is_without and self._parameters().online_index:
            text = NOTHING_REMEMBERED.format(topic=self._odometry.topic_name)
            return replace(status, level=Level.WARN, message=text)
        return self._fullness(status, num_live)

    def _doubts(self) -> Iterator[str]:
        """Yield why nothing is accepted, is at a risk or is not searched."""
        matcher, parameters = self._matcher, self._parameters()
        accept = parameters.accept
        if parameters.aggregation.submap:
            yield SUBMAPS_AT_RISK if accept.risk_submaps else SUBMAP_QUERIES
        if difference := matcher.statistics.unlike_radar:
            text = RADAR_AT_RISK if accept.risk_unknown_radar else UNLIKE_RADAR
            yield text.format(difference=difference)
        text = MAP_POSES_AT_RISK if accept.risk_map_poses else WRONG_MAP_POSES
        yield from filter(None, (doubt_of(place.info, text) for place in matcher.maps))
        if self.priors is not None and (problem := self.priors.problem()):
            yield problem
        if self.asker is not None and self.asker.statistics.problem:
            yield self.asker.statistics.problem
        for place in matcher.maps:
            if problems := '; '.join(place.problems):
                name = place.info.source or place.info.uuid
                yield SQUARES_LOST.format(name=name, problems=problems)

    def _fullness(self, status: Status, num_live: int) -> Status:
        """Add that the running drive is full, which is logged once."""
        was_full, self._is_full = self._is_full, self._matcher.is_live_full
        if not self._is_full:
            return status
        text = SESSION_FULL.format(keyframes=num_live)
        if not was_full:
            self._node.get_logger().warning(text)
        message = text if status.level == Level.OK else f'{status.message}; {text}'
        return replace(status, level=max(status.level, Level.WARN), message=message)
