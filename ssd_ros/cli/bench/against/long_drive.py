# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""A drive of hours that a node remembers: memory, search, and what waits while it is saved."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

from ssd_ros.cli.bench.against.builds import answer, beside, builds_beside, driver

SPEED_MPS = 10.0
STEP_M = 2.0
_DRIVER = Path(__file__).with_name('driven_by_lines.py')
_SHARES = 0.1, 0.5, 1.0  # of the drive, where it is looked at


def measured_drive(hours: float, revision: str | None) -> Iterator[str]:
    """
    Drive, save, and yield the lines of the tables.

    :param revision: of a build that drives beside this one; None = this one alone
    """
    num = max(10, round(hours * 3600 * SPEED_MPS / STEP_M))
    yield (
        f'{hours:g} h at {SPEED_MPS:g} m/s, {num * STEP_M / 1e3:g} km, a place every '
        f'{STEP_M:g} m: random descriptors of 256 numbers, 600 returns each'
    )
    with builds_beside(revision) as builds, ExitStack() as stack:
        drives = {
            name: stack.enter_context(driver(tree, _DRIVER)) for name, tree in builds.items()
        }
        for share in _SHARES:
            places = round(share * num)
            title = f'after {places * STEP_M / 1e3:g} km'
            yield from beside(title, {name: answer(each, places) for name, each in drives.items()})
        title = 'saved then, beside a query every 30 ms'
        yield from beside(title, {name: answer(each, 'save') for name, each in drives.items()})
    yield 'processor time, one thread, unless by the clock'
