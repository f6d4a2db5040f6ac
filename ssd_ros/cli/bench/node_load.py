# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Run the localizer under load in a process of its own and gather what it did; needs Linux."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, ExitStack
from dataclasses import dataclass
import json
import os
from pathlib import Path
import subprocess
import sys
import time
from typing import Any

import numpy as np
from numpy.typing import NDArray
from ssd_ros.cli.common.ros_processes import ros_process
from ssd_ros.ros.companions.dds_environment import isolated_dds
from ssd_ros.shared_files import shared_file

_LOOK_PERIOD_S = 0.5
# Loading model and map, discovery, and the end of the probe.
_SLACK_S = 90.0


@dataclass(frozen=True, slots=True)
class Load:
    """
    What the localizer has to bear.

    :param points: in each cloud
    :param num_busy: processes beside it that do nothing but compute
    :param nice: of the node, -20 (first) .. 19; below 0 needs the privilege
    :param parameters: of the node, by name, beside its map and model
    """

    rate_hz: float
    points: int
    seconds: float
    num_busy: int
    nice: int
    parameters: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class LoadResult:
    """
    What the localizer did; times count from the first cloud.

    :param sent: clouds published
    :param answer_times_s: shape (N,), when candidates arrived
    :param latencies_ms: shape (N,), from publishing a cloud to holding its candidates
    :param reports: its diagnostics with their time, oldest first; status -> key -> text
    :param memory_times_s: shape (M,)
    :param memory_mib: shape (M,), resident
    """

    sent: int
    answer_times_s: NDArray[np.float64]
    latencies_ms: NDArray[np.float64]
    reports: list[tuple[float, dict[str, dict[str, str]]]]
    memory_times_s: NDArray[np.float64]
    memory_mib: NDArray[np.float64]

    def last(self, status: str, key: str) -> str:
        """Return a value of the last diagnostics, empty if it is not there."""
        return self.reports[-1][1].get(status, {}).get(key, '') if self.reports else ''

    def count(self, status: str, key: str) -> int:
        """Return a number of the last diagnostics, 0 if it is not there."""
        return int(self.last(status, key) or 0)


def run_load(
    load: Load,
    map_path: Path,
    model_path: Path,
    directory: Path,
    progress: Callable[[int, int], None] | None = None,
) -> LoadResult:
    """
    Start the localizer, load it for a while and end it.

    :param directory: for what the processes write
    :param progress: gets seconds done and all seconds
    :raise ValueError: a process failed or did not come to its end
    """
    answers = directory / 'answers.jsonl'
    given = {'index_path': map_path, 'model_path': model_path, 'stamp_source': 'header'}
    given |= load.parameters
    parameters = [text for name, value in given.items() for text in ('-p', f'{name}:={value}')]
    probe_arguments = ['--output', str(answers), '--seconds', str(load.seconds)]
    probe_arguments += ['--rate', str(load.rate_hz), '--points', str(load.points)]
    with ExitStack() as stack:
        dds = stack.enter_context(isolated_dds(shared_file('config/fastdds_profile.xml')))
        node = stack.enter_context(
            ros_process(dds, 'node.localize_node', '--ros-args', *parameters)
        )
        os.setpriority(os.PRIO_PROCESS, node.pid, load.nice)  # its threads will inherit it
        probe = stack.enter_context(ros_process(dds, 'companions.load_probe', *probe_arguments))
        stack.enter_context(busy_processes(load.num_busy))
        memory = _watch(node, probe, load.seconds, progress)
    return read_result(answers, memory)


@contextmanager
def busy_processes(num: int) -> Iterator[None]:
    """Keep cores busy."""
    command = [sys.executable, '-c', 'while True: pass']
    processes = [subprocess.Popen(command) for _ in range(num)]
    try:
        yield
    finally:
        for process in processes:
            process.kill()
            process.wait()


def _watch(
    node: subprocess.Popen[bytes],
    probe: subprocess.Popen[bytes],
    seconds: float,
    progress: Callable[[int, int], None] | None,
) -> list[tuple[float, float]]:
    """Return monotonic times and resident MiB of the node until the probe is done."""
    samples: list[tuple[float, float]] = []
    start_s = time.monotonic()
    while probe.poll() is None:
        elapsed_s = time.monotonic() - start_s
        if node.poll() is not None:
            raise ValueError(f'the localizer ended with exit code {node.returncode} under load')
        if elapsed_s > seconds + _SLACK_S:
            raise ValueError(f'the load did not end within {seconds + _SLACK_S:.0f} s')
        samples.append((time.monotonic(), resident_mib(node.pid)))
        if progress:
            progress(min(int(elapsed_s), int(seconds)), int(seconds))
        time.sleep(_LOOK_PERIOD_S)
    return samples


def resident_mib(pid: int) -> float:
    """Return the memory that a process holds."""
    for line in Path(f'/proc/{pid}/status').read_text().splitlines():
        if line.startswith('VmRSS:'):
            return int(line.split()[1]) / 1024
    return 0.0  # it has ended and nobody has waited for it yet


def read_result(answers: Path, memory: list[tuple[float, float]]) -> LoadResult:
    """
    Read what the probe wrote.

    :param memory: monotonic times and resident MiB of the node
    :raise ValueError: there is no answer in it, or no diagnostics
    """
    records: list[dict[str, Any]] = [json.loads(line) for line in answers.read_text().splitlines()]
    found = [(record['t_s'], record['latency_ms']) for record in records if 'latency_ms' in record]
    if not found:
        raise ValueError('the localizer answered no cloud')
    health = [record for record in records if 'diagnostics' in record]
    if not health:
        raise ValueError('the localizer sent no diagnostics: what was lost is not known')
    times_s, latencies_ms = np.array(found, float).T
    samples = np.array([sample for sample in memory if sample[1] > 0]).reshape(-1, 2)
    return LoadResult(
        sent=health[-1]['sent'],
        answer_times_s=times_s,
        latencies_ms=latencies_ms,
        reports=[
            (
                record['t_s'],
                {name: one['values'] for name, one in record['diagnostics'].items()},
            )
            for record in health
        ],
        memory_times_s=samples[:, 0] - records[0]['start_s'],
        memory_mib=samples[:, 1],
    )
