# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Give encoders that know nothing of this package their contract, and use them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import onnx
from onnx import helper, numpy_helper, TensorProto
import pytest
from ssd_ros.bev.polar_bev import views_of_panorama
from ssd_ros.cli.contract.command import main
from ssd_ros.encoders.network import OnnxEncoder
from ssd_ros.encoders.place_encoder import require_same_space
from ssd_ros.maps.builder import build_database
from ssd_ros.recognition.place_recognizer import PlaceRecognizer
from support.posts import SMALL, straight_drive

GRID = SMALL.grid
CONFIG = f"""\
preprocessing:
  grid: {{num_ranges: {GRID.num_ranges}, num_azimuths: {GRID.num_azimuths}, max_range_m: 100.0}}
"""
WEIGHTS = np.random.default_rng(0).normal(size=(GRID.num_ranges * GRID.num_azimuths // 16, 32))


def encoder(
    path: Path,
    kind: int = TensorProto.FLOAT,
    shape: tuple[Any, ...] = ('batch', 1, GRID.num_ranges, GRID.num_azimuths),
    num_views: int = 0,
    node: str = 'Relu',
) -> Path:
    """
    Write a model as somebody else would: floats in, vectors of any length out.

    Its ends have the names that ours have, with other meanings.
    """
    size = 32 // max(num_views, 1)
    result = ['batch', num_views, size] if num_views else ['batch', size]
    nodes = [
        helper.make_node('Cast', ['descriptor'], ['in'], to=TensorProto.FLOAT),
        helper.make_node(node, ['in'], ['x']),
        helper.make_node('AveragePool', ['x'], ['pooled'], kernel_shape=[4, 4], strides=[4, 4]),
        helper.make_node('Flatten', ['pooled'], ['flat'], axis=1),
        helper.make_node('MatMul', ['flat', 'shape'], ['product']),
        helper.make_node('Add', ['product', 'bias'], ['sum']),
        helper.make_node('Reshape', ['sum', 'to'], ['polar_bev']),
    ]
    num_blocks = int(np.prod([size // 4 for size in shape[2:]])) if None not in shape else 768
    weights = np.resize(WEIGHTS, (num_blocks, 32)).astype(np.float32)
    constants = {
        'shape': weights,
        'bias': np.full(32, 1e-3, np.float32),
        'to': np.array([-1, *result[1:]]),
    }
    graph = helper.make_graph(
        nodes,
        'theirs',
        [helper.make_tensor_value_info('descriptor', kind, shape)],
        [helper.make_tensor_value_info('polar_bev', TensorProto.FLOAT, result)],
        [numpy_helper.from_array(value, name) for name, value in constants.items()],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid('', 17)], ir_version=9)
    onnx.checker.check_model(model)
    path.write_bytes(model.SerializeToString())
    return path


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / 'mine.yaml').write_text(CONFIG)
    return tmp_path


def contract(model: Path, sensor: str, out: str, *more: str) -> int:
    given = ['--sensor', sensor, '--out', out, '--config', 'mine.yaml']
    return main([str(model), *given, *more])


STUDENT = ['--scale', '0.00392', '--normalise']


def test_one_encoder_of_views_becomes_student_and_teacher(
    here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    mine = encoder(here / 'mine.onnx')
    assert contract(mine, '4d', 'student.onnx', *STUDENT) == 0
    assert contract(mine, 'spinning', 'teacher.onnx', '--views', '36', *STUDENT) == 0
    assert 'gives            36 x 32 numbers\n' in capsys.readouterr().out
    student = OnnxEncoder('student.onnx', 'cpu', expected_sensor='4d')
    teacher = OnnxEncoder('teacher.onnx', 'cpu', expected_sensor='spinning')
    require_same_space(student, teacher)
    pixels = np.random.default_rng(1).integers(0, 256, (GRID.num_ranges, 144), np.uint8)
    np.testing.assert_allclose(
        teacher.encode_panorama(pixels),
        student.encode_batch(views_of_panorama(pixels, GRID, 36)),
        atol=1e-6,
    )


def test_what_it_computes_is_what_it_computed(here: Path) -> None:
    mine = encoder(here / 'mine.onnx')
    assert contract(mine, '4d', 'student.onnx', '--scale', '0.5', '--normalise') == 0
    pixels = np.random.default_rng(1).integers(0, 256, (64, 48), np.uint8)
    blocks = (0.5 * pixels).reshape(16, 4, 12, 4).mean(axis=(1, 3)).ravel()
    expected = blocks @ WEIGHTS + 1e-3
    expected /= np.linalg.norm(expected)
    found = OnnxEncoder('student.onnx', 'cpu').encode(pixels)
    np.testing.assert_allclose(found, expected, atol=1e-5)


def test_places_are_found_with_it_and_none_is_accepted_before_a_calibration(here: Path) -> None:
    mine, drive = encoder(here / 'mine.onnx'), straight_drive(num=12)
    assert contract(mine, '4d', 'student.onnx', *STUDENT) == 0
    assert contract(mine, 'spinning', 'teacher.onnx', '--views', '36', *STUDENT) == 0
    places = build_database(drive, OnnxEncoder('teacher.onnx', 'cpu'))
    recognizer = PlaceRecognizer(OnnxEncoder('student.onnx', 'cpu'), [places])
    best = [recognizer.process(drive.cloud(index)).candidates[0] for index in range(12)]
    assert sum(one.keyframe_id == index for index, one in enumerate(best)) >= 10
    assert not any(one.accepted for one in best)


def test_a_teacher_that_gives_all_views_keeps_them(here: Path) -> None:
    shape = ('batch', 1, GRID.num_ranges, GRID.panorama_azimuths)
    mine = encoder(here / 'mine.onnx', TensorProto.UINT8, shape, num_views=4)
    options = ['--normalise', '--space', 'mine']
    assert contract(mine, 'spinning', 'teacher.onnx', *options) == 0
    contract_of_it = OnnxEncoder('teacher.onnx', 'cpu').contract
    assert (contract_of_it.num_views, contract_of_it.descriptor_size) == (4, 8)


def test_models_of_one_word_compare_and_of_two_words_do_not(here: Path) -> None:
    mine = encoder(here / 'mine.onnx')
    spaces = []
    for word in ('mine', 'mine', 'yours'):
        assert contract(mine, '4d', 'student.onnx', '--normalise', '--space', word) == 0
        spaces.append(OnnxEncoder('student.onnx', 'cpu').contract.descriptor_space)
    assert spaces[0] == spaces[1] != spaces[2]


@pytest.mark.parametrize(
    ('how', 'options', 'reason'),
    [
        ({}, [], 'gives a descriptor of length '),
        ({}, ['--normalise', '--views', '36'], '--views goes with --sensor spinning'),
        ({'kind': TensorProto.INT32}, STUDENT, "takes 'descriptor' of int32 and shape "),
        ({'shape': ('batch', 1, 64, 96)}, STUDENT, 'takes images of (64, 96), the preproc'),
        ({'shape': ('batch', 3, 64, 48)}, STUDENT, 'expected bytes or floats of shape (N, 1,'),
        ({'num_views': 4}, STUDENT, 'num_views is 4, expected 1 for one view'),
        ({'node': 'NonZero'}, STUDENT, 'NonZero'),
    ],
)
def test_what_cannot_serve_is_refused_in_one_line(
    here: Path,
    capsys: pytest.CaptureFixture[str],
    how: dict[str, Any],
    options: list[str],
    reason: str,
) -> None:
    assert contract(encoder(here / 'mine.onnx', **how), '4d', 'student.onnx', *options) == 1
    said = capsys.readouterr().err
    assert reason in said
    assert said.count('\n') == 1
    assert not (here / 'student.onnx').exists()


def test_what_is_no_model_is_refused(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (here / 'mine.onnx').write_text('<html>not found</html>')
    assert contract(here / 'mine.onnx', '4d', 'student.onnx') == 1
    assert 'mine.onnx: is no ONNX model: ' in capsys.readouterr().err
