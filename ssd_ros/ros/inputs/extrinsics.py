# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Where the radar sits on the vehicle: from TF where ROS has it, else from a parameter."""

from __future__ import annotations

from collections.abc import Callable

from ssd_ros.ros.messages.geometry import Pose

# (base frame, radar frame) -> T_base_radar, or None while TF does not know it.
Lookup = Callable[[str, str], Pose | None]


class Extrinsics:
    """T_base_radar of each radar frame, as last found; a transform that moves is followed."""

    def __init__(
        self, base_frame: str, fallback: Pose, lookup: Lookup | None, warn: Callable[[str], None]
    ) -> None:
        """
        Start with nothing known.

        :param fallback: T_base_radar while the lookup does not find it
        :param warn: gets a sentence each time it does not; the caller throttles
        """
        self._warn = warn
        self._base_frame = base_frame
        self._fallback = fallback
        self._lookup = lookup
        self._known: dict[str, Pose] = {}

    def pose_of(self, radar_frame: str) -> tuple[Pose, str]:
        """Return T_base_radar and where it comes from: `tf` or `parameter`."""
        if self._lookup is not None and radar_frame:
            pose = self._lookup(self._base_frame, radar_frame)
            if pose is not None:
                self._known[radar_frame] = pose
            elif radar_frame not in self._known:
                self._warn(
                    f'TF does not know {radar_frame!r} in {self._base_frame!r}: '
                    'using radar_extrinsics'
                )
        if radar_frame in self._known:
            return self._known[radar_frame], 'tf'
        return self._fallback, 'parameter'
