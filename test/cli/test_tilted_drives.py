# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Check that every command levels the clouds of a drive whose 4D radar is mounted tilted."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from ssd_ros.cli.build_db.command import main as build_db
from ssd_ros.cli.cache.command import main as cache
from ssd_ros.cli.cache.jobs import read_preprocessing
from ssd_ros.cli.estimate_rcs_correction.command import main as estimate
from ssd_ros.cli.evaluate.command import main as evaluate
from ssd_ros.cli.trust.asked.queries import DriveQueries
from ssd_ros.cli.trust.command import main as trust
from ssd_ros.datasets.formats.hercules import write_hercules
from ssd_ros.evaluation.bev_cache import load_drives
from ssd_ros.maps.place_database import PlaceDatabase
from ssd_ros.shared_files import shared_file
from support.posts import straight_drive, write_small_encoder
from support.tilted import TiltedDrive, yaw_for

DRIVE = straight_drive(num=20)
# Roll and pitch (rad) of the three drives: upright, upside down, all mixed.
MOUNTED = {'01': (0.0, 0.0), '02': (np.pi, 0.0), '03': (2.5, -0.4)}


@pytest.fixture(scope='module')
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with one drive as radars in three mountings record it, and two models."""
    path = tmp_path_factory.mktemp('tilted')
    for number, roll_pitch in MOUNTED.items():
        write_hercules(path, 'Posts', number, TiltedDrive(**vars(DRIVE), roll_pitch=roll_pitch))
    write_small_encoder(path / 'teacher.onnx', 'spinning')
    write_small_encoder(path / 'student.onnx', '4d')
    return path


def mounting(number: str) -> list[str]:
    """Return the extrinsics of the radar of a drive; those of the upright one say nothing."""
    roll, pitch = MOUNTED[number]
    return [str(value) for value in (0.0, 0.0, 0.0, roll, pitch, yaw_for(0.0, pitch))]


def drives(folder: Path) -> list[str]:
    return [str(folder / 'Posts' / number) for number in MOUNTED]


def all_mountings() -> list[str]:
    return ['--points-extrinsics', *(word for number in MOUNTED for word in mounting(number))]


def models(folder: Path) -> list[str]:
    return ['--student', str(folder / 'student.onnx'), '--teacher', str(folder / 'teacher.onnx')]


def test_a_cache_holds_the_images_of_an_upright_radar(folder: Path, tmp_path: Path) -> None:
    fixed = ['--world', 'posts', '--jobs', '1', '--query-spacing', '40', '--scan-spacing', '100']
    for out, more in (('level', all_mountings()), ('as_it_is', [])):
        given = ['--drives', *drives(folder), *fixed, '--out', str(tmp_path / out), *more]
        assert cache(given) == 0
    preprocessing = read_preprocessing(shared_file('config/training.yaml'))
    level, as_it_is = (
        [
            np.array(one.student_bevs[:])
            for one in load_drives(tmp_path / out / 'test', preprocessing)
        ]
        for out in ('level', 'as_it_is')
    )
    upright = level[0]
    assert len(upright) == 5
    assert (upright > 0).any(axis=(1, 2)).all()
    for images, tilted in zip(level[1:], as_it_is[1:], strict=True):
        assert np.mean(images != upright) < 1e-4  # a point on the edge of a cell
        assert np.mean(tilted != upright) > 0.005


def test_a_map_of_clouds_has_the_rows_of_an_upright_radar(folder: Path, tmp_path: Path) -> None:
    maps = {}
    params = tmp_path / 'params.yaml'
    params.write_text('/**: {ros__parameters: {aggregation: {min_points: 1}}}')
    for number, path in zip(MOUNTED, drives(folder), strict=True):
        given = ['--input', path, '--output', str(tmp_path / number), '--params', str(params)]
        model = models(folder)[:2]
        more = ['--extrinsics', *mounting(number), '--device', 'cpu']
        assert build_db(['--sensor', '4d', *given, *model, *more]) == 0
        maps[number] = PlaceDatabase.load(tmp_path / number)
    upright = maps['01']
    assert len(upright) == 20
    for number in ('02', '03'):
        cosines = (maps[number].descriptors() * upright.descriptors()).sum(axis=1)
        assert cosines.min() > 0.999
        poses, expected = maps[number].keyframes, upright.keyframes
        np.testing.assert_allclose(poses.positions_m, expected.positions_m, atol=1e-9)
        np.testing.assert_allclose(poses.yaws_rad, expected.yaws_rad, atol=1e-9)


def test_evaluate_finds_all_of_them(folder: Path, tmp_path: Path) -> None:
    mapped, *asked = [drives(folder)[0], *drives(folder)]
    words = ['--map', mapped, '--queries', *asked, *models(folder), '--device', 'cpu']
    order = ['--points-extrinsics', '-', *all_mountings()[1:], '--json', str(tmp_path / 'a.json')]
    assert evaluate([*words, *order]) == 0
    results: list[Any] = json.loads((tmp_path / 'a.json').read_text())['results']
    upright, *tilted = [result['score']['recall_at_1'] for result in results]
    assert upright >= 0.9
    assert tilted == [upright, upright]


def test_trust_asks_the_images_of_an_upright_radar(folder: Path, tmp_path: Path) -> None:
    words = ['--drives', *drives(folder), *models(folder), '--jobs', '1']
    trust([*words, '--out', str(tmp_path), *all_mountings()])  # too few to calibrate by
    upright, *tilted = [
        DriveQueries.load(tmp_path / f'recorded/Posts_{number}/queries.npz') for number in MOUNTED
    ]
    for queries in tilted:
        assert np.mean(queries.bevs != upright.bevs) < 1e-4


def test_the_correction_of_a_tilted_radar_is_that_of_an_upright_one(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert estimate(['--drives', *drives(folder), *all_mountings(), '--spacing', '40']) == 0
    offsets = [
        float(line.split()[1])
        for line in capsys.readouterr().out.splitlines()
        if line.startswith('Posts/')
    ]
    assert len(offsets) == 3
    assert offsets[1:] == pytest.approx([offsets[0]] * 2, abs=0.01)
