# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The accepted places as a path, which people look at."""

from __future__ import annotations

from geometry_msgs.msg import PoseStamped, PoseWithCovarianceStamped
from nav_msgs.msg import Path
import numpy as np
from ssd_ros.motion.trail import Trail
from std_msgs.msg import Header

_PERIOD_S = 1.0  # a long path takes some milliseconds to send


class AcceptedPath:
    """Where the vehicle was by the places of the map that were accepted."""

    def __init__(self) -> None:
        self._trail: Trail[PoseStamped] = Trail()
        self._due_s = 0.0

    def add(self, msg: PoseWithCovarianceStamped) -> None:
        """Add what `~/pose` says."""
        pose = msg.pose.pose
        xy_m = np.array([pose.position.x, pose.position.y])
        self._trail.add(xy_m, PoseStamped(header=msg.header, pose=pose))

    def clear(self) -> None:
        """Forget it: the drive or the map is another."""
        self._trail.clear()
        self._due_s = 0.0

    def is_due(self, now_s: float) -> bool:
        """Return whether it is time to send it again; then the next one is in a second."""
        if now_s < self._due_s:
            return False
        self._due_s = now_s + _PERIOD_S
        return True

    def message(self, header: Header) -> Path:
        """Return it as a message."""
        return Path(header=header, poses=self._trail.points)
