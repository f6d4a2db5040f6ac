# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""
A long drive in one build, measured when its caller asks: what `bench --long-drive` runs in each.

    python -c "$(cat driven_by_lines.py)"

in the sources of the build, which may be older than this file: it imports what both have. A line
on standard input has a number of keyframes to drive on to, or `save`; the answer is a line of
JSON, names to figures. Descriptors and returns are random, of the usual size.
"""

from __future__ import annotations

from collections.abc import Callable
import json
from pathlib import Path
import sys
from tempfile import TemporaryDirectory
import threading
import time

import numpy as np
from numpy.typing import NDArray
from ssd_ros.maps.files import MapInfo
from ssd_ros.maps.live_session import LiveSession
from ssd_ros.maps.novelty import database_of
from ssd_ros.maps.place_database import Keyframe

_SIZE, _RETURNS, _USED = 256, 2000, 600
_STEP_M, _STEP_NS = 2.0, 200_000_000
_PLACES = 2000  # that the descriptors are near to
_NUM_QUERIES, _NUM_ROWS = 200, 1024
_PAUSE_S = 0.03  # between two queries beside the saving


class Drive:
    """A vehicle on a straight way, and what it remembers of it."""

    def __init__(self) -> None:
        """Begin before the first keyframe."""
        self._generator = np.random.default_rng(0)
        self._places = self._generator.standard_normal((_PLACES, _SIZE), dtype=np.float32)
        self._place = 0
        self._live = LiveSession(_SIZE)
        self._anonymous = anonymous_bytes()

    def go_to(self, place: int) -> dict[str, float]:
        """Drive on; return what a keyframe and a query take there."""
        begin, added_ms = self._place, []
        for self._place in range(begin, place):
            position_m = np.array([_STEP_M * self._place, 0.0, 0.0])
            now_ns = _STEP_NS * self._place
            self._live.arrive(position_m)
            if self._live.wants(now_ns, position_m):
                descriptor, keyframe = self._seen(now_ns, position_m)
                start = time.process_time()
                self._live.add(descriptor, keyframe)
                added_ms.append((time.process_time() - start) * 1e3)
        self._place = place
        anonymous = anonymous_bytes() - self._anonymous
        asked_ms = [self._ask(time.process_time) for _ in range(_NUM_QUERIES)]
        return {
            'keyframes': len(self._live),
            'MB a kilometre': anonymous / 1e6 / (place * _STEP_M / 1e3),
            'adding, ms': float(np.mean(added_ms or [np.nan])),
            'adding at most, ms': max(added_ms, default=np.nan),
            'a query, ms': float(np.median(asked_ms)),
        }

    def save(self) -> dict[str, float]:
        """Save the drive, as a node does, beside queries; return what they wait."""
        before = self._asked_until(time.monotonic() + _PAUSE_S * _NUM_QUERIES)
        start = time.perf_counter()
        taken = self._live.snapshot()  # what the queries wait for
        held_ms = (time.perf_counter() - start) * 1e3
        with TemporaryDirectory() as folder:
            info = MapInfo('a' * 64, 'b' * 64, 1, _STEP_M, '4d')
            path = Path(folder, 'map')
            saving = threading.Thread(target=lambda: database_of(taken.to_map(info)).save(path))
            start = time.perf_counter()
            saving.start()
            beside = []
            while saving.is_alive():
                beside += self._asked_until(0)
            seconds = time.perf_counter() - start
        return {
            'queries wait for it, ms': held_ms,
            'saving, s by the clock': seconds,
            'a query before, p50, ms by the clock': float(np.median(before)),
            'a query before, p99, ms by the clock': float(np.percentile(before, 99)),
            'a query beside it, p50, ms by the clock': float(np.median(beside)),
            'a query beside it, p99, ms by the clock': float(np.percentile(beside, 99)),
        }

    def _asked_until(self, end: float) -> list[float]:
        times_ms = []
        while True:
            times_ms.append(self._ask(time.perf_counter))
            time.sleep(_PAUSE_S)
            if time.monotonic() >= end:
                return times_ms

    def _seen(
        self, now_ns: int, position_m: NDArray[np.float64]
    ) -> tuple[NDArray[np.float32], Keyframe]:
        noise = self._generator.standard_normal(_SIZE, dtype=np.float32)
        descriptor = unit(self._places[self._place % _PLACES] + 0.5 * noise)
        returns_cm = np.full((_RETURNS, 2), np.iinfo(np.int16).min, np.int16)
        returns_cm[:_USED] = self._generator.integers(-8000, 8000, (_USED, 2))
        upright = np.array([0.0, 0.0, 0.0, 1.0])
        return descriptor, Keyframe(now_ns, position_m, upright, returns_cm)

    def _ask(self, clock: Callable[[], float]) -> float:
        """Return the milliseconds that a search of all keyframes takes."""
        query = unit(self._places[self._generator.integers(_PLACES)])
        start = clock()
        found = self._live.search(query, _NUM_ROWS, _STEP_NS * self._place)
        self._live.positions_m(found.keyframes)
        return (clock() - start) * 1e3


def unit(descriptor: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return a descriptor in unit length."""
    return np.asarray(descriptor / np.linalg.norm(descriptor), np.float32)


def anonymous_bytes() -> float:
    """Return the memory of this process that no file backs."""
    for line in Path('/proc/self/smaps_rollup').read_text().splitlines()[1:]:
        name, _, size = line.partition(':')
        if name == 'Anonymous':
            return float(size.split()[0]) * 1024
    raise ValueError('/proc/self/smaps_rollup names no anonymous memory')


def use_compiled() -> None:
    """Do what the node of this build does before its first query."""
    try:
        from ssd_ros.recognition.compiled_parts import use_compiled as use
    except ImportError:
        return  # it compiles nothing
    use()


def main() -> None:
    """Drive and save until standard input ends."""
    use_compiled()
    drive = Drive()
    for line in sys.stdin:
        word = line.strip()
        print(json.dumps(drive.save() if word == 'save' else drive.go_to(int(word))), flush=True)


if __name__ == '__main__':
    main()
