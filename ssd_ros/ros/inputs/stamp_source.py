# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""
Whose clock stamps what arrives: that of the messages or ours; one decision for all inputs.

Else a scan by our clock would be looked up in odometry by another. What follows from the stamps
then is said in `ssd_ros.motion.stamp_order`.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import pairwise
import math

from ssd_ros.ros.health import texts as health_texts
from ssd_ros.ros.parameters.inputs import InputParameters

ODOMETRY = 'odometry'
# Reconstructed: so many messages in a row decide, and skews so near each other are the same.
_EVIDENCE = 3
_PATIENCE = 10  # so many, while another input has hardly begun
_SAME_NS = 500_000_000


@dataclass(slots=True)
class _Heard:
    """
    The last messages of one input.

    :param stamps_ns: stamps of the messages and of their arrival
    :param num_off: how many in a row had a stamp that is off, while our own clock went on
    :param num_near: how many in a row had not
    """

    stamps_ns: deque[tuple[int, int]] = field(default_factory=lambda: deque(maxlen=_EVIDENCE))
    num_off: int = 0
    num_near: int = 0

    def add(self, header_ns: int, now_ns: int, max_skew_s: float) -> bool:
        """Note a message and return whether its stamp is off."""
        is_off = header_ns <= 0 or abs(now_ns - header_ns) > max_skew_s * 1e9
        has_ticked = not self.stamps_ns or now_ns > self.stamps_ns[-1][1]
        self.num_off = self.num_off + has_ticked if is_off else 0
        self.num_near = 0 if is_off else self.num_near + 1
        self.stamps_ns.append((header_ns, now_ns))
        return is_off

    def offset_ns(self) -> int | None:
        """Return by how much the stamps are ahead, None unless that is the same for all."""
        headers_ns = [header_ns for header_ns, _ in self.stamps_ns]
        if len(headers_ns) < _EVIDENCE or headers_ns[0] <= 0:
            return None
        if any(b <= a for a, b in pairwise(headers_ns)):
            return None  # a clock that stands still is none
        offsets_ns = sorted(header_ns - now_ns for header_ns, now_ns in self.stamps_ns)
        is_constant = offsets_ns[-1] - offsets_ns[0] <= _SAME_NS
        return offsets_ns[len(offsets_ns) // 2] if is_constant else None


class StampSource:
    """
    The decision, as `stamp_source` says.

    `auto` believes the messages until EVIDENCE of one input in a row are off by more than
    max_stamp_skew; from then on all inputs are stamped by arrival, for as long as the node is
    active. If odometry and radars are off by the same, they fit together and go on to be
    believed. Before either is settled, a message that is off is stamped by its arrival.
    """

    def __init__(
        self, parameters: Callable[[], InputParameters], warn: Callable[[str], None]
    ) -> None:
        """
        Believe the messages.

        :param parameters: returns them as they stand
        :param warn: gets a sentence when the decision falls
        """
        self._parameters = parameters
        self._warn = warn
        self.num_changes = 0  # of the clock: what was stamped before does not compare
        self.begin_anew()

    def begin_anew(self) -> None:
        """Decide again."""
        self._heard: dict[str, _Heard] = {}
        self._by_arrival = self._is_settled = False
        parameters = self._parameters()
        self._given = parameters.stamp_source, parameters.stamp_offset
        self.problem = ''  # what diagnostics say about the decision
        self.offset_s = 0.0  # of all inputs against our clock, where it was seen
        self.num_changes += 1

    @property
    def in_use(self) -> str:
        """Whose clock stamps: header or receive."""
        return 'receive' if self._by_arrival or self._given[0] == 'receive' else 'header'

    def stamp_of(self, name: str, header_ns: int, now_ns: int) -> int:
        """
        Return the stamp of a message of one input.

        :param name: of the input: ODOMETRY, or the topic of a radar
        :param now_ns: arrival, on our clock
        """
        parameters = self._parameters()
        source, offset_s = parameters.stamp_source, parameters.stamp_offset
        if (source, offset_s) != self._given:
            self.begin_anew()
        if source == 'receive':
            return now_ns
        if header_ns > 0:  # 0 = nobody has set it
            header_ns += round(offset_s * 1e9)
        # Simulated time stands at 0 until the first /clock: nothing to compare with.
        if source == 'header' or now_ns <= 0:
            return header_ns
        heard = self._heard.setdefault(name, _Heard())
        is_off = heard.add(header_ns, now_ns, parameters.max_stamp_skew)
        if self._by_arrival:
            return now_ns
        if is_off and not self.offset_s:
            self._judge(name, heard)
        if self._by_arrival or (is_off and not self._is_settled):
            return now_ns
        self._is_settled |= heard.num_near >= _EVIDENCE
        return header_ns

    def _judge(self, name: str, heard: _Heard) -> None:
        """Decide, if there is evidence enough."""
        common_ns = self._common_offset_ns()
        if common_ns is not None and len(self._heard) > 1 and ODOMETRY in self._heard:
            self.offset_s = common_ns / 1e9
            self._is_settled = True
            self._change(
                health_texts.CONSTANT_OFFSET.format(
                    apart_s=abs(self.offset_s),
                    side=_side(common_ns),
                    offset_s=self._parameters().stamp_offset - self.offset_s,
                )
            )
        elif heard.num_off >= self._num_needed():
            self._by_arrival = self._is_settled = True
            header_ns, now_ns = heard.stamps_ns[-1]
            hint = ''
            if common_ns is not None:  # else it would spoil the stamps of the others
                offset_s = self._parameters().stamp_offset - common_ns / 1e9
                hint = f'; if that is constant, set stamp_offset to {offset_s:.1f}'
            side, apart_s = _side(header_ns - now_ns), abs(header_ns - now_ns) / 1e9
            self._change(
                health_texts.STAMPED_BY_ARRIVAL.format(
                    name=name, apart_s=apart_s, side=side, hint=hint
                )
            )

    def _num_needed(self) -> float:
        """Return how many messages decide: if possible, all inputs are heard before."""
        is_heard = {name: len(heard.stamps_ns) == _EVIDENCE for name, heard in self._heard.items()}
        if not any(is_heard[name] for name in is_heard if name != ODOMETRY):
            return math.inf
        return _EVIDENCE if all(is_heard.values()) else _PATIENCE

    def _common_offset_ns(self) -> int | None:
        """Return by how much all inputs are off, None if they differ."""
        offsets_ns = []
        for heard in self._heard.values():
            offset_ns = heard.offset_ns()
            if offset_ns is None or not heard.num_off:
                return None
            offsets_ns.append(offset_ns)
        offset_ns = sorted(offsets_ns)[len(offsets_ns) // 2]
        is_common = max(offsets_ns) - min(offsets_ns) <= _SAME_NS < abs(offset_ns)
        return offset_ns if is_common else None

    def _change(self, text: str) -> None:
        self.problem = text
        self.num_changes += 1
        self._warn(text)


def _side(offset_ns: int) -> str:
    return 'ahead' if offset_ns > 0 else 'behind'
