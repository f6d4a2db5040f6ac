# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Start the node again and again: how soon it is active, and what it takes while nothing comes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager, ExitStack
import os
from pathlib import Path
import signal
from statistics import median
import subprocess
import sys
from tempfile import TemporaryDirectory
import time

from ssd_ros.cli.bench.against.builds import beside, builds_beside, sources_of
from ssd_ros.ros.companions.dds_environment import isolated_dds
from ssd_ros.shared_files import shared_file

NUM_ROWS = 5220  # of a street of 290 m
_ROUNDS = 7
_IDLE_S = 3.0  # until what is done behind the first queries is done
_STOP_S = 60.0
_WRITE_MAP = (
    'import sys; from pathlib import Path; '
    'from ssd_ros.cli.bench.inputs import random_database; '
    'from ssd_ros.encoders.network import OnnxEncoder; '
    'from ssd_ros.shared_files import shared_file; '
    "student = OnnxEncoder(shared_file('models/student.onnx'), 'cpu'); "
    'random_database(int(sys.argv[1]), student).save(Path(sys.argv[2]))'
)
_FIRST = 'the first start, exec to active, ms'


def measured_start(num_rows: int, revision: str | None) -> Iterator[str]:
    """
    Yield the lines of the table, medians.

    :param num_rows: of the map
    :param revision: of a build that starts beside this one, by turns; None = this one alone
    """
    with ExitStack() as stack:
        folder = Path(stack.enter_context(TemporaryDirectory()))
        builds = stack.enter_context(builds_beside(revision))
        dds = stack.enter_context(isolated_dds(shared_file('config/fastdds_profile.xml')))
        stack.enter_context(_environment(dds))
        starts = {name: _Starts(tree, folder / name, num_rows) for name, tree in builds.items()}
        for each in starts.values():
            each.once('warm')  # compiles what is kept beside the sources
        figures = {
            name: {_FIRST: each.once('kept')['exec to active, ms']}
            for name, each in starts.items()
        }
        rounds = [
            {name: each.once('kept') for name, each in starts.items()} for _ in range(_ROUNDS)
        ]
    for name, first in figures.items():
        for row in rounds[0][name]:
            first[row] = median(each[name][row] for each in rounds)
    yield from beside(f'the node with {num_rows} rows', figures)
    yield f'medians of {_ROUNDS} starts; processor time with that of processes that it waits for'


@contextmanager
def _environment(variables: Mapping[str, str]) -> Iterator[None]:
    """Set variables for this process, which asks, and for those that it starts."""
    before = dict(os.environ)
    os.environ.update(variables)
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(before)


class _Starts:
    """A build, its map, and what its nodes keep from one start to the next."""

    def __init__(self, tree: Path, folder: Path, num_rows: int) -> None:
        """Have the build write a map."""
        folder.mkdir()
        self._tree, self._folder, self._map = tree, folder, folder / 'map'
        words = [sys.executable, '-c', _WRITE_MAP, str(num_rows), str(self._map)]
        subprocess.run(words, cwd=tree, env=sources_of(tree), check=True)

    def once(self, cache: str) -> Mapping[str, float]:
        """
        Start a node, wait, end it; return what that took.

        :param cache: name of the folder where it may keep something for the next start
        """
        from ssd_ros.ros.companions.first_state import state_asked

        words = [sys.executable, '-m', 'ssd_ros.cli.localize', '--ros-args']
        words += ['-p', f'index_path:={self._map}', '--log-level', 'warn']
        environment = sources_of(self._tree) | {'XDG_CACHE_HOME': str(self._folder / cache)}
        environment.pop('PYTHONDONTWRITEBYTECODE', None)
        with state_asked() as wait:
            start_s = time.monotonic()
            node = subprocess.Popen(words, cwd=self._folder, env=environment)
            try:
                active_ms = (wait() - start_s) * 1e3
                used_ms = processor_ms(node.pid)
                time.sleep(_IDLE_S)
                idle_ms, memory = processor_ms(node.pid), memory_mb(node.pid)
            finally:
                node.send_signal(signal.SIGINT)
                node.wait(_STOP_S)
        return {
            'exec to active, ms': active_ms,
            'processor time until then, ms': used_ms,
            f'processor time {_IDLE_S:g} s later, ms': idle_ms,
            **memory,
        }


def processor_ms(pid: int) -> float:
    """Return the processor time of a process and of those that it has waited for."""
    values = Path(f'/proc/{pid}/stat').read_text().rpartition(')')[2].split()
    return sum(map(int, values[11:15])) / os.sysconf('SC_CLK_TCK') * 1e3


def memory_mb(pid: int) -> dict[str, float]:
    """Return the memory of a process, all of it and that which no file backs."""
    sizes = {}
    for line in Path(f'/proc/{pid}/smaps_rollup').read_text().splitlines()[1:]:
        name, _, size = line.partition(':')
        sizes[name] = float(size.split()[0]) * 1024 / 1e6
    return {'idle, resident, MB': sizes['Rss'], 'idle, anonymous, MB': sizes['Anonymous']}
