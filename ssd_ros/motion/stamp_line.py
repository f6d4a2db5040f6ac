# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The stamps of one input: those that hold, what is usual for them, and what did not hold."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from statistics import median
from typing import NamedTuple

RESTART_NS = 1_000_000_000
_NUM_STEPS = 9  # whose median is usual
_NUM_USUAL = 3  # before so many, nothing is known to be usual
_STEPS_AHEAD = 4  # so many usual steps are in line
_SHORTEST_USUAL_NS = 100_000_000
_LATENESS_NS = 500_000_000  # of a message against another one, in arrival
_BACK_SOON_NS = 10_000_000_000  # a clock set forward is set back within so long, or never


@dataclass(slots=True)
class StampCounts:
    """
    What became of samples that were not in line, and of the clock.

    :param late: by up to RESTART_NS, or alone with an earlier stamp
    :param ahead: alone with a later stamp
    :param impossible: below 0 or beyond what a message can say
    """

    late: int = 0
    ahead: int = 0
    impossible: int = 0
    steps: int = 0
    restarts: int = 0


class LeftOut(NamedTuple):
    """A sample that is not used, and why: a field of StampCounts."""

    stamp_ns: int
    reason: str


@dataclass(slots=True)
class StampLine:
    """
    The stamps that hold.

    :param founded_ns: the newest that is not the end of a gap, or that others have followed
    :param left_ns: the newest before the clock was set forward
    :param landed_ns: the first after that
    """

    newest_ns: int
    founded_ns: int
    arrival_ns: int | None
    left_ns: int | None = None
    landed_ns: int = 0
    steps_ns: deque[int] = field(default_factory=lambda: deque(maxlen=_NUM_STEPS))

    @property
    def usual_ns(self) -> float | None:
        """The longest step that is in line, None while that is not known."""
        if len(self.steps_ns) < _NUM_USUAL:
            return None
        return _STEPS_AHEAD * max(median(self.steps_ns), _SHORTEST_USUAL_NS)

    def expects(self, stamp_ns: int, arrival_ns: int | None) -> bool:
        """Return whether a newer stamp needs no evidence."""
        step_ns, usual_ns = stamp_ns - self.newest_ns, self.usual_ns
        if usual_ns is None or step_ns <= usual_ns:
            return True
        if arrival_ns is None or self.arrival_ns is None:
            return False
        return step_ns <= arrival_ns - self.arrival_ns + _LATENESS_NS

    def go_on(self, stamp_ns: int, arrival_ns: int | None) -> None:
        """Take a newer stamp."""
        step_ns = stamp_ns - self.newest_ns
        is_gap = step_ns > (self.usual_ns or RESTART_NS)
        self.founded_ns = self.newest_ns if is_gap else stamp_ns
        self.newest_ns, self.arrival_ns = stamp_ns, arrival_ns
        self.steps_ns.append(step_ns)

    def was_set_back(self, stamp_ns: int) -> bool:
        """Return whether the clock is again where it was before it had been set forward."""
        if self.left_ns is None or self.newest_ns - self.landed_ns > _BACK_SOON_NS:
            return False
        return stamp_ns > self.left_ns - RESTART_NS
