# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The poses of an odometry as they come: which may be used, and in what order of time."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import asdict, dataclass
import math

from ssd_ros.motion.pose_chain import PoseChain, StampedPose, Values
from ssd_ros.motion.pose_faults import fault_of_pose
from ssd_ros.motion.stamp_order import Admitted, StampOrder


@dataclass(frozen=True, slots=True)
class Arrived:
    """
    What one more message has brought.

    :param poses: to be used now, in order of time; one that is late is to be sorted in
    :param forgets_all: the poses before are of another drive or another clock
    :param forgets_after_ns: poses newer than this had odd stamps; None = none had
    :param left_out: in a few words, why something was not used
    :param begins_ns: stamp of the first pose of a new segment; None = none begins here
    """

    poses: tuple[StampedPose, ...] = ()
    forgets_all: bool = False
    forgets_after_ns: int | None = None
    left_out: str = ''
    begins_ns: int | None = None

    def num_kept(self, stamps_ns: Sequence[int]) -> int:
        """
        Return how many of the poses before stay, counted from the oldest.

        :param stamps_ns: of the poses before, ascending
        """
        if self.forgets_all:
            return 0
        if self.forgets_after_ns is None:
            return len(stamps_ns)
        return bisect_right(stamps_ns, self.forgets_after_ns)


class PoseStream:
    """Leaves out poses that are none and odd stamps, counts them, and tells segments apart."""

    def __init__(self) -> None:
        self._order: StampOrder[Values] = StampOrder(sorts_in=True)
        self._chain = PoseChain()
        self._num_invalid = 0
        self._is_new_clock = False

    @property
    def counts(self) -> dict[str, int]:
        """What was left out or late, by the reason, and how often time began anew."""
        chain = self._chain
        return {
            'invalid': self._num_invalid,
            'jumps': chain.num_jumps,
            'segments': chain.segment + 1,
            **asdict(self._order.counts),
        }

    def change_clock(self) -> None:
        """Expect stamps of another clock."""
        self._order.change_clock()
        self._is_new_clock = True

    def add(
        self, stamp_ns: int, values: Sequence[float], arrival_ns: int | None = None
    ) -> Arrived:
        """
        Take a message.

        :param values: x, y, z (m), qx, qy, qz, qw
        :param arrival_ns: on a clock that nobody sets; None = not known
        """
        fault = fault_of_pose(values)
        if fault is not None:
            self._num_invalid += 1
            return Arrived(left_out=f'a pose that is {fault}')
        norm = math.hypot(*values[3:])
        unit = (*values[:3], *(value / norm for value in values[3:]))
        return self._arrived(self._order.admit(stamp_ns, unit, arrival_ns))

    def outlast(self, arrival_ns: int) -> Arrived:
        """Believe what was held, as StampOrder does."""
        return self._arrived(self._order.outlast(arrival_ns))

    def _arrived(self, admitted: Admitted[Values]) -> Arrived:
        chain = self._chain
        segment, num_jumps = chain.segment, chain.num_jumps
        is_new_clock = self._is_new_clock and bool(admitted.samples)
        self._is_new_clock &= not is_new_clock
        if admitted.is_restart:
            chain.begin_anew()
        elif is_new_clock or admitted.step_ns:
            chain.change_clock()
        poses = [pose for sample in admitted.samples for pose in chain.add(*sample)]
        begun = [pose.stamp_ns for pose in poses if pose.segment != segment]
        return Arrived(
            tuple(poses),
            admitted.is_restart or is_new_clock,
            admitted.samples[-1][0] if admitted.step_ns < 0 else None,
            _in_words(admitted)
            or ('a single pose that jumps' if chain.num_jumps > num_jumps else ''),
            begun[0] if begun else None,
        )


def _in_words(admitted: Admitted[Values]) -> str:
    if not admitted.left_out:
        return ''
    stamp_ns, reason = admitted.left_out[-1]
    return f'stamp {stamp_ns / 1e9:.3f} s is {reason}'
