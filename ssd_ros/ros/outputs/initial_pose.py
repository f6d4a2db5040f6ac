# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""When a pose may go to `initialpose`: that topic resets the filters that listen to it."""

from __future__ import annotations

import math


class InitialPosePolicy:
    """Decide for each accepted place; `lose` may be called by any thread."""

    def __init__(self) -> None:
        self.start()

    def start(self) -> None:
        """Begin anew, as at activation."""
        self._is_lost = False
        self._is_first = True
        self._last_s = -math.inf

    def lose(self, is_lost: bool) -> None:
        """Note what the back end says of itself."""
        self._is_lost = is_lost

    def is_due(self, mode: str) -> bool:
        """Return whether the back end waits for a pose."""
        return (mode == 'once' and self._is_first) or (mode == 'on_lost' and self._is_lost)

    def wants(self, mode: str, is_requested: bool, now_s: float, min_interval_s: float) -> bool:
        """
        Return whether the back end is to be given this pose.

        :param is_requested: by a service, which needs no interval
        """
        due = self.is_due(mode)
        if not is_requested and not (due and now_s - self._last_s >= min_interval_s):
            return False
        self._is_first = self._is_lost = False
        self._last_s = now_s
        return True
