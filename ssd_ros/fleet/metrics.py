# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What a place server counts, in the text format that Prometheus reads."""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping

CONTENT_TYPE = 'text/plain; version=0.0.4; charset=utf-8'
_BOUNDS_S = (0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0)


class Metrics:
    """Requests by what they ask for and how they were answered; of one thread."""

    def __init__(self) -> None:
        """Begin at zero."""
        self._requests: Counter[tuple[str, int]] = Counter()
        self._within: dict[str, list[int]] = {}
        self._seconds: defaultdict[str, float] = defaultdict(float)
        self.square_bytes = 0

    def count(self, resource: str, status: int, seconds: float) -> None:
        """
        Note an answer.

        :param resource: that was asked for; one of few, not what somebody wrote
        :param seconds: from the head of the request to the end of the answer
        """
        self._requests[resource, status] += 1
        if status != 503:  # which takes no time, and would hide what answers take
            self._within.setdefault(resource, [0] * (len(_BOUNDS_S) + 1))
            self._within[resource][bisect_left(_BOUNDS_S, seconds)] += 1
            self._seconds[resource] += seconds

    def text(self, gauges: Mapping[str, float], revision: str) -> str:
        """
        Return all of it.

        :param gauges: what holds now, by name
        :param revision: of the map
        """
        return '\n'.join([*self._lines(gauges, revision), ''])

    def _lines(self, gauges: Mapping[str, float], revision: str) -> Iterator[str]:
        yield '# TYPE ssd_ros_requests_total counter'
        for (resource, status), num in sorted(self._requests.items()):
            yield f'ssd_ros_requests_total{{resource="{resource}",status="{status}"}} {num}'
        yield '# TYPE ssd_ros_answer_seconds histogram'
        for resource, counts in sorted(self._within.items()):
            total = 0
            for bound, num in zip((*_BOUNDS_S, '+Inf'), counts, strict=True):
                total += num
                labels = f'resource="{resource}",le="{bound}"'
                yield f'ssd_ros_answer_seconds_bucket{{{labels}}} {total}'
            yield f'ssd_ros_answer_seconds_sum{{resource="{resource}"}} {self._seconds[resource]}'
            yield f'ssd_ros_answer_seconds_count{{resource="{resource}"}} {total}'
        yield '# TYPE ssd_ros_square_bytes_total counter'
        yield f'ssd_ros_square_bytes_total {self.square_bytes}'
        for name, value in gauges.items():
            yield f'# TYPE ssd_ros_{name} gauge'
            yield f'ssd_ros_{name} {value:g}'
        yield '# TYPE ssd_ros_map_info gauge'
        yield f'ssd_ros_map_info{{revision="{revision}"}} 1'
