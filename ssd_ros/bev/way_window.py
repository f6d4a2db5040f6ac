# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The static returns of the last metres of way, in the frame of the newest scan."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from ssd_ros.motion.odometry import compose, motion_between

MAX_POINTS = 1 << 18  # 4 MB; of more, the oldest scans leave the window


class WindowScan(NamedTuple):
    """
    One scan of a window.

    :param pose: shape (3,): x, y, yaw in the frame of the first scan since the window was cleared
    :param way_m: until there
    :param returns: shape (N, 4) float32: x, y, z in metres, frame of the scan, and RCS in dBsm
    :param tag: the caller's own
    """

    pose: NDArray[np.float64]
    way_m: float
    returns: NDArray[np.float32]
    tag: Any


class WayWindow:
    """
    Scans of the last metres, some way apart, and the newest one.

    The way from scan to scan is as the crow flies: the jitter of a vehicle that stands is none.
    """

    def __init__(self, length_m: float, step_m: float = 0.25) -> None:
        """
        Start without a scan.

        :param length_m: of the way
        :param step_m: at least, from scan to scan: who stands or creeps adds none
        """
        self._length_m, self._step_m = length_m, step_m
        self._scans: deque[WindowScan] = deque()

    def clear(self) -> None:
        """Forget the scans so far."""
        self._scans.clear()

    @property
    def way_m(self) -> float:
        """Length of the way that the window shows now."""
        return self._scans[-1].way_m - self._scans[0].way_m if self._scans else 0.0

    def add(
        self,
        returns: NDArray[np.float32],
        motion: NDArray[np.float64] | None,
        tag: Any = None,
    ) -> None:
        """
        Add a scan.

        :param returns: shape (N, 4): x, y, z in metres, level axes at the radar, and RCS in dBsm
        :param motion: shape (3,): planar pose of the radar in its frame at the last scan; None =
            unknown: the window begins anew
        :param tag: kept with the scan
        """
        scans = self._scans
        if motion is None:
            scans.clear()
        if motion is None or not scans:
            scans.append(WindowScan(np.zeros(3), 0.0, returns, tag))
            return
        pose = compose(scans[-1].pose, motion)
        if len(scans) > 1 and scans[-1].way_m - scans[-2].way_m < self._step_m:
            scans.pop()
        step_m = float(np.hypot(*(pose - scans[-1].pose)[:2]))
        scans.append(WindowScan(pose, scans[-1].way_m + step_m, returns, tag))
        self._forget()

    def back(self, distance_m: float) -> WindowScan | None:
        """Return the newest scan so far back on the way, None if the window is not as long."""
        last_m = self._scans[-1].way_m - distance_m if self._scans else 0.0
        return next((scan for scan in reversed(self._scans) if scan.way_m <= last_m), None)

    @property
    def scans(self) -> tuple[WindowScan, ...]:
        """The scans, the oldest first; none of them is ever changed."""
        return tuple(self._scans)

    def seen_from_newest(self) -> NDArray[np.float32]:
        """Return all returns in the frame of the newest scan, shape (P, 4), the oldest first."""
        return seen_from(self._scans[-1], self._scans)

    def _forget(self) -> None:
        """Let the scans go that lie too far back, or are too much to keep."""
        num_points = sum(len(scan.returns) for scan in self._scans)
        while len(self._scans) > 1 and (self.way_m > self._length_m or num_points > MAX_POINTS):
            num_points -= len(self._scans.popleft().returns)


def seen_from(scan: WindowScan, scans: Iterable[WindowScan]) -> NDArray[np.float32]:
    """Return the returns of scans in the frame of one, shape (P, 4), in their order."""
    return np.concatenate([_moved(one, scan.pose) for one in scans])


def _moved(scan: WindowScan, pose: NDArray[np.float64]) -> NDArray[np.float32]:
    """Return the returns of a scan in the frame of another pose."""
    x, y, yaw = motion_between(pose, scan.pose)
    cos, sin = np.cos(yaw), np.sin(yaw)
    moved = scan.returns.copy()
    moved[:, :2] = scan.returns[:, :2] @ np.array([[cos, sin], [-sin, cos]]) + (x, y)
    return moved
