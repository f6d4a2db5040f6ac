# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Install a package with a reader, an encoder and a method, and use them with the commands."""

from __future__ import annotations

import csv
import os
from pathlib import Path
import shutil
import subprocess
import sys

import numpy as np
import pytest
from ssd_ros.data_origin import Origin
from ssd_ros.encoders.network import OnnxEncoder
from ssd_ros.evaluation.bev_cache import cache_drive, Spacing
from ssd_ros.evaluation.scores.results import read_evaluation
from ssd_ros.shared_files import shared_file
from support.posts import straight_drive

ROOT = Path(__file__).parents[2]
EXAMPLE = Path(__file__).parent / 'example' / 'example_radar.py'
ENTRY_POINTS = """\
[ssd_ros.sequences]
npz = example_radar:NpzDrive
nothing = example_radar:NoEncoder
"""
METADATA = 'Metadata-Version: 2.1\nName: example-radar\nVersion: 1.0\n'


@pytest.fixture(scope='module')
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder in which the package is installed, as pip would leave it."""
    folder = tmp_path_factory.mktemp('site')
    shutil.copy(EXAMPLE, folder)
    info = folder / 'example_radar-1.0.dist-info'
    info.mkdir()
    (info / 'METADATA').write_text(METADATA)
    (info / 'entry_points.txt').write_text(ENTRY_POINTS)
    return folder


def run(site: Path, *command: str, code: int = 0) -> subprocess.CompletedProcess[str]:
    path = os.pathsep.join([str(site), str(ROOT)])
    result = subprocess.run(
        [sys.executable, '-m', 'ssd_ros', *command],
        cwd=site,
        env={**os.environ, 'PYTHONPATH': path},
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.returncode == code, result.stderr
    return result


@pytest.fixture(scope='module')
def drive(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Write a drive past posts in the format of the example."""
    posts = straight_drive(num=8)
    arrays = {
        'stamps_ns': posts.cloud_stamps_ns,
        'positions_m': posts.cloud_poses.positions_m,
        'quaternions_xyzw': posts.cloud_poses.quaternions_xyzw,
        'power': np.stack([posts.scan(index).power for index in range(8)]),
        'azimuths_rad': posts.scan(0).azimuths_rad,
        'range_resolution_m': np.array(posts.scan(0).range_resolution_m),
    }
    for index in range(8):
        cloud = posts.cloud(index)
        columns = [cloud.xyz_m, cloud.rcs_dbsm[:, None], cloud.radial_velocity_mps[:, None]]
        arrays[f'points_{index}'] = np.hstack(columns)
    path = tmp_path_factory.mktemp('drive') / 'posts.npz'
    np.savez(path, **arrays)
    return path


OWN = ['--encoder', 'example_radar:Blocks']


@pytest.fixture(scope='module')
def built(site: Path, drive: Path) -> Path:
    """Build a map with the reader and the encoder of the package."""
    path = drive.parent / 'posts.map'
    command = ['build_db', '--input', str(drive), '--dataset', 'npz', '--output', str(path)]
    printed = run(site, *command, *OWN, '--heading', 'file').stdout
    assert 'keyframes        8\n' in printed
    assert 'rows             288 of 64 numbers\n' in printed
    return path


def test_a_drive_is_found_in_the_map_of_ones_own_encoder(
    site: Path, drive: Path, built: Path, tmp_path: Path
) -> None:
    files = ['--map', str(built), '--csv', str(tmp_path / 'found.csv')]
    run(site, 'replay', '--input', str(drive), '--dataset', 'npz', *OWN, *files)
    with (tmp_path / 'found.csv').open() as file:
        rows = list(csv.DictReader(file))
    first = {row['stamp_ns']: int(row['keyframe_id']) for row in reversed(rows)}
    assert sorted(first.values()) == list(range(8))


def test_the_map_refuses_the_same_class_with_other_weights(
    site: Path, drive: Path, built: Path, tmp_path: Path
) -> None:
    (tmp_path / 'seed').write_text('1')
    given = ['--map', str(built), *OWN, '--student', str(tmp_path / 'seed')]
    result = run(site, 'replay', '--input', str(drive), '--dataset', 'npz', *given, code=1)
    assert 'was filled in descriptor space' in result.stderr
    assert result.stderr.count('\n') == 1


def test_a_method_gets_its_row_beside_the_others(site: Path, tmp_path: Path) -> None:
    student = OnnxEncoder(shared_file('models/student.onnx'), 'cpu')
    mapping = straight_drive(num=6)
    mapping.name, mapping.origin = 'Sim_Posts/01', Origin('simulated')
    spacing = Spacing(student_m=0.0, panorama_m=0.0)
    cache_drive(mapping, tmp_path / 'cache/one', student.contract.preprocessing, spacing)
    out = tmp_path / 'out'
    names = ['example_radar:Rings', 'ring_key_released']
    options = ['--tasks', 'single', '--jobs', '1', '--query-spacing', '0']
    options += ['--keyframe-distance', '0', '--methods', *names]
    printed = run(
        site, 'compare', '--cache', str(tmp_path / 'cache'), '--out', str(out), *options
    ).stdout
    assert '| example_radar:Rings | ' in printed
    rows = [read_evaluation(out / 'rows' / f'{name}-single.json').results[0] for name in names]
    assert [row.num_views for row in rows] == [12, 1]
    stamps = [row.records.stamps_ns.tolist() for row in rows]
    assert stamps[0] == stamps[1]
    assert len(stamps[0]) == 6


@pytest.mark.parametrize(
    ('option', 'reason'),
    [
        ('no_such_module:Blocks', "No module named 'no_such_module'; install its package"),
        ('example_radar:Bricks', "module 'example_radar' has no attribute 'Bricks'"),
        ('example_radar:NUM_NUMBERS', 'NUM_NUMBERS is no class'),
        ('example_radar:NoEncoder', 'lacks encode, encode_batch, encode_panorama, kind, '),
        ('example_radar:Longer', 'gives a descriptor of length 2, expected 1'),
    ],
)
def test_what_is_no_encoder_is_refused_in_one_line(
    site: Path, drive: Path, tmp_path: Path, option: str, reason: str
) -> None:
    command = ['build_db', '--input', str(drive), '--dataset', 'npz', '--encoder', option]
    result = run(site, *command, '--output', str(tmp_path / 'map'), code=1)
    assert reason in result.stderr
    assert result.stderr.count('\n') == 1


def test_what_is_no_method_is_refused_before_the_work(site: Path, tmp_path: Path) -> None:
    names = ['--methods', 'example_radar:NoEncoder']
    command = ['compare', '--cache', 'nowhere', '--out', str(tmp_path / 'out'), *names]
    result = run(site, *command, code=1)
    assert '--methods example_radar:NoEncoder lacks describe, ' in result.stderr
    assert not (tmp_path / 'out').exists()


@pytest.mark.parametrize(
    ('given', 'code', 'reason'),
    [
        (['--dataset', 'nothing'], 1, 'what the reader nothing returns lacks cloud, '),
        (['--dataset', 'nowhere'], 2, "invalid choice: 'nowhere'"),
        (['--dataset', 'npz', '--range-resolution', '0.1'], 1, '--range-resolution 0.1 is an '),
    ],
)
def test_what_is_no_reader_or_does_not_heed_an_option_is_refused(
    site: Path, drive: Path, tmp_path: Path, given: list[str], code: int, reason: str
) -> None:
    command = ['build_db', '--input', str(drive), '--output', str(tmp_path / 'map')]
    assert reason in run(site, *command, *given, code=code).stderr
