# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The transforms in a recording, as they stood at its end: who is mounted on whom, and where."""

from __future__ import annotations

from typing import Any

import numpy as np
from ssd_ros.ros.messages.geometry import Pose, UNMOVED

TF_TYPE = 'tf2_msgs/msg/TFMessage'
_MAX_DEPTH = 100  # a ring of frames is no tree


class TfTree:
    """Frames and their parents."""

    def __init__(self) -> None:
        """Know no frame."""
        self._parents: dict[str, tuple[str, Pose]] = {}

    def add(self, message: Any) -> None:
        """Take over the transforms of a tf2_msgs/TFMessage; those that are none are left out."""
        for each in message.transforms:
            shift, turned = each.transform.translation, each.transform.rotation
            quaternion = np.array([turned.x, turned.y, turned.z, turned.w])
            norm = float(np.linalg.norm(quaternion))
            if not 0.9 < norm < 1.1:
                continue
            pose = Pose(np.array([shift.x, shift.y, shift.z]), quaternion / norm)
            self._parents[_name(each.child_frame_id)] = _name(each.header.frame_id), pose

    def __contains__(self, frame: str) -> bool:
        """Return whether a frame is known."""
        return frame in self._parents or any(frame == above for above, _ in self._parents.values())

    def lookup(self, target: str, source: str) -> Pose | None:
        """Return T_target_source, None if it is not known."""
        if target == source:
            return UNMOVED if target in self else None
        (target_root, root_target), (source_root, root_source) = map(
            self._to_root, (target, source)
        )
        if target_root != source_root:
            return None
        return root_target.inverse() @ root_source

    def _to_root(self, frame: str) -> tuple[str, Pose]:
        """Return the frame that carries another, and the pose of that in it."""
        frame, pose = _name(frame), UNMOVED
        for _ in range(_MAX_DEPTH):
            if frame not in self._parents:
                break
            frame, parent_frame = self._parents[frame]
            pose = parent_frame @ pose
        return frame, pose


def _name(frame: str) -> str:
    return frame.lstrip('/')
