# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Check what is made of a run under load: counts, the line through the memory, the verdict."""

from __future__ import annotations

from dataclasses import replace
import json
import os
from pathlib import Path

import numpy as np
import pytest
from ssd_ros.cli.bench import node as bench_node
from ssd_ros.cli.bench.node_load import Load, LoadResult, read_result, resident_mib
from ssd_ros.cli.soak import command as soak
from ssd_ros.cli.soak.report import draw, summarise

LOAD = Load(rate_hz=100, points=10_000, seconds=600, num_busy=2, nice=0, parameters={})


def result_of(growth_mib_per_cloud: float = 0.0, **counts: int) -> LoadResult:
    """Return ten minutes at 100 Hz: 60,000 clouds sent, 20,000 of them answered in 30 ms."""
    times_s = np.arange(0, 600, 0.5)
    values = {'messages': 59_000, 'queries': 20_000, 'queue_drops': 39_000, 'failed': 0} | counts
    text = {name: str(value) for name, value in values.items()}
    return LoadResult(
        sent=60_000,
        answer_times_s=np.linspace(0.03, 600, 20_000),
        latencies_ms=np.full(20_000, 30.0),
        reports=[(600.0, {'input': text, 'inference': {**text, 'total_ms': 'p50 28.00'}})],
        memory_times_s=times_s,
        # Loading takes a minute; then it holds 200 MiB and what leaks.
        memory_mib=np.minimum(times_s, 60) / 60 * 200 + times_s * 100 * growth_mib_per_cloud,
    )


def test_a_run_without_faults_passes() -> None:
    summary = summarise(result_of())
    assert (summary.lost, summary.received, summary.refused) == (1000, 59_000, 0)
    assert summary.latency_p99_ms == 30
    assert summary.growth_mib == pytest.approx(0, abs=1e-6)
    summary.check(max_latency_ms=50, max_growth_mib=1)
    assert summary.answered == 20_000
    assert '60000 sent in 600 s (100 Hz), 1000 lost' in summary.table()


def test_a_kilobyte_for_each_cloud_is_352_mib_an_hour_and_fails() -> None:
    summary = summarise(result_of(growth_mib_per_cloud=1 / 1024))
    assert summary.growth_of_an_hour_mib == pytest.approx(360_000 / 1024, rel=0.01)
    with pytest.raises(ValueError, match=r'memory grows by 35\d\.\d MiB over 360000 clouds'):
        summary.check(max_latency_ms=50, max_growth_mib=20)


def test_growth_of_less_than_two_mib_in_the_run_is_no_leak() -> None:
    # 1 MiB in ten minutes would be 6 MiB in an hour.
    summary = summarise(result_of(growth_mib_per_cloud=1 / 60_000))
    assert summary.growth_of_an_hour_mib == pytest.approx(6, rel=0.01)
    summary.check(max_latency_ms=50, max_growth_mib=1)


@pytest.mark.parametrize(
    ('counts', 'limit_ms', 'fault'),
    [
        ({'queue_drops': 38_000}, 50, '1000 clouds are neither answered nor counted'),
        ({'queries': 20_002}, 50, '-2 clouds are neither'),
        ({}, 29, 'latency p99 30 ms is above 29'),
    ],
)
def test_what_is_wrong_is_said(counts: dict[str, int], limit_ms: float, fault: str) -> None:
    with pytest.raises(ValueError, match=fault):
        summarise(result_of(**counts)).check(limit_ms, max_growth_mib=1)


def test_refused_and_failed_clouds_are_accounted_for() -> None:
    summary = summarise(result_of(queue_drops=38_000, refused_empty=990, failed=10))
    assert summary.refused == 1000
    summary.check(max_latency_ms=50, max_growth_mib=1)


def test_too_short_a_run_is_refused() -> None:
    short = replace(result_of(), memory_times_s=np.zeros(1), memory_mib=np.ones(1))
    with pytest.raises(ValueError, match='0 samples of memory are too few'):
        summarise(short)


def test_the_picture_is_written(tmp_path: Path) -> None:
    draw(result_of(), tmp_path / 'soak.png')
    assert (tmp_path / 'soak.png').read_bytes()[:4] == b'\x89PNG'


def test_the_lines_of_the_probe_are_read(tmp_path: Path) -> None:
    status = {'level': 0, 'message': 'fine', 'values': {'messages': '2'}}
    lines = [
        {'t_s': 0.0, 'start_s': 1000.0},
        {'t_s': 0.1, 'latency_ms': 20.0},
        {'t_s': 0.2, 'latency_ms': 40.0},
        {'t_s': 1.0, 'sent': 2, 'diagnostics': {'input': status}},
    ]
    path = tmp_path / 'answers.jsonl'
    path.write_text('\n'.join(map(json.dumps, lines)))
    # The last sample is of a process that has ended.
    result = read_result(path, [(1000.5, 100.0), (1001.0, 101.0), (1001.5, 0.0)])
    assert result.latencies_ms.tolist() == [20, 40]
    assert result.memory_times_s.tolist() == [0.5, 1.0]
    assert (result.sent, result.count('input', 'messages')) == (2, 2)
    assert result.last('verify', 'level') == ''
    for num_lines, reason in ((3, 'sent no diagnostics'), (1, 'answered no cloud')):
        path.write_text('\n'.join(map(json.dumps, lines[:num_lines])))
        with pytest.raises(ValueError, match=reason):
            read_result(path, [])


def test_the_table_has_the_percentiles_and_the_stages() -> None:
    lines = list(bench_node.table(LOAD, result_of(), num_rows=100_008))
    assert '100 Hz of 10000 points, map of 100008 rows, 2 busy processes' in lines[0]
    assert '60000 sent, 1000 lost, 20000 answered, 39000 replaced' in lines[1]
    assert 'p50 30.0 p99 30.0 max 30.0 ms' in lines[2]
    assert lines[3:] == [f'{"in the node, total":<34} p50 28.00 ms']


def test_this_process_holds_memory() -> None:
    assert 10 < resident_mib(os.getpid()) < 100_000


@pytest.mark.parametrize('command', [soak, bench_node])
def test_a_missing_model_is_one_line_and_code_1(
    command: object, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = ['--student', '/absent.onnx']
    if command is soak:
        arguments += ['--output', str(tmp_path)]
    assert command.main(arguments) == 1  # type: ignore[attr-defined]
    assert "No such file or directory: '/absent.onnx'" in capsys.readouterr().err
