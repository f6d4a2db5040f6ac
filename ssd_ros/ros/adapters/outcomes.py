# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What became of the closures that an adapter was given."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from rclpy.node import Node
from ssd_ros.ros.health.inputs import Level, Status

_WARN_PERIOD_S = 5.0


class Outcomes:
    """Counts and the last problem of one adapter; touched by the executor's thread alone."""

    def __init__(self, name: str, node: Node) -> None:
        self._name = name
        self._node = node
        self._counts: Counter[str] = Counter()
        self._problem = ''

    def count(self, outcome: str) -> None:
        """Count something that is as it should be."""
        self._counts[outcome] += 1

    def fail(self, outcome: str, problem: str, *, times: int = 1) -> None:
        """Count something that is not, and say so."""
        self._counts[outcome] += times
        self._problem = problem
        self._node.get_logger().warning(
            f'adapter {self._name}: {problem}', throttle_duration_sec=_WARN_PERIOD_S
        )

    @contextmanager
    def guard(self) -> Iterator[None]:
        """Count what goes wrong in a callback: no reply, however strange, may end the node."""
        try:
            yield
        except Exception as error:
            self.fail('failed', f'{type(error).__name__}: {error}')

    def status(self, values: Mapping[str, object]) -> Status:
        """Return the counts and other values, and the last problem since the last report."""
        problem, self._problem = self._problem, ''
        level = Level.WARN if problem else Level.OK
        return Status(
            f'adapter {self._name}', level, problem or 'working', {**values, **self._counts}
        )
