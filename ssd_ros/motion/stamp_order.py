# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""
The clock policy: what follows from the stamps of one input, asked by all who listen to one.

One odd stamp says nothing: messages come late or twice, drivers stamp a scan with 0 or an hour
ahead. What contradicts the stamps before is held until EVIDENCE samples in a row agree with each
other, each newer than the last (or one lasts and comes again and again), or until a sample goes on
as before. Where no other comes, one that is ahead is believed for the time being.

- **In line**: newer by no more than is usual for this input, or by no more than the time that has
  passed meanwhile. It is used.
- **Late** by up to RESTART_NS: disorder. It is sorted in or left out, as the listener wants.
- **Odd**: farther ahead or behind, and contradicted by what follows. It is left out.
- **A step** of the clock: EVIDENCE samples say that it was set forward by any amount, or back to
  where it was before it had been set forward; _MUCH_LATE that it was set back by up to RESTART_NS.
  The drive goes on.
- **A restart**: EVIDENCE samples in a row say that it is more than RESTART_NS earlier than it had
  been for at least two samples. A bag or a simulation began again: a new drive begins.

The thresholds are reconstructed.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import Generic, TypeVar

from ssd_ros.motion.stamp_line import LeftOut, RESTART_NS, StampCounts, StampLine
from ssd_ros.motion.trajectory import END_OF_STAMPS_NS

EVIDENCE = 3
_MUCH_LATE = 10  # so many late ones in a row: the newest stamp was odd
_LASTS_NS = 1_000_000_000  # in arrival, for which nothing contradicts
_APART_NS = 10_000_000_000  # samples farther apart are no evidence for each other

Sample = TypeVar('Sample')


@dataclass(frozen=True, slots=True)
class Admitted(Generic[Sample]):
    """
    What one more sample has decided.

    :param samples: to be used now, with their stamps, in order of time; one that is late is older
        than others before and to be sorted in, one that came twice is here twice
    :param is_restart: all before is of another drive
    :param step_ns: by which the clock was set, 0 = it was not; if it was set back, what is newer
        than the last of the samples had odd stamps
    :param left_out: this sample or what was held, not to be used after all
    """

    samples: tuple[tuple[int, Sample], ...] = ()
    is_restart: bool = False
    step_ns: int = 0
    left_out: tuple[LeftOut, ...] = ()


@dataclass(slots=True)
class _Doubt(Generic[Sample]):
    """
    A sample that contradicts those before.

    :param is_late: by so little that it was handed on or left out already
    """

    stamp_ns: int
    sample: Sample
    is_late: bool


