# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The map of a city: what it takes of memory and time, and what of exact answers it keeps."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
import multiprocessing
import os
from pathlib import Path
from tempfile import TemporaryDirectory
import time

import numpy as np
from numpy.typing import NDArray
from ssd_ros.cli.bench.city_rows import city_of, simulated_street, STEP_M, Street
from ssd_ros.encoders.byte_rows import use_compiled
from ssd_ros.encoders.network import OnnxEncoder
from ssd_ros.maps.cells.database import CellDatabase, open_map
from ssd_ros.maps.cells.tuning import exact_slots, PLACE_M
from ssd_ros.maps.cells.writing import write_cells
from ssd_ros.maps.neighbours import Neighbours, Prior

_RADII_M = 100.0, 1000.0
_NUM_ROWS = 1024
_NUM_QUERIES = 200


def measured_city(num_rows: int, student_path: Path, teacher_path: Path) -> Iterator[str]:
    """Write a city, open it in a process of its own, and yield lines about both."""
    street = simulated_street(OnnxEncoder(student_path), OnnxEncoder(teacher_path))
    yield (
        f'city, simulated: {len(street.rings)} keyframes of a street through the teacher, the '
        f'rest interpolated with noise of {street.noise:.3f}; {len(street.queries)} queries of '
        'the student on another day'
    )
    with TemporaryDirectory() as directory:
        path = Path(directory, 'city.map')
        plan = city_of(street, num_rows)
        start = time.process_time()
        write_cells(path, plan)
        seconds = time.process_time() - start
        num_bytes = sum(file.stat().st_size for file in path.rglob('*') if file.is_file())
        a_row = f'{num_bytes / num_rows:.0f} bytes a row on disk'
        yield f'written in {seconds:.0f} s of processor time, {a_row}'
        context = multiprocessing.get_context('spawn')
        with ProcessPoolExecutor(1, context) as alone:
            yield from alone.submit(_opened, path, street).result()


def _opened(path: Path, street: Street) -> list[str]:
    """Return lines about a map that is opened in this process."""
    use_compiled()
    for file in path.rglob('*.*'):
        _forget(file)
    Path('/proc/self/clear_refs').write_text('5')  # the most so far is what there is now
    before = _memory()
    wall, used = time.perf_counter(), time.process_time()
    database = open_map(path)
    wall, used = time.perf_counter() - wall, time.process_time() - used
    memory = {name: size - before[name] for name, size in _memory().items()}
    assert isinstance(database, CellDatabase)
    num_rows = database.num_rows
    lines = [
        f'{num_rows} rows, {len(database)} keyframes, {database.num_cells} squares: '
        f'{memory["Anonymous"] / 1e6:.0f} MB of anonymous memory, {memory["Rss"] / 1e6:.0f} MB '
        f'resident ({memory["Anonymous"] / num_rows:.1f} bytes a row), at most '
        f'{memory["peak"] / 1e6:.0f} MB while it is opened',
        f'opened in {used:.2f} s of processor time, {wall:.2f} s by the clock, from a cold disk',
    ]
    queries = street.queries[:: max(1, len(street.queries) // _NUM_QUERIES)]
    truth = street.true_keyframes[:: max(1, len(street.queries) // _NUM_QUERIES)]
    exact = database.store.numbers[exact_slots(database.store, queries)]
    is_right = _are_right(exact, truth)
    for file in path.rglob('*.cell'):
        _forget(file)
    after = _memory()['Anonymous']
    for name in ('cold', 'cached'):
        found, times = _asked(database.find, queries)
        lines.append(f'no prior, {name} pages: {times}, {_kept(found, exact, truth, is_right)}')
    grown_mb = (_memory()['Anonymous'] - after) / 1e6
    lines.append(f'{grown_mb:.0f} MB more of anonymous memory: the lists that were looked into')
    for radius_m in _RADII_M:
        near = _Near(database, truth, radius_m)
        start = time.process_time()
        _asked(near.find, queries)  # reads the squares
        seconds = time.process_time() - start
        found, times = _asked(near.find, queries)
        kept = _kept(found, exact, truth, is_right)
        lines.append(
            f'prior of {radius_m:.0f} m, {near.num_rows} rows in reach: {times}, {kept}, the '
            f'first pass {seconds:.1f} s'
        )
    lines.append(f'exact search of all rows is right in {is_right.mean():.3f}')
    if database.plan is not None:
        lines.append(f'chosen when it was written: {database.plan}')
    return lines


class _Near:
    """Queries one after another, each with a prior about its place."""

    def __init__(self, database: CellDatabase, truth: NDArray[np.int64], radius_m: float) -> None:
        self._database = database
        self._priors = [Prior(place * STEP_M, 0.0, radius_m) for place in truth.tolist()]
        self._next = 0
        self.num_rows = database.within(self._priors[0]).num_rows

    def find(self, query: NDArray[np.float32], num: int) -> Neighbours:
        """Search about the next place."""
        prior = self._priors[self._next % len(self._priors)]
        self._next += 1
        return self._database.within(prior).find(query, num)


def _asked(
    find: Callable[[NDArray[np.float32], int], Neighbours], queries: NDArray[np.float32]
) -> tuple[NDArray[np.int64], str]:
    """Return the keyframe that each query finds, -1 for none, and what a query takes."""
    found, used_ms, wall_ms = [], [], []
    for query in queries:
        wall, used = time.perf_counter(), time.process_time()
        neighbours = find(query, _NUM_ROWS)
        used_ms.append((time.process_time() - used) * 1e3)
        wall_ms.append((time.perf_counter() - wall) * 1e3)
        found.append(int(neighbours.keyframes[0]) if len(neighbours) else -1)
    (used_50, used_99), (wall_50, wall_99) = (
        np.percentile(times, [50, 99]) for times in (used_ms, wall_ms)
    )
    times = f'p50/p99 {used_50:.2f}/{used_99:.2f} ms of processor time'
    return np.array(found), f'{times}, {wall_50:.2f}/{wall_99:.2f} by the clock'


def _are_right(found: NDArray[np.int64], truth: NDArray[np.int64]) -> NDArray[np.bool_]:
    return np.asarray(np.abs(found - truth) * STEP_M <= PLACE_M)


def _kept(
    found: NDArray[np.int64],
    exact: NDArray[np.int64],
    truth: NDArray[np.int64],
    is_right: NDArray[np.bool_],
) -> str:
    """Return in words how the answers are beside those of exact search of all rows."""
    right = _are_right(found, truth)
    same = _are_right(found, exact).mean()
    kept = right[is_right].mean() if is_right.any() else float('nan')
    return (
        f'{kept:.3f} of the right answers kept, {same:.3f} the same place as exact, '
        f'{right.mean():.3f} right'
    )


def _forget(file: Path) -> None:
    """Have the system forget what it has read of a file."""
    descriptor = os.open(file, os.O_RDONLY)
    os.fsync(descriptor)
    os.posix_fadvise(descriptor, 0, 0, os.POSIX_FADV_DONTNEED)
    os.close(descriptor)


def _memory() -> dict[str, float]:
    """Return the memory of this process in bytes: anonymous, resident, and the most so far."""
    sizes = {}
    for line in Path('/proc/self/smaps_rollup').read_text().splitlines()[1:]:
        name, _, size = line.partition(':')
        sizes[name] = float(size.split()[0]) * 1024
    (line,) = [text for text in Path('/proc/self/status').read_text().splitlines()
               if text.startswith('VmHWM')]  # fmt: skip
    peak = float(line.split()[1]) * 1024
    return {'Anonymous': sizes['Anonymous'], 'Rss': sizes['Rss'], 'peak': peak}
