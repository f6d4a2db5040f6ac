# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""
Do a step of growth again and again, each time killed at another moment.

`python -m support.cities.killed MAP DRIVE FOLDER`: steps on copies of the map in FOLDER are each
killed before another one of the calls by which Python opens, writes, flushes, renames and removes
files.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
import os
from pathlib import Path
import shutil
import signal
import sys
from types import FrameType
from typing import Any

from ssd_ros.maps.cells.growth import Addition, change, Selection
from ssd_ros.maps.cells.sources import plan_of

NUM_MOMENTS = 50
CALLS = {
    'open',
    'write',
    'posix_fallocate',
    'flush',
    'fsync',
    'close',
    'chmod',
    'replace',
    'unlink',
}


def step(path: Path, drive: Path) -> None:
    """Put a drive in the place of the second one of a map."""
    change(path, [Addition('drive', partial(plan_of, drive, name='third'))], Selection('second'))


def watched(act: Callable[[int], None]) -> None:
    """Call a function before each of the calls, with their number so far."""
    count = 0

    def watch(frame: FrameType, event: str, called: Any) -> None:
        nonlocal count
        if event == 'c_call' and called.__name__ in CALLS:
            act(count)
            count += 1

    sys.setprofile(watch)


def in_child(work: Callable[[], None]) -> int:
    """Do something in a child process and return how it ended, as the system says it."""
    child = os.fork()
    if child == 0:
        work()
        os._exit(0)
    return os.waitpid(child, 0)[1]


def counted(path: Path, drive: Path, file: Path) -> None:
    """Write how many calls a step makes."""
    numbers: list[int] = []
    watched(numbers.append)
    step(path, drive)
    sys.setprofile(None)
    file.write_text(str(len(numbers)))


def killed_at(path: Path, drive: Path, moment: int) -> None:
    """Begin a step that ends with this call."""

    def act(number: int) -> None:
        if number == moment:
            os.kill(os.getpid(), signal.SIGKILL)

    watched(act)
    step(path, drive)


def main(path: Path, drive: Path, folder: Path) -> None:
    """Leave `whole`, after a step, and a copy for each moment, named by its number."""
    shutil.copytree(path, folder / 'whole')
    assert in_child(partial(counted, folder / 'whole', drive, folder / 'calls')) == 0
    num_calls = int((folder / 'calls').read_text())
    assert num_calls >= NUM_MOMENTS
    for number in range(NUM_MOMENTS):
        moment = number * (num_calls - 1) // (NUM_MOMENTS - 1)
        copy = folder / f'killed_{moment}'
        shutil.copytree(path, copy)
        assert in_child(partial(killed_at, copy, drive, moment)) == signal.SIGKILL


if __name__ == '__main__':
    main(*map(Path, sys.argv[1:]))
