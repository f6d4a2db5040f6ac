# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""From a message of a radar to a scan that may be used: decoding, stamps, frames, faults."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from ssd_ros.motion.stamp_line import LeftOut
from ssd_ros.motion.stamp_order import Admitted, StampOrder
from ssd_ros.radar.fields import PointCloudError
from ssd_ros.radar.types import Scan
from ssd_ros.ros.health import texts as health_texts
from ssd_ros.ros.health.inputs import InputStatistics
from ssd_ros.ros.inputs.scan_decoders import Decode
from ssd_ros.ros.inputs.stamp_source import StampSource

_LEFT_OUT = {
    'late': health_texts.STAMP_LATE,
    'ahead': health_texts.STAMP_AHEAD,
    'impossible': health_texts.STAMP_IMPOSSIBLE,
}


class Intake:
    """Decode the messages of one radar; faults are counted and said, never raised."""

    def __init__(
        self,
        decode: Decode,
        warn: Callable[[str], None],
        source: StampSource,
        name: str,
        frame_override: str = '',
    ) -> None:
        """
        Start counting.

        :param decode: reads the messages
        :param warn: gets a sentence about each fault; the caller throttles
        :param source: of the stamps of all inputs
        :param name: of the topic
        :param frame_override: frame of the radar, whatever its messages say
        """
        self._order: StampOrder[Scan] = StampOrder(sorts_in=False)
        self.statistics = InputStatistics(stamps=self._order.counts)
        self._decode = decode
        self._warn = warn
        self._source, self._num_changes = source, source.num_changes
        self._name = name
        self._frame_override = frame_override

    def start(self, now_s: float) -> None:
        """Expect messages from now on, of any time."""
        self.statistics.start(now_s)
        self._order.clear()

    def receive(
        self, msg: Any, now_s: float, now_ns: int, kind: str = 'pointcloud2'
    ) -> Admitted[Scan]:
        """
        Return the scans that may be used now, with the stamps and frame to be used.

        Mostly that is the one in the message; none while stamps are in doubt, or a turn goes on.

        :param now_s: of a monotonic clock
        :param now_ns: of the clock that stamps messages
        :param kind: of the message, one of MESSAGE_TYPES
        """
        statistics = self.statistics
        try:
            decoded = self._decode(kind, msg)
        except PointCloudError as error:
            statistics.count_message(now_s)
            self.refuse(error.reason, str(error))
            return Admitted()
        if decoded is None:  # of a turn that goes on
            return Admitted()
        statistics.count_message(now_s)
        scan, num_received, statistics.points_dropped = decoded
        statistics.points_in = num_received
        statistics.frame_id = self._frame_override or scan.frame_id
        if num_received == 0:
            self.refuse('empty', 'empty cloud: does the driver lose packets?')
            return Admitted()
        if decoded.is_empty:
            self.refuse('no_valid_point', f'none of {num_received} points is valid')
            return Admitted()
        if not statistics.frame_id:
            self._warn('the clouds name no frame: using radar_extrinsics; set frame_override')
        return self._admit(replace(scan, frame_id=statistics.frame_id), now_s, now_ns)

    def _admit(self, scan: Scan, now_s: float, now_ns: int) -> Admitted[Scan]:
        """Ask what the stamp says."""
        statistics, source = self.statistics, self._source
        statistics.stamp_skew_s = (now_ns - scan.stamp_ns) / 1e9
        stamp_ns = source.stamp_of(self._name, scan.stamp_ns, now_ns)
        if source.num_changes != self._num_changes:
            self._num_changes = source.num_changes
            self._order.change_clock()
        num_steps = self._order.counts.steps
        admitted = self._order.admit(
            stamp_ns, replace(scan, stamp_ns=stamp_ns), round(now_s * 1e9)
        )
        for odd in admitted.left_out:
            self._leave_out(odd)
        if self._order.is_in_doubt:
            statistics.last_error = health_texts.STAMP_IN_DOUBT.format(stamp_s=stamp_ns / 1e9)
            self._warn(statistics.last_error)
        if admitted.is_restart:
            self._warn(health_texts.TIME_WENT_BACK.format(stamp_s=stamp_ns / 1e9))
        if self._order.counts.steps > num_steps:
            step_s = admitted.step_ns / 1e9
            self._warn(health_texts.CLOCK_SET.format(name=self._name, step_s=step_s))
        return admitted

    def outlast(self, now_s: float) -> Admitted[Scan]:
        """Return the scans that are held and ahead, if nothing has contradicted them for long."""
        return self._order.outlast(round(now_s * 1e9))

    def _leave_out(self, odd: LeftOut) -> None:
        self.refuse(odd.reason, _LEFT_OUT[odd.reason].format(stamp_s=odd.stamp_ns / 1e9))

    def refuse(self, reason: str, text: str) -> None:
        """Count and say why a message gives no scan."""
        self.statistics.count_error(reason, text)
        self._warn(text)
