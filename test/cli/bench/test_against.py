# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Check that an earlier build is asked in its own sources, and what the tables say."""

from __future__ import annotations

from pathlib import Path
import subprocess

import numpy as np
import pytest
from ssd_ros.cli.bench.against import builds, queries
from ssd_ros.cli.bench.against.queries import figures_in, node_table, NodeFigures, query_table
from ssd_ros.cli.bench.node import table
from ssd_ros.cli.bench.node_load import Load, LoadResult

STAGES = ('decode', 'bev', 'encode', 'search', 'verify', 'all else', 'whole query')


def committed(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Make the sources of this build a checkout of one commit, and that the one which runs."""
    checkout = folder / 'checkout'
    checkout.mkdir()
    for name in ('ssd_ros', 'models', 'config'):
        (checkout / name).symlink_to(builds.ROOT / name)
    git = ['git', '-C', str(checkout), '-c', 'user.name=a', '-c', 'user.email=a@b']
    for arguments in (['init', '-q'], ['add', '.'], ['commit', '-q', '-m', 'first']):
        subprocess.run([*git, *arguments], check=True)
    monkeypatch.setattr(builds, 'ROOT', checkout)
    return checkout


def test_both_builds_are_asked_by_turns_and_the_tree_is_gone_after(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    checkout = committed(tmp_path, monkeypatch)
    monkeypatch.setattr(queries, '_ROUNDS', 1)
    monkeypatch.setattr(queries, '_QUERIES', 2)
    head, *stages, last = queries.compared('HEAD', 360, 0)
    assert head.split()[:4] == ['a', 'query,', '360', 'rows']
    assert tuple(line[:34].strip() for line in stages) == STAGES
    whole = [float(text) for text in stages[-1][34:].split()]
    assert whole[2] == pytest.approx(whole[1] / whole[0], abs=0.01)
    assert last == 'median processor time of 2 queries by turns, one thread'
    trees = subprocess.run(
        ['git', '-C', str(checkout), 'worktree', 'list'], capture_output=True, text=True
    )
    assert len(trees.stdout.splitlines()) == 1


def test_a_revision_that_is_not_there_is_one_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    committed(tmp_path, monkeypatch)
    with pytest.raises(ValueError, match=r'that has the revision: .*nowhere'):
        list(queries.compared('nowhere', 360, 0))


def test_figures_are_read_from_what_bench_node_prints() -> None:
    load = Load(20, 800, 8, 2, 0, {})
    values = {'input': {'messages': '158'}, 'inference': {'queue_drops': '3'}}
    latencies_ms = np.arange(1.0, 102.0)
    result = LoadResult(160, latencies_ms, latencies_ms, [(8.0, values)], *np.zeros((2, 1)))
    printed = '\n'.join(table(load, result, 100_000))
    assert figures_in(printed) == NodeFigures(p50_ms=51.0, p99_ms=100.0, sent=160, replaced=3)
    with pytest.raises(ValueError, match='no figures: nothing'):
        figures_in('nothing')


def test_shares_are_of_the_build_of_then() -> None:
    queries = {'then': {'whole query': [30.0, 40.0, 20.0]}, 'now': {'whole query': [10.0]}}
    assert list(query_table(queries, 100_000))[1].split()[2:] == ['30.000', '10.000', '0.33']
    figures = {
        'then': [NodeFigures(80, 160, 600, 50), NodeFigures(80, 120, 600, 60)],
        'now': [NodeFigures(30, 60, 600, 0), NodeFigures(34, 66, 600, 1)],
    }
    _, p50, p99, sent, replaced = node_table(figures)
    assert p50.split()[-3:] == ['80.0', '32.0', '0.40']
    assert p99.split()[-3:] == ['140.0', '63.0', '0.45']
    assert sent.split()[-2:] == ['1200', '1200']
    assert replaced.split()[-2:] == ['110', '1']
