# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""From a message of a radar to a scan that may be used: decoding, stamps, frames, faults."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from ssd_ros.radar.fields import DecoderConfig, PointCloudError
from ssd_ros.radar.messages import DECODERS
from ssd_ros.radar.types import RadarPointCloud
from ssd_ros.ros.health.inputs import InputStatistics


class Intake:
    """Decode the messages of one radar; faults are counted and said, never raised."""

    def __init__(
        self, config: DecoderConfig, warn: Callable[[str], None], frame_override: str = ''
    ) -> None:
        """
        Start counting.

        :param warn: gets a sentence about each fault; the caller throttles
        :param frame_override: frame of the radar, whatever its messages say
        """
        self.statistics = InputStatistics()
        self._config = config
        self._warn = warn
        self._frame_override = frame_override
        self._last_stamp_ns = 0

    def receive(
        self,
        msg: Any,
        now_s: float,
        now_ns: int,
        stamp_source: str,
        max_skew_s: float,
        kind: str = 'pointcloud2',
    ) -> RadarPointCloud | None:
        """
        Return the scan in a message with the stamp and frame to be used, or None without one.

        :param now_s: of a monotonic clock
        :param now_ns: of the clock that stamps messages
        :param kind: of the message, one of MESSAGE_TYPES
        """
        statistics = self.statistics
        statistics.count_message(now_s)
        try:
            cloud, stats = DECODERS[kind](msg, self._config)
        except PointCloudError as error:
            self.refuse(error.reason, str(error))
            return None
        statistics.points_in, statistics.points_dropped = stats.num_received, stats.num_dropped
        statistics.frame_id = self._frame_override or cloud.frame_id
        if stats.num_received == 0:
            self.refuse('empty', 'empty cloud: does the driver lose packets?')
            return None
        if len(cloud) == 0:
            self.refuse('no_valid_point', f'none of {stats.num_received} points is valid')
            return None
        if not statistics.frame_id:
            self._warn('the clouds name no frame: using radar_extrinsics; set frame_override')
        stamp_ns = self._stamp_of(cloud, now_ns, stamp_source, max_skew_s)
        return replace(cloud, stamp_ns=stamp_ns, frame_id=statistics.frame_id)

    def _stamp_of(
        self, cloud: RadarPointCloud, now_ns: int, stamp_source: str, max_skew_s: float
    ) -> int:
        statistics = self.statistics
        statistics.stamp_skew_s = (now_ns - cloud.stamp_ns) / 1e9
        stamp_ns, distrusted = stamp_of_scan(cloud.stamp_ns, now_ns, stamp_source, max_skew_s)
        if distrusted:
            self._warn(
                f'stamp {cloud.stamp_ns / 1e9:.3f} s is {statistics.stamp_skew_s:.3g} s old, '
                'using the time of arrival instead: see stamp_source and max_stamp_skew'
            )
        if stamp_ns < self._last_stamp_ns:
            statistics.num_time_jumps += 1
            self._warn(f'time went back to {stamp_ns / 1e9:.3f} s: started a new window of scans')
        self._last_stamp_ns = stamp_ns
        return stamp_ns

    def refuse(self, reason: str, text: str) -> None:
        """Count and say why a message gives no scan."""
        self.statistics.count_error(reason, text)
        self._warn(text)


def stamp_of_scan(header_ns: int, now_ns: int, source: str, max_skew_s: float) -> tuple[int, bool]:
    """
    Choose between the stamp of a message and the time of its arrival.

    Drivers leave the stamp at zero or count from power-up; both break every consumer.

    :param source: header, receive or auto
    :return: stamp of the scan, and whether auto distrusted the header
    """
    # Simulated time stands at 0 until the first /clock: nothing to compare with.
    if source == 'header' or (source == 'auto' and now_ns <= 0):
        return header_ns, False
    if source == 'receive':
        return now_ns, False
    distrusted = header_ns <= 0 or abs(now_ns - header_ns) > max_skew_s * 1e9
    return (now_ns if distrusted else header_ns), distrusted
