# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The protocol on drives of Boreas-RT: routes, who asks where, and the whole of it."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from ssd_ros.cli.evaluate.boreas_rt import boreas_rt_places
from ssd_ros.cli.evaluate.command import main as evaluate
from ssd_ros.cli.simulate.command import main as simulate
from ssd_ros.cli.simulate.jobs import jobs_of
from ssd_ros.datasets.formats.open_sequence import open_sequence

UNIT = ['generate', '--preset', 'unit', '--lidar', 'fmcw', '--layout', 'boreas', '--jobs', '1']


@pytest.fixture(scope='module')
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return two drives of one place and one 10 km away, in the layout of Boreas-RT."""
    root = tmp_path_factory.mktemp('boreas-rt')
    assert simulate([*UNIT, '--lidar-rate', '10', '--out', str(root)]) == 0
    others = ['--world', 'avenue', '--sessions', '1', '--seed', '4001']
    assert simulate([*UNIT, *others, '--lidar-rate', '10', '--out', str(root)]) == 0
    for file in (root / 'boreas-Sim_Avenue_4001-01/applanix').iterdir():
        header, *lines = file.read_text().splitlines()
        rows = [line.split(',') for line in lines]
        moved = [','.join([row[0], str(float(row[1]) + 1e4), *row[2:]]) for row in rows]
        file.write_text('\n'.join([header, *moved, '']))
    return root


def test_what_is_written_reads_back_as_it_was_simulated(root: Path) -> None:
    simulated = jobs_of('unit', 'default', lidar='fmcw', lidar_rate_hz=10)[1].sequence()
    recorded = open_sequence(root / 'boreas-Sim_Town_4000-02')
    assert len(recorded.cloud_stamps_ns) == 0  # Boreas-RT has no 4D radar
    assert recorded.scan_stamps_ns.tolist() == (simulated.scan_stamps_ns // 1000 * 1000).tolist()
    np.testing.assert_allclose(
        recorded.scan_poses.positions_m, simulated.scan_poses.positions_m, atol=1e-5
    )
    scan, truth = recorded.lidar(4), simulated.lidar(4)
    np.testing.assert_allclose(scan.xyz_m, truth.xyz_m, atol=1e-4)
    np.testing.assert_array_equal(scan.radial_velocity_mps, truth.radial_velocity_mps)


def test_drives_are_sorted_into_routes(root: Path) -> None:
    avenue, town = boreas_rt_places(root, 200)
    assert town.mapping.name == 'boreas-Sim_Town_4000-01'
    assert [drive.name for drive in town.queries] == ['boreas-Sim_Town_4000-02']
    # Driven once: it asks in its own map.
    assert avenue.mapping.name == 'boreas-Sim_Avenue_4001-01'
    assert [drive.name for drive in avenue.queries] == [avenue.mapping.name]
    counts = [len(town.queries[0].cloud(index)) for index in range(5)]
    assert max(counts) == 200


def test_one_command_asks_in_all_maps(
    root: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / 'found.json'
    arguments = ['--boreas-rt', str(root), '--points', '250', '--json', str(file)]
    assert evaluate([*arguments, '--threads', '1']) == 0
    output = capsys.readouterr().out
    assert output.startswith('simulated radar')
    assert 'boreas-Sim_Town_4000-01 -> boreas-Sim_Town_4000-02' in output
    assert output.count('Aeva, 250 points') == 2
    results = json.loads(file.read_text())['results']
    assert sorted(result['task'] for result in results) == ['multi', 'single']


def test_a_root_without_such_drives_is_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / 'boreas-1/radar').mkdir(parents=True)
    assert evaluate(['--boreas-rt', str(tmp_path)]) == 1
    assert 'has no drive of Boreas-RT with an Aeva: expected' in capsys.readouterr().err


def test_it_is_one_source_among_others(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert evaluate(['--boreas-rt', str(root), '--simulate', 'demo']) == 1
    assert '--cache, --simulate, --boreas-rt, or --map with' in capsys.readouterr().err
    assert evaluate(['--boreas-rt', str(root), '--dataset', 'boreas']) == 1
    assert '--dataset is for --map and --queries' in capsys.readouterr().err
