# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What a method costs: bytes of a place, time to describe, to search and to make a map."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import cycle, islice
import time

import numpy as np
from ssd_ros.baselines.method import Descriptors, Method
from ssd_ros.baselines.polar_image import PolarImage

MAP_SIZES = (1_000, 100_000)
_MAX_BYTES = 1 << 30  # of places that are searched for real; more is reckoned from fewer
_MIN_SECONDS, _MIN_RUNS = 0.5, 3


@dataclass(frozen=True, slots=True)
class Costs:
    """
    Time of one CPU core for a 4D query in a map of the spinning radar, and memory.

    :param bytes_per_place: of all views
    :param describe_ms: the query
    :param search_ms: in maps of MAP_SIZES places
    :param searched_places: how many were there for it; if fewer, the time is in proportion
    :param map_s: to make a map of 1000 places of their panoramas
    """

    bytes_per_place: int
    describe_ms: float
    search_ms: tuple[float, ...]
    searched_places: tuple[int, ...]
    map_s: float


def costs_of(method: Method, queries: Sequence[PolarImage], places: Sequence[PolarImage]) -> Costs:
    """
    Measure a method.

    :param queries: of the 4D radar
    :param places: panoramas; repeated for the larger maps
    """
    start = time.process_time()
    method.fit(list(islice(cycle(places), MAP_SIZES[0])))
    fit_s = time.process_time() - start
    describe_s = [_seconds(partial(method.describe, image)) for image in queries]
    start = time.process_time()
    described = np.stack([method.describe_place(image, True) for image in places])
    place_s = (time.process_time() - start) / len(places)
    query = method.describe(queries[0])[None]
    searches = [_search(method, described, query, size) for size in MAP_SIZES]
    return Costs(
        bytes_per_place=described[0].nbytes,
        describe_ms=float(np.median(describe_s)) * 1e3,
        search_ms=tuple(milliseconds for milliseconds, _ in searches),
        searched_places=tuple(size for _, size in searches),
        map_s=1000 * place_s + fit_s,
    )


def _search(
    method: Method, described: Descriptors, query: Descriptors, num_places: int
) -> tuple[float, int]:
    """Return the milliseconds of a search in a map, and how many places were there for it."""
    size = min(num_places, max(len(described), _MAX_BYTES // described[0].nbytes))
    repeats = -(-size // len(described))
    index = method.index(np.concatenate([described] * repeats)[:size])
    return _seconds(partial(index.search, query)) * 1e3 * num_places / size, size


def _seconds(work: Callable[[], object]) -> float:
    """Return the median time of some work on this core, other programs' left out."""
    times: list[float] = []
    work()
    begin = time.process_time()
    while len(times) < _MIN_RUNS or (
        time.process_time() - begin < _MIN_SECONDS and len(times) < 50
    ):
        start = time.process_time()
        work()
        times.append(time.process_time() - start)
    return float(np.median(times))
