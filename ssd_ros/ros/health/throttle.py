# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Say the same thing now and then only."""

from __future__ import annotations

from collections.abc import Callable
import re
import time

PERIOD_S = 5.0
_MAX_KINDS = 100


class Throttled:
    """
    Pass a sentence on unless the like of it, but for its figures, was said just now.

    rclpy throttles by the place in the source: where all warnings pass through one function, a
    frequent one would silence the others.
    """

    def __init__(self, say: Callable[[str], object], period_s: float = PERIOD_S) -> None:
        self._say = say
        self._period_s = period_s
        self._said_s: dict[str, float] = {}

    def __call__(self, text: str) -> None:
        """Say it, or not."""
        kind, now_s = re.sub(r'[\d.]+', '#', text), time.monotonic()
        if now_s - self._said_s.get(kind, -self._period_s) < self._period_s:
            return
        if len(self._said_s) >= _MAX_KINDS:
            self._said_s.clear()
        self._said_s[kind] = now_s
        self._say(text)
