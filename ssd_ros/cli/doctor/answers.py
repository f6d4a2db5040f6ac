# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What the maps answer to the scans of a recording."""

from __future__ import annotations

from collections import Counter
import re

import numpy as np
from ssd_ros.recognition.answer import Query, Recognition
from ssd_ros.recognition.place_recognizer import PlaceRecognizer
from ssd_ros.ros.health.inputs import Status
from ssd_ros.ros.matching.query_health import QueryStatistics

_FIGURE = re.compile(r'\d[\d.]*')


class Answers:
    """Ask for scans as the node does, and count what comes."""

    def __init__(self, recognizer: PlaceRecognizer) -> None:
        """Start counting."""
        self._recognizer = recognizer
        self._statistics = QueryStatistics(since_s=0.0)
        self._novelty = {place.map_id: place.info.novelty_distance for place in recognizer.maps}
        self._reasons: Counter[str] = Counter()
        self._last_of: dict[str, str] = {}
        self.places_m: list[tuple[float, float]] = []  # of accepted keyframes

    def ask(self, query: Query) -> None:
        """Search for a scan, if there is a map."""
        if not self._recognizer.maps:
            return
        found = self._recognizer.query(query)
        self._statistics.count_answer(found, query, self._novelty, 0.0, 0.0)
        if found.decision.accepted:
            x, y = found.candidates[0].position_m[:2].tolist()
            self.places_m.append((x, y))
        else:
            self._count(found)

    def _count(self, found: Recognition) -> None:
        kind = _FIGURE.sub('#', found.decision.reason)
        self._reasons[kind] += 1
        self._last_of[kind] = found.decision.reason

    @property
    def num_asked(self) -> int:
        """Scans that were searched for."""
        return self._statistics.num_queries

    @property
    def num_accepted(self) -> int:
        """Of these, those whose place was accepted."""
        return self._statistics.num_accepted

    @property
    def reason(self) -> str:
        """Why most of the others were not, with the figures of the last of them; '' if none."""
        if not self._reasons:
            return ''
        kind, count = self._reasons.most_common(1)[0]
        return f'{self._last_of[kind]} ({count} of {self.num_asked})'

    @property
    def status(self) -> Status:
        """What the node would say of them in /diagnostics."""
        return self._statistics.matching_status(np.nan, 0, 0)
