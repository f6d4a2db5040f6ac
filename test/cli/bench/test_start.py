# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The node is started as a process, and the table says when it was active and what it took."""

from __future__ import annotations

import os

import pytest
from ssd_ros.cli.bench.against import start

if os.environ.get('SSD_ROS_REQUIRE_RCLPY') != '1':
    pytest.importorskip('rclpy', reason='rclpy is not installed (make test installs it)')


def test_the_node_is_active_before_it_is_idle(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(start, '_ROUNDS', 1)
    monkeypatch.setattr(start, '_IDLE_S', 0.5)
    before = dict(os.environ)
    title, *rows, last = start.measured_start(360, None)
    assert title.split() == ['the', 'node', 'with', '360', 'rows', 'now']
    figures = {row[:46].strip(): float(row[46:]) for row in rows}
    assert 100 < figures['exec to active, ms'] < 60_000
    assert figures['processor time until then, ms'] > 100
    assert figures['processor time 0.5 s later, ms'] >= figures['processor time until then, ms']
    assert 20 < figures['idle, anonymous, MB'] < figures['idle, resident, MB'] < 1000
    assert figures['the first start, exec to active, ms'] > 100
    assert last.startswith('medians of 1 starts')
    assert dict(os.environ) == before
