# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""From stamped poses as they were recorded to a trajectory, and one line on what was left out."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
import logging
import math

import numpy as np
from ssd_ros.motion.pose_faults import fault_of_pose
from ssd_ros.motion.trajectory import Trajectory

_REPEATED = 'at the stamp of another'

_logger = logging.getLogger(__name__)


class PoseSieve:
    """
    Takes stamped poses in any order and keeps those that are some.

    Null, infinite and absurd ones are counted by their fault; of two at one time the first stays.
    """

    def __init__(self, source: str) -> None:
        """
        Start without a pose.

        :param source: what the warning calls them by, such as a path
        """
        self._source = source
        self._poses: dict[int, list[float]] = {}
        self._faults: Counter[str] = Counter()
        self._fault_stamps_ns: list[int] = []  # first and last
        self._newest_ns = 0
        self._num_late = 0
        self._latest_s = 0.0

    def __len__(self) -> int:
        """Return the number of poses kept."""
        return len(self._poses)

    @property
    def faults(self) -> str:
        """What was left out: a number for each fault."""
        return ', '.join(f'{count} {fault}' for fault, count in self._faults.most_common())

    def add(self, stamp_ns: int, values: Sequence[float]) -> None:
        """
        Take a pose.

        :param values: x, y, z (m), qx, qy, qz, qw; the quaternion of any length
        """
        fault = fault_of_pose(values)
        if fault is None and not 0 <= stamp_ns < 2**63:
            fault = 'without a time'
        if fault is None and self._poses.get(stamp_ns, values) != values:
            fault = _REPEATED
        if fault is not None:
            self.leave_out(fault, stamp_ns)
            return
        if stamp_ns < self._newest_ns:
            self._num_late += 1
            self._latest_s = max(self._latest_s, (self._newest_ns - stamp_ns) / 1e9)
        self._newest_ns = max(self._newest_ns, stamp_ns)
        self._poses[stamp_ns] = list(values)

    def leave_out(self, fault: str, stamp_ns: int | None = None) -> None:
        """
        Count what is no pose.

        :param fault: in a few words
        :param stamp_ns: None where not even that is known
        """
        self._faults[fault] += 1
        if stamp_ns is not None:
            self._fault_stamps_ns = [*self._fault_stamps_ns[:1], stamp_ns]

    def trajectory(self) -> Trajectory:
        """Return what was kept in order of time, quaternions of unit length; warn of the rest."""
        if text := self._report():
            _logger.warning('%s: %s', self._source, text)
        stamps_ns = sorted(self._poses)
        rows = np.array([self._poses[stamp] for stamp in stamps_ns], np.float64).reshape(-1, 7)
        norms = np.array([math.hypot(*row[3:]) for row in rows]).reshape(-1, 1)
        return Trajectory(np.array(stamps_ns, np.int64), rows[:, :3], rows[:, 3:] / norms)

    def _report(self) -> str:
        parts = []
        if self._faults:
            num_left_out = self._faults.total()
            num_all = len(self) + num_left_out
            when = ''
            if self._fault_stamps_ns:
                first_s, last_s = self._fault_stamps_ns[0] / 1e9, self._fault_stamps_ns[-1] / 1e9
                when = f', at {first_s:.3f} s'
                if last_s != first_s:
                    when = f', from {first_s:.3f} to {last_s:.3f} s'
            parts.append(f'left out {num_left_out} of {num_all} poses: {self.faults}{when}')
        if self._num_late:
            parts.append(
                f'put {self._num_late} poses into order, up to {self._latest_s:.3f} s late'
            )
        return '; '.join(parts)
