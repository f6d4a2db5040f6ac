# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What arrives at the node, and what that says about its health."""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import IntEnum
import math

from ssd_ros.motion.mounting_check import UNKNOWN_YAW, YawError
from ssd_ros.motion.stamp_line import StampCounts
from ssd_ros.ros.health import texts as health_texts

SILENCE_S = 2.0  # without a message for so long the input counts as dead
LOW_RATE_HZ = 2.0  # reconstructed: a window of scans is a second long
_NUM_FOR_RATE = 10


class Level(IntEnum):
    """Severity, with the values of diagnostic_msgs/DiagnosticStatus."""

    OK = 0
    WARN = 1
    ERROR = 2
    STALE = 3


@dataclass(frozen=True, slots=True)
class Status:
    """One line of /diagnostics."""

    name: str
    level: Level
    message: str
    values: Mapping[str, object]


@dataclass(slots=True)
class InputStatistics:
    """What arrived; touched by the executor's thread alone."""

    stamps: StampCounts = field(default_factory=StampCounts)
    since_s: float = 0.0  # start of the interval that is reported next
    active_since_s: float = 0.0  # silence before does not count
    num_messages: int = 0
    num_in_interval: int = 0
    num_used_in_interval: int = 0
    last_receive_s: float = math.nan
    points_in: int = 0
    points_used: int = 0
    points_dropped: int = 0
    num_qos_incompatible: int = 0
    num_lost: int = 0
    is_doppler_opposite: bool = False  # to the direction of travel by odometry
    yaw_error: YawError = UNKNOWN_YAW  # of the mounting
    stamp_skew_s: float = math.nan
    frame_id: str = ''
    extrinsics: str = ''
    tilt_deg: float = 0.0  # of the radar, taken out of its clouds
    last_receives_s: deque[float] = field(default_factory=lambda: deque(maxlen=_NUM_FOR_RATE))
    errors: Counter[str] = field(default_factory=Counter)
    last_error: str = ''

    def start(self, now_s: float) -> None:
        """Expect messages from now on."""
        self.since_s = self.active_since_s = now_s
        self.last_receives_s.clear()

    def count_message(self, receive_s: float) -> None:
        """Note that a message came, whatever it holds."""
        self.num_messages += 1
        self.num_in_interval += 1
        self.last_receive_s = receive_s
        self.last_receives_s.append(receive_s)

    def count_used(self, points_in_window: int) -> None:
        """Note that a message gave a scan."""
        self.num_used_in_interval += 1
        self.points_used = points_in_window

    def count_lost(self, num: int) -> None:
        """Note that the middleware lost messages, or found some again."""
        self.num_lost += num

    def count_error(self, reason: str, text: str) -> None:
        """Note a message that gave no scan."""
        self.errors[reason] += 1
        self.last_error = text

    def status(self, now_s: float, topic: str, min_points: int) -> Status:
        """Report the interval since the last call and start a new one."""
        rate_hz = self.num_in_interval / max(now_s - self.since_s, 1e-6)
        # The first argument wins against NaN.
        silent_s = now_s - max(self.active_since_s, self.last_receive_s)
        level, message = self._judge(silent_s, topic, min_points)
        values = {
            'topic': topic,
            'messages': self.num_messages,
            'lost': self.num_lost,
            'rate_hz': round(rate_hz, 2),
            'age_s': round(now_s - self.last_receive_s, 3),
            'points_in': self.points_in,
            'points_used': self.points_used,
            'points_dropped': self.points_dropped,
            'stamp_skew_s': round(self.stamp_skew_s, 3),
            'time_jumps': self.stamps.restarts,
            'clock_steps': self.stamps.steps,
            'qos_incompatible': self.num_qos_incompatible,
            'frame': self.frame_id,
            'extrinsics': self.extrinsics,
            'tilt_deg': round(self.tilt_deg, 1),
            'yaw_error_deg': round(math.degrees(self.yaw_error.rad), 2),
            'yaw_error_sigma_deg': round(math.degrees(self.yaw_error.sigma_rad), 2),
            **{f'refused_{reason}': count for reason, count in sorted(self.errors.items())},
        }
        self.since_s = now_s
        self.num_in_interval = self.num_used_in_interval = 0
        return Status('input', level, message, values)

    def _judge(self, silent_s: float, topic: str, min_points: int) -> tuple[Level, str]:
        texts = health_texts
        if silent_s > SILENCE_S:
            return Level.ERROR, texts.NO_MESSAGE.format(topic=topic, silent_s=silent_s)
        if self.num_in_interval and not self.num_used_in_interval:
            return Level.ERROR, texts.NONE_USABLE.format(error=self.last_error)
        if self.num_used_in_interval < self.num_in_interval:
            return Level.WARN, texts.SOME_UNUSABLE.format(error=self.last_error)
        if self.is_doppler_opposite:
            return Level.WARN, texts.DOPPLER_OPPOSITE
        if self.yaw_error.is_wrong:
            return Level.WARN, self._misaligned()
        if self.num_messages and self.points_used < min_points:
            return Level.WARN, texts.FEW_POINTS.format(points=self.points_used)
        if self._recent_rate_hz() < LOW_RATE_HZ:
            return Level.WARN, texts.LOW_RATE.format(rate_hz=self._recent_rate_hz())
        return Level.OK, 'receiving' if self.num_messages else 'waiting for the first message'

    def _misaligned(self) -> str:
        frame, error = self.frame_id or 'the radar', self.yaw_error
        return health_texts.MISALIGNED.format(
            words=error.words, correction_rad=error.rad, frame=frame
        )

    def _recent_rate_hz(self) -> float:
        """Return the rate of the last messages, infinite before there are enough."""
        received = self.last_receives_s
        if len(received) < _NUM_FOR_RATE:
            return math.inf
        return (len(received) - 1) / max(received[-1] - received[0], 1e-6)
