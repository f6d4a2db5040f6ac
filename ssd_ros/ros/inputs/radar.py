# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""One radar of the vehicle."""

from __future__ import annotations

from collections.abc import Callable

from ssd_ros.ros.health.inputs import InputStatistics
from ssd_ros.ros.inputs.extrinsics import Extrinsics, Lookup
from ssd_ros.ros.inputs.intake import Intake
from ssd_ros.ros.inputs.mounting import Mounting, mounting_of
from ssd_ros.ros.inputs.scan_decoders import cloud_decoder, turn_decoder
from ssd_ros.ros.inputs.stamp_source import StampSource
from ssd_ros.ros.messages.geometry import pose_from_xyzrpy, UNMOVED
from ssd_ros.ros.parameters.inputs import InputParameters, RadarTopic


class Radar:
    """One radar: where it sits, what came from it and what was wrong with that."""

    def __init__(
        self,
        topic: RadarTopic,
        parameters: InputParameters,
        base_frame: str,
        lookup: Lookup | None,
        source: StampSource,
        warn: Callable[[str], None],
    ) -> None:
        """
        Start counting.

        :param lookup: see extrinsics; None = there is no TF
        """
        self.topic = topic
        if parameters.sensor == 'spinning':
            decode = turn_decoder(parameters.spinning_preset())
        else:
            decode = cloud_decoder(parameters.decoder_config())
        self.intake = Intake(decode, warn, source, topic.name, topic.frame_override)
        self._is_in_parameters = topic.extrinsics is not None
        fallback = pose_from_xyzrpy(topic.extrinsics) if topic.extrinsics else UNMOVED
        self.extrinsics = Extrinsics(
            base_frame, fallback, lookup, warn if self._is_in_parameters else _say_nothing
        )

    @property
    def statistics(self) -> InputStatistics:
        """What was counted."""
        return self.intake.statistics

    def mounting(self, frame: str) -> Mounting:
        """Return how it is mounted, from TF or else from the parameters; frame as in its scans."""
        pose, self.statistics.extrinsics = self.extrinsics.pose_of(frame)
        mounting = mounting_of(pose)
        self.statistics.tilt_deg = mounting.tilt_deg
        return mounting

    @property
    def is_placed(self) -> bool:
        """Whether TF or a parameter, not a default, told the last mounting."""
        return self._is_in_parameters or self.statistics.extrinsics == 'tf'


def _say_nothing(text: str) -> None:
    """Keep quiet: the caller says more."""
