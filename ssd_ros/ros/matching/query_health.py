# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What the node answers and how long that takes, and what that says about its health."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
import math

import numpy as np
from ssd_ros.recognition.answer import Query, Recognition
from ssd_ros.ros.health import texts as health_texts
from ssd_ros.ros.health.inputs import Level, Status
from ssd_ros.ros.matching.recall_proxies import NUM_KEPT, RecallProxies

_BUSY_SHARE = 0.95
_MIN_QUERIES = 200  # ten seconds at 20 Hz; fewer say nothing
_MIN_PAIRS = 10
_NUM_SURE = 5  # queries in a row that say the same of the radar
_UNKNOWN_SHARE = 0.4  # reconstructed: far above the share in a map, below that outside of it


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
    num_since_accept: int = 0
    last_error: str = ''
    last_accept_s: float = math.nan
    busy_s: float = 0.0
    latencies_ms: dict[str, deque[float]] = field(default_factory=dict)
    distances: deque[float] = field(default_factory=lambda: deque(maxlen=NUM_KEPT))
    ratios: deque[float] = field(default_factory=lambda: deque(maxlen=NUM_KEPT))
    confidences: deque[float] = field(default_factory=lambda: deque(maxlen=NUM_KEPT))
    proxies: RecallProxies = field(default_factory=RecallProxies)
    unlike_radar: str = ''  # how it differs from those that the calibration knows, if it does
    num_contrary: int = 0  # last queries that say otherwise
    reported_busy_s: float = 0.0
    reported_failed: int = 0

    def begin_anew(self) -> None:
        """Forget what answers of another drive or other maps said about the places."""
        self.proxies = RecallProxies()
        self.num_since_accept = 0
        self.unlike_radar, self.num_contrary = '', 0

    def time_stage(self, stage: str, duration_ms: float) -> None:
        """Note how long one stage took."""
        self.latencies_ms.setdefault(stage, deque(maxlen=NUM_KEPT)).append(duration_ms)

    def count_answer(
        self,
        recognition: Recognition,
        query: Query,
        novelty_distances: Mapping[int, float],
        start_s: float,
        end_s: float,
    ) -> None:
        """
        Note what was answered.

        :param novelty_distances: by map_id, see MapInfo
        :param start_s: on the monotonic clock, likewise `end_s`
        """
        self.num_queries += 1
        self.busy_s += end_s - start_s
        self.num_since_accept += 1
        decision = recognition.decision
        if decision.accepted:
            self.num_accepted += 1
            self.last_accept_s = end_s
        if decision.accepted or decision.is_repeat:
            self.num_since_accept = 0
        if recognition.candidates:
            self.distances.append(recognition.candidates[0].distance)
            self.ratios.append(recognition.candidates[0].ratio)
            self.confidences.append(recognition.candidates[0].confidence)
        self.tell_radar(recognition.unlike_radar)
        self.proxies.add(recognition, query.odometry, novelty_distances)
        for stage, duration_ms in recognition.timings_ms._asdict().items():
            self.time_stage(stage, duration_ms)

    def tell_radar(self, unlike: str) -> None:
        """
        Note how the radar differs; several queries are believed: an odd place is no other radar.

        :param unlike: '' if it does not
        """
        if bool(unlike) == bool(self.unlike_radar):
            self.num_contrary = 0
        else:
            self.num_contrary += 1
        if self.num_contrary in (0, _NUM_SURE):
            self.unlike_radar, self.num_contrary = unlike, 0

    def inference_status(self, now_s: float, provider: str) -> Status:
        """Report times and losses."""
        busy_s = self.busy_s
        share = (busy_s - self.reported_busy_s) / max(now_s - self.since_s, 1e-6)
        self.reported_busy_s, self.since_s = busy_s, now_s
        values: dict[str, object] = {
            'provider': provider,
            'queries': self.num_queries,
            'failed': self.num_failed,
            'queue_drops': self.num_replaced,
            'duty_cycle': round(share, 4),
        }
        for stage, durations in list(self.latencies_ms.items()):
            p50, p95, p99, largest = np.percentile(list(durations), (50, 95, 99, 100))
            text = f'p50 {p50:.2f} p95 {p95:.2f} p99 {p99:.2f} max {largest:.2f}'
            values[f'{stage}_ms'] = text
        level, message = Level.OK, f'{self.num_queries} queries answered'
        if self.num_failed > self.reported_failed:
            self.reported_failed = self.num_failed
            level = Level.ERROR
            message = health_texts.QUERY_FAILED.format(error=self.last_error)
        elif share > _BUSY_SHARE:
            level, message = Level.WARN, health_texts.TOO_SLOW.format(share=share)
        return Status('inference', level, message, values)

    def matching_status(self, now_s: float, num_keyframes: int, num_live: int) -> Status:
        """Report what the answers look like."""
        proxies = self.proxies.values()
        values = {
            'keyframes': num_keyframes,
            'live_keyframes': num_live,
            'queries': self.num_queries,
            'accepted': self.num_accepted,
            'accept_rate': round(self.num_accepted / max(self.num_queries, 1), 4),
            'top1_distance_p50': _median(self.distances),
            'top1_ratio_p50': _median(self.ratios),
            'top1_confidence_p50': _median(self.confidences),
            'time_since_accept_s': round(now_s - self.last_accept_s, 3),
            **{name: round(value, 4) for name, value in proxies.items()},
        }
        level, message = self._judge(proxies)
        return Status('matching', level, message, values)

    def _judge(self, proxies: Mapping[str, float]) -> tuple[Level, str]:
        texts, share = health_texts, proxies['odom_consistency']
        if share < 0.5 and self.proxies.num_pairs >= _MIN_PAIRS:
            return Level.WARN, texts.AGAINST_ODOMETRY.format(share=share)
        if self.num_since_accept >= _MIN_QUERIES:
            share = proxies['novelty_rate']
            if share > _UNKNOWN_SHARE:
                return Level.WARN, texts.UNKNOWN_PLACES.format(share=share)
            return Level.WARN, texts.NOTHING_ACCEPTED.format(queries=self.num_since_accept)
        return Level.OK, f'{self.num_accepted} of {self.num_queries} accepted'


def _median(values: Iterable[float]) -> float:
    finite = [value for value in list(values) if math.isfinite(value)]
    return round(float(np.median(finite)), 4) if finite else math.nan
