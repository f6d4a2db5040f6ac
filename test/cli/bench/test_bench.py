# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Check that the plain peers agree with our stages and that the table shows the ratio."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from ssd_ros.bev.polar_bev import CloudBevConfig, polar_bev_from_points, PolarGrid
from ssd_ros.cli.bench import command as bench
from ssd_ros.cli.bench import stages as bench_stages
from ssd_ros.cli.bench.inputs import query_and_keyframe, radar_message
from ssd_ros.cli.bench.peers import (
    decode_point_by_point,
    rasterise_point_by_point,
    search_rows,
    write_peer_models,
)
from ssd_ros.cli.bench.plain_verification import match_exhaustively, verify_plainly
from ssd_ros.cli.bench.stages import Stage, times_ms
from ssd_ros.cli.common import console
from ssd_ros.encoders.network import OnnxEncoder
from ssd_ros.radar.point_cloud2 import decode_point_cloud2
from ssd_ros.shared_files import shared_file
from ssd_ros.verification import Verifier
from support.posts import write_small_encoder


def test_the_loop_decoder_reads_the_same_points() -> None:
    message = radar_message()
    cloud = decode_point_cloud2(message).cloud
    plain = decode_point_by_point(message)
    assert plain.shape == (800, 5)
    np.testing.assert_array_equal(plain[:, :3], cloud.xyz_m)
    np.testing.assert_array_equal(plain[:, 3], cloud.rcs_dbsm)
    np.testing.assert_array_equal(plain[:, 4], cloud.radial_velocity_mps)


@pytest.mark.parametrize('normalisation', ['fixed', 'content'])
@pytest.mark.parametrize('splat_radius', [0, 1, 2])
def test_the_loop_rasteriser_draws_the_same_image(splat_radius: int, normalisation: str) -> None:
    cloud = decode_point_cloud2(radar_message()).cloud
    config = CloudBevConfig(splat_radius=splat_radius, normalisation=normalisation)
    ours = polar_bev_from_points(cloud.xyz_m, cloud.rcs_dbsm, PolarGrid(), config)
    np.testing.assert_array_equal(ours, rasterise_point_by_point(cloud, PolarGrid(), config))
    assert np.count_nonzero(ours) > 600


def test_the_plain_search_sorts_by_the_inner_product() -> None:
    rows = np.array([[1, 0], [0, 1], [0.6, 0.8]], np.float32)
    assert search_rows(rows, np.array([0, 1], np.float32), 2).tolist() == [1, 2]


def test_the_plain_verifications_find_the_same_place() -> None:
    points_m, returns_cm = query_and_keyframe()
    ours = Verifier().verify(points_m, returns_cm, 0.0)
    assert (ours.x_m, ours.y_m) == pytest.approx((3, 1), abs=0.1)
    plain = verify_plainly(points_m, returns_cm, 0.0)
    assert (plain.x_m, plain.y_m) == pytest.approx((ours.x_m, ours.y_m), abs=1e-9)
    assert match_exhaustively(points_m, returns_cm) == pytest.approx((3, 1), abs=0.3)


def test_functions_are_timed_by_turns(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bench_stages, '_SECONDS_EACH', 0.0)
    calls: list[str] = []
    times = times_ms(lambda: calls.append('ours'), lambda: calls.append('peer'))
    assert calls == ['ours', 'peer'] * 4  # one to warm up, three that count
    assert [len(taken) for taken in times] == [3, 3]


def test_the_table_shows_medians_minima_and_their_ratio() -> None:
    measured = [
        Stage('fast', [2.0, 1.0, 3.0], 'loop', [30.0, 10.0, 20.0]),
        Stage('alone', [5.0]),
        Stage('without', [5.0], '(PyTorch or ONNX is not installed)', []),
    ]
    lines = list(bench.table(measured))
    assert lines[1].split() == (
        ['fast', '2.000', '(', '1.000)', 'loop', '20.000', '(', '10.000)', '10.0x']
    )
    assert lines[2].split() == ['alone', '5.000', '(', '5.000)']
    assert lines[3].endswith('(PyTorch or ONNX is not installed)')


def test_every_stage_of_the_issue_is_timed(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bench_stages, '_SECONDS_EACH', 0.0)
    # Their own processes load PyTorch, which takes longer than all other tests of this file.
    monkeypatch.setattr(bench_stages, 'has_training', lambda: False)
    for name in console.ONE_THREAD:
        monkeypatch.setenv(name, '1')  # so that it is undone after the test
    student = write_small_encoder(tmp_path / 'student.onnx', '4d')
    teacher = write_small_encoder(tmp_path / 'teacher.onnx', 'spinning')
    models = ['--student', str(student), '--teacher', str(teacher)]
    assert bench.main([*models, '--node-seconds', '0']) == 0
    printed = capsys.readouterr().out
    for stage in (
        'decode 800 points',
        'raster 800 points',
        'ego velocity, raster, maximum of 5 scans',
        'encode',
        'search 10k rows of 64',
        'search 100k rows of 64',
        'verify a candidate, without numba',
        'verify a candidate',
        'search 100 scan contexts',
        'whole query, decode included, 10k rows',
        'map building, a scan of 36 views',
        'training, waiting for data',
    ):
        assert f'\n{stage} ' in printed
    assert 'search 1000k' not in printed


@pytest.mark.training
def test_the_models_of_the_peers_encode_the_same_images(tmp_path: Path) -> None:
    write_peer_models(shared_file('models/student.onnx'), tmp_path)
    image = np.full((384, 192), 130, np.uint8)
    assert OnnxEncoder(tmp_path / 'sherloc.onnx', 'cpu').encode(image).shape == (320,)
    assert OnnxEncoder(tmp_path / 'int8.onnx', 'cpu').encode(image).shape == (256,)
    density = np.zeros((200, 200), np.uint8)
    for task in ('r2r', 'r2l'):
        assert OnnxEncoder(tmp_path / f'{task}.onnx', 'cpu').encode(density).shape == (9216,)


@pytest.mark.training
def test_a_peer_that_fails_is_named(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r'training.bench.models failed: .*absent\.onnx'):
        write_peer_models(tmp_path / 'absent.onnx', tmp_path)


def test_a_missing_model_is_one_line_and_code_1(capsys: pytest.CaptureFixture[str]) -> None:
    assert bench.main(['--student', '/absent.onnx', '--teacher', '/absent.onnx']) == 1
    assert capsys.readouterr().err.startswith('bench: ')


@pytest.mark.parametrize(
    ('words', 'message'),
    [
        (['--city', '10'], '10 is less than 3600'),
        (['--serve', '10'], '10 is less than 36'),
        (['--start', '--devices'], 'not allowed with argument --start'),
        (['--devices', '--against'], '--against measures queries, --start or --long-drive, not'),
    ],
)
def test_what_cannot_be_measured_is_one_line(
    words: list[str], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    try:
        code = bench.main(words)
    except SystemExit as end:
        code = end.code
    assert code in (1, 2)
    assert message in capsys.readouterr().err