class StampOrder(Generic[Sample]):
    """The policy for one input."""

    def __init__(self, sorts_in: bool) -> None:
        """
        Expect the first sample.

        :param sorts_in: samples that are late by little are handed on; else they are left out
        """
        self.counts = StampCounts()
        self._sorts_in = sorts_in
        self._line: StampLine | None = None
        self._doubts: list[_Doubt[Sample]] = []
        self._evidence = 0
        self._since_ns = 0  # arrival of the first one held
        self._is_new_clock = False

    @property
    def is_in_doubt(self) -> bool:
        """Whether samples are held until more have come."""
        return any(not doubt.is_late for doubt in self._doubts)

    def clear(self) -> None:
        """Expect a first sample again."""
        self._line, self._is_new_clock = None, False
        self._doubts, self._evidence = [], 0

    def change_clock(self) -> None:
        """Expect the next stamp from another clock: it is no restart, whatever it says."""
        self._is_new_clock = self._line is not None

    def admit(
        self, stamp_ns: int, sample: Sample, arrival_ns: int | None = None
    ) -> Admitted[Sample]:
        """
        Add a sample.

        :param arrival_ns: on a clock that nobody sets; None = not known, as in a recording
        """
        if not 0 <= stamp_ns < END_OF_STAMPS_NS:
            return Admitted(left_out=(self._count(stamp_ns, 'impossible'),))
        line, samples = self._line, ((stamp_ns, sample),)
        if line is None:
            self._line = StampLine(stamp_ns, stamp_ns, arrival_ns)
            return Admitted(samples)
        if self._is_new_clock:
            return self._step(samples, arrival_ns)
        if stamp_ns == line.newest_ns:  # it came twice, or its clock ticks slowly
            return Admitted(samples)
        if stamp_ns > line.newest_ns:
            if line.expects(stamp_ns, arrival_ns):
                left_out = self._settle()
                line.go_on(stamp_ns, arrival_ns)
                return Admitted(samples, left_out=left_out)
        elif line.founded_ns < stamp_ns < (line.founded_ns + line.newest_ns) // 2:
            # The newest was taken for the end of a gap.
            self.counts.ahead += 1
            return self._step(samples, arrival_ns)
        return self._doubt(_Doubt(stamp_ns, sample, False), arrival_ns)

    def outlast(self, arrival_ns: int) -> Admitted[Sample]:
        """Believe what is held and ahead, if nothing has contradicted it for so long."""
        line = self._line
        if line is None or not self._doubts or arrival_ns - self._since_ns < _LASTS_NS:
            return Admitted()
        if self._doubts[0].stamp_ns < line.newest_ns:
            return Admitted()
        held = sorted(self._doubts, key=lambda doubt: doubt.stamp_ns)
        for doubt in held:
            line.go_on(doubt.stamp_ns, arrival_ns)
        self._doubts, self._evidence = [], 0
        return Admitted(tuple((doubt.stamp_ns, doubt.sample) for doubt in held))

    def _doubt(self, doubt: _Doubt[Sample], arrival_ns: int | None) -> Admitted[Sample]:
        """Hold a sample that contradicts those before; enough of them are right."""
        line = self._line
        assert line is not None
        last_ns = self._doubts[-1].stamp_ns if self._doubts else doubt.stamp_ns - 1
        lasts = arrival_ns is not None and arrival_ns - self._since_ns >= _LASTS_NS
        if self._doubts and doubt.stamp_ns == last_ns:  # it came twice
            return self._give_in(arrival_ns) if lasts else Admitted()
        doubt.is_late = 0 < line.newest_ns - doubt.stamp_ns <= RESTART_NS
        left_out = () if self._agrees(doubt) else self._settle()
        if not self._doubts:
            self._since_ns = arrival_ns or 0
        self._evidence += doubt.stamp_ns > last_ns or not self._doubts
        self._doubts.append(doubt)
        if self._evidence >= (_MUCH_LATE if doubt.is_late else EVIDENCE):
            return self._give_in(arrival_ns)
        if not doubt.is_late:
            return Admitted(left_out=left_out)
        late = self._count(doubt.stamp_ns, 'late')
        if self._sorts_in:
            return Admitted(((doubt.stamp_ns, doubt.sample),), left_out=left_out)
        return Admitted(left_out=(*left_out, late))

    def _agrees(self, doubt: _Doubt[Sample]) -> bool:
        """Return whether a sample and those held may be of one clock."""
        line = self._line
        if not self._doubts or line is None:
            return True
        last_ns = max(each.stamp_ns for each in self._doubts)
        is_ahead = doubt.stamp_ns > line.newest_ns
        if is_ahead != (last_ns > line.newest_ns) or doubt.is_late != self._doubts[-1].is_late:
            return False
        if doubt.stamp_ns <= last_ns - RESTART_NS:
            return False
        return is_ahead or doubt.stamp_ns - last_ns < max(_APART_NS, line.usual_ns or 0)

    def _settle(self) -> tuple[LeftOut, ...]:
        """Give up what is held: the next sample says otherwise."""
        assert self._line is not None
        newest_ns = self._line.newest_ns
        left_out = tuple(
            self._count(doubt.stamp_ns, 'ahead' if doubt.stamp_ns > newest_ns else 'late')
            for doubt in self._doubts
            if not doubt.is_late
        )
        self._doubts, self._evidence = [], 0
        return left_out

    def _give_in(self, arrival_ns: int | None) -> Admitted[Sample]:
        """Believe what is held."""
        line, last = self._line, self._doubts[-1]
        assert line is not None
        first_ns = min(doubt.stamp_ns for doubt in self._doubts)
        held = sorted(self._doubts, key=lambda doubt: doubt.stamp_ns)
        samples = tuple(
            (each.stamp_ns, each.sample) for each in held if each is last or not each.is_late
        )
        if first_ns > line.founded_ns - RESTART_NS or line.was_set_back(first_ns):
            self.counts.steps += 1
            return self._step(samples, arrival_ns)
        self.counts.restarts += 1
        self._doubts, self._evidence = [], 0
        newest_ns = samples[-1][0]
        self._line = StampLine(newest_ns, newest_ns, arrival_ns, steps_ns=line.steps_ns)
        return Admitted(samples, is_restart=True)

    def _step(
        self, samples: tuple[tuple[int, Sample], ...], arrival_ns: int | None
    ) -> Admitted[Sample]:
        """Go on with a clock that was set."""
        assert self._line is not None
        before, newest_ns = self._line, samples[-1][0]
        self._line = line = StampLine(newest_ns, newest_ns, arrival_ns, steps_ns=before.steps_ns)
        if newest_ns > before.newest_ns:
            line.left_ns, line.landed_ns = before.newest_ns, newest_ns
            if len(samples) > 1:  # the rate may be another one
                stamps_ns = [stamp_ns for stamp_ns, _ in samples]
                line.steps_ns.clear()
                line.steps_ns.extend(b - a for a, b in pairwise(stamps_ns))
        self._doubts, self._evidence, self._is_new_clock = [], 0, False
        return Admitted(samples, step_ns=samples[0][0] - before.newest_ns)

    def _count(self, stamp_ns: int, reason: str) -> LeftOut:
        setattr(self.counts, reason, getattr(self.counts, reason) + 1)
        return LeftOut(stamp_ns, reason)
