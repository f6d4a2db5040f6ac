# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What the node counts and times, and what that says about its health."""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import IntEnum
import math

import numpy as np

SILENCE_S = 2.0  # without a message for so long the input counts as dead
NUM_KEPT = 600  # half a minute at 20 Hz


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

    since_s: float = 0.0  # start of the interval that is reported next
    active_since_s: float = 0.0  # silence before does not count
    num_messages: int = 0
    num_in_interval: int = 0
    num_used_in_interval: int = 0
    last_receive_s: float = math.nan
    points_in: int = 0
    points_used: int = 0
    points_dropped: int = 0
    num_time_jumps: int = 0
    num_qos_incompatible: int = 0
    stamp_skew_s: float = math.nan
    frame_id: str = ''
    extrinsics: str = ''
    errors: Counter[str] = field(default_factory=Counter)
    last_error: str = ''

    def start(self, now_s: float) -> None:
        """Expect messages from now on."""
        self.since_s = self.active_since_s = now_s

    def count_message(self, receive_s: float) -> None:
        """Note that a message came, whatever it holds."""
        self.num_messages += 1
        self.num_in_interval += 1
        self.last_receive_s = receive_s

    def count_used(self, points_in_window: int) -> None:
        """Note that a message gave a scan."""
        self.num_used_in_interval += 1
        self.points_used = points_in_window

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
            'rate_hz': round(rate_hz, 2),
            'age_s': round(now_s - self.last_receive_s, 3),
            'points_in': self.points_in,
            'points_used': self.points_used,
            'points_dropped': self.points_dropped,
            'stamp_skew_s': round(self.stamp_skew_s, 3),
            'time_jumps': self.num_time_jumps,
            'qos_incompatible': self.num_qos_incompatible,
            'frame': self.frame_id,
            'extrinsics': self.extrinsics,
            **{f'refused_{reason}': count for reason, count in sorted(self.errors.items())},
        }
        self.since_s = now_s
        self.num_in_interval = self.num_used_in_interval = 0
        return Status('input', level, message, values)

    def _judge(self, silent_s: float, topic: str, min_points: int) -> tuple[Level, str]:
        if silent_s > SILENCE_S:
            hint = 'is the driver running, and its QoS compatible?'
            return Level.ERROR, f'no message on {topic} for {silent_s:.0f} s: {hint}'
        if self.num_in_interval and not self.num_used_in_interval:
            return Level.ERROR, f'no message was usable: {self.last_error}'
        if self.num_used_in_interval < self.num_in_interval:
            return Level.WARN, f'some messages were not usable: {self.last_error}'
        if self.num_messages and self.points_used < min_points:
            return Level.WARN, f'few points: {self.points_used} in the window'
        return Level.OK, 'receiving' if self.num_messages else 'waiting for the first message'


@dataclass(slots=True)
class QueryStatistics:
    """
    What was asked; counted by the worker, reported by the executor.

    No lock: each field has one writer, and `list` copies a deque in one operation.
    """

    since_s: float  # start of the interval that is reported next
    num_queries: int = 0
    num_accepted: int = 0
    num_failed: int = 0
    num_replaced: int = 0
    last_error: str = ''
    last_accept_s: float = math.nan
    busy_s: float = 0.0
    latencies_ms: dict[str, deque[float]] = field(default_factory=dict)
    distances: deque[float] = field(default_factory=lambda: deque(maxlen=NUM_KEPT))
    ratios: deque[float] = field(default_factory=lambda: deque(maxlen=NUM_KEPT))
    reported_busy_s: float = 0.0
    reported_failed: int = 0

    def time_stage(self, stage: str, duration_ms: float) -> None:
        """Note how long one stage took."""
        self.latencies_ms.setdefault(stage, deque(maxlen=NUM_KEPT)).append(duration_ms)

    def inference_status(self, now_s: float, provider: str) -> Status:
        """Report times and losses."""
        values: dict[str, object] = {
            'provider': provider,
            'queries': self.num_queries,
            'failed': self.num_failed,
            'queue_drops': self.num_replaced,
        }
        busy_s = self.busy_s
        share = (busy_s - self.reported_busy_s) / max(now_s - self.since_s, 1e-6)
        values['duty_cycle'] = round(share, 4)
        self.reported_busy_s, self.since_s = busy_s, now_s
        for stage, durations in list(self.latencies_ms.items()):
            p50, p95, largest = np.percentile(list(durations), (50, 95, 100))
            values[f'{stage}_ms'] = f'p50 {p50:.2f} p95 {p95:.2f} max {largest:.2f}'
        if self.num_failed > self.reported_failed:
            self.reported_failed = self.num_failed
            message = f'a query failed: {self.last_error}'
            return Status('inference', Level.ERROR, message, values)
        return Status('inference', Level.OK, f'{self.num_queries} queries answered', values)

    def matching_status(self, now_s: float, num_keyframes: int) -> Status:
        """Report what the answers look like."""
        values = {
            'keyframes': num_keyframes,
            'queries': self.num_queries,
            'accepted': self.num_accepted,
            'accept_rate': round(self.num_accepted / max(self.num_queries, 1), 4),
            'top1_distance_p50': _median(self.distances),
            'top1_ratio_p50': _median(self.ratios),
            'time_since_accept_s': round(now_s - self.last_accept_s, 3),
        }
        return Status(
            'matching', Level.OK, f'{self.num_accepted} of {self.num_queries} accepted', values
        )


def _median(values: Iterable[float]) -> float:
    finite = [value for value in list(values) if math.isfinite(value)]
    return round(float(np.median(finite)), 4) if finite else math.nan
