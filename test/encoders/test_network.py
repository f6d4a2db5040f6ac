# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Check that only a model that keeps its contract is loaded, on tiny ONNX models."""

from dataclasses import asdict, replace
import json
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from onnx import helper, numpy_helper, TensorProto
import onnxruntime
import pytest
from ssd_ros.bev.preprocessing import PreprocessingConfig
from ssd_ros.encoders.model_contract import CONTRACT_KEY, ModelContract
from ssd_ros.encoders.network import OnnxEncoder
from ssd_ros.encoders.place_encoder import require_same_space
from ssd_ros.shared_files import shared_file
from support.contracts import CONTRACT
from support.posts import small_encoder

CONTRACT_JSON = CONTRACT.to_json()
LATER_OPTIONS = [
    ('cloud', 'normalisation'),
    ('scan', 'normalisation'),
    ('scan', 'kept_share'),
    ('scan', 'floor_window_m'),
    ('', 'window_m'),
]


def tiny_model(
    weight: Any = ((0, 0),) * 8,
    bias: tuple[float, float] = (3.0, 4.0),
    scale: float = 0.2,
    input_name: str = 'polar_bev',
    input_type: int = TensorProto.UINT8,
    batch: str | int = 'N',
) -> onnx.ModelProto:
    """Make pixels @ weight + bias, scaled: of an empty image (3, 4) / 5 by default."""
    constants = [
        numpy_helper.from_array(np.array(weight, np.float32), 'weight'),
        numpy_helper.from_array(np.array(bias, np.float32), 'bias'),
        numpy_helper.from_array(np.array(scale, np.float32), 'scale'),
    ]
    nodes = [
        helper.make_node('Cast', [input_name], ['pixels'], to=TensorProto.FLOAT),
        helper.make_node('Flatten', ['pixels'], ['flat'], axis=1),
        helper.make_node('MatMul', ['flat', 'weight'], ['product']),
        helper.make_node('Add', ['product', 'bias'], ['sum']),
        helper.make_node('Mul', ['sum', 'scale'], ['descriptor']),
    ]
    graph = helper.make_graph(
        nodes,
        'tiny',
        [helper.make_tensor_value_info(input_name, input_type, [batch, 1, 4, 2])],
        [helper.make_tensor_value_info('descriptor', TensorProto.FLOAT, [batch, 2])],
        constants,
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid('', 17)], ir_version=9)


def saved(tmp_path: Path, model: onnx.ModelProto, contract: str | None = CONTRACT_JSON) -> Path:
    if contract is not None:
        helper.set_model_props(model, {CONTRACT_KEY: contract})
    path = tmp_path / 'model.onnx'
    path.write_bytes(model.SerializeToString())
    return path


def test_the_descriptor_is_what_the_model_computes(tmp_path: Path) -> None:
    encoder = OnnxEncoder(saved(tmp_path, tiny_model()), device='cpu')
    descriptor = encoder.encode(np.zeros((4, 2), np.uint8))
    np.testing.assert_allclose(descriptor, [0.6, 0.8], rtol=1e-6)
    assert descriptor.dtype == np.float32
    assert encoder.encode_batch(np.zeros((3, 4, 2), np.uint8)).shape == (3, 2)
    assert encoder.encode_batch(np.zeros((0, 4, 2), np.uint8)).shape == (0, 2)


def test_the_contract_comes_back_from_the_file(tmp_path: Path) -> None:
    path = saved(tmp_path, tiny_model())
    encoder = OnnxEncoder(path, device='cpu', expected_sensor='4d')
    assert encoder.contract == CONTRACT
    assert encoder.provider == 'CPUExecutionProvider'
    assert len(encoder.digest) == 64


def test_the_digest_changes_with_a_weight(tmp_path: Path) -> None:
    first = OnnxEncoder(saved(tmp_path, tiny_model()), device='cpu').digest
    second = OnnxEncoder(saved(tmp_path, tiny_model(bias=(4.0, 3.0))), device='cpu').digest
    assert first != second


def test_a_batch_equals_its_images_one_by_one(tmp_path: Path) -> None:
    # Rotate (3, 4) by the first pixel, so that the length stays: only pixel 0 or 255 is unit.
    weight = [[-6 / 255, 0.0], *[[0.0, 0.0]] * 7]
    encoder = OnnxEncoder(saved(tmp_path, tiny_model(weight)), device='cpu')
    images = np.zeros((2, 4, 2), np.uint8)
    images[1, 0, 0] = 255
    batch = encoder.encode_batch(images)
    np.testing.assert_allclose(batch, [[0.6, 0.8], [-0.6, 0.8]], atol=1e-6)
    np.testing.assert_allclose(batch[1], encoder.encode(images[1]), atol=1e-7)


@pytest.mark.parametrize(
    ('images', 'message'),
    [
        (np.zeros((1, 2, 4), np.uint8), r'shape \(1, 2, 4\).*expected \(N, 4, 2\) uint8'),
        (np.zeros((1, 4, 2), np.float32), 'type float32'),
        (np.zeros((4, 2), np.uint8), r'shape \(4, 2\)'),
    ],
)
def test_an_image_of_another_shape_or_type_is_refused(
    tmp_path: Path, images: Any, message: str
) -> None:
    encoder = OnnxEncoder(saved(tmp_path, tiny_model()), device='cpu')
    with pytest.raises(ValueError, match=message):
        encoder.encode_batch(images)


def test_a_teacher_encodes_all_views_of_a_panorama_and_a_student_none(tmp_path: Path) -> None:
    teacher = small_encoder(tmp_path, 'spinning')
    student = small_encoder(tmp_path, '4d')
    panorama = np.zeros((64, 144), np.uint8)
    panorama[20:30, 40:50] = 200  # clockwise of forward: right ahead in view 11
    views = teacher.encode_panorama(panorama)
    assert views.shape == (36, 64)
    ahead = np.roll(panorama, 24 - 4 * 11, axis=1)[:, :48]
    np.testing.assert_allclose(views[11], student.encode(ahead), atol=1e-6)
    with pytest.raises(ValueError, match="encodes sensor 'spinning', not '4d': use encode_panor"):
        teacher.encode(ahead)
    with pytest.raises(ValueError, match="encodes sensor '4d', not 'spinning': use encode"):
        student.encode_panorama(panorama)
    with pytest.raises(ValueError, match=r'shape \(1, 64, 48\).*expected \(N, 64, 144\)'):
        teacher.encode_panorama(ahead)


def test_a_model_without_contract_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r'model\.onnx has no ssd_ros\.contract'):
        OnnxEncoder(saved(tmp_path, tiny_model(), contract=None))


def changed(**changes: Any) -> str:
    return json.dumps({**json.loads(CONTRACT_JSON), **changes})


def without(name: str) -> str:
    values = json.loads(CONTRACT_JSON)
    if '.' in name:
        outer, inner = name.split('.')
        del values[outer][inner]
    else:
        del values[name]
    return json.dumps(values)


@pytest.mark.parametrize(
    ('contract', 'message'),
    [
        ('not json', 'contract is not JSON'),
        ('[' * 100_000, 'contract is not JSON'),
        ('[]', 'expected a mapping'),
        (changed(colour='red'), 'unknown option colour'),
        (
            changed(format_version=1),
            'format_version is 1, this ssd_ros reads 2, 3, 4: exp',
        ),
        (changed(num_views=36), 'num_views is 36, expected 1 for one view'),
        (changed(sensor='spinning', num_views=4), 'num_views is 4, which does not divide the 6'),
        (changed(sensor='sonar'), "sensor is 'sonar'; choose from 4d, spinning, lidar"),
        (changed(descriptor_size='2'), "descriptor_size is '2', expected int"),
        (changed(descriptor_size=0), 'descriptor_size is 0'),
        (changed(descriptor_space='xyz'), "descriptor_space is 'xyz'"),
        (changed(accept_max_distance=float('nan')), 'accept_max_distance is nan'),
        (changed(accept_max_ratio=0), 'accept_max_ratio is 0'),
        (changed(preprocessing={'grid': {'num_ranges': 10**4}}), 'more cells than the'),
        (changed(preprocessing={'grid': {'num_ranges': 10**9}}), 'num_ranges is 1000000000, exp'),
        (without('sensor'), 'sensor'),
        (without('preprocessing.num_scans'), r'lacks preprocessing\.num_scans'),
    ],
)
def test_a_wrong_contract_is_refused_by_the_name_of_its_field(
    tmp_path: Path, contract: str, message: str
) -> None:
    with pytest.raises(ValueError, match=r'model\.onnx: .*' + message):
        OnnxEncoder(saved(tmp_path, tiny_model(), contract))


def test_a_contract_survives_its_json() -> None:
    contract = replace(CONTRACT, preprocessing=PreprocessingConfig(num_scans=3))
    assert ModelContract.from_json(contract.to_json()) == contract
    assert json.loads(contract.to_json()) == asdict(contract)


def options_of(values: dict[str, Any], section: str) -> dict[str, Any]:
    options: dict[str, Any] = values['preprocessing']
    return options[section] if section else options


def test_a_contract_of_format_2_means_what_there_was_then() -> None:
    values = json.loads(CONTRACT_JSON) | {'format_version': 2}
    for section, name in LATER_OPTIONS:
        del options_of(values, section)[name]
    contract = ModelContract.from_json(json.dumps(values))
    assert contract == replace(CONTRACT, format_version=2)
    assert contract.preprocessing.scan.normalisation == 'fixed'
    assert contract.preprocessing.cloud.normalisation == 'fixed'
    assert contract.preprocessing.window_m == 0


@pytest.mark.parametrize(('section', 'name'), LATER_OPTIONS)
def test_a_contract_of_the_newest_format_may_lack_no_option(section: str, name: str) -> None:
    values = json.loads(CONTRACT_JSON)
    del options_of(values, section)[name]
    where = f'{section}.{name}' if section else name
    with pytest.raises(ValueError, match=f'lacks preprocessing.{where}'):
        ModelContract.from_json(json.dumps(values))


def test_the_model_of_the_other_sensor_is_refused_by_name(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"encodes sensor '4d' \(student.*expected 'spinning'"):
        OnnxEncoder(saved(tmp_path, tiny_model()), expected_sensor='spinning')


@pytest.mark.parametrize(
    ('model', 'message'),
    [
        (tiny_model(input_name='image'), r"has input .*'image'.*'polar_bev'"),
        (tiny_model(input_type=TensorProto.INT8), r'has input .*int8.*uint8'),
        (tiny_model(batch=1), 'fixed batch size of 1'),
        (tiny_model(bias=(float('nan'), 0)), 'not finite'),
        (tiny_model(scale=0.4), 'length 2, expected 1'),
    ],
)
def test_a_model_that_breaks_its_contract_is_refused(
    tmp_path: Path, model: onnx.ModelProto, message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        OnnxEncoder(saved(tmp_path, model), device='cpu')


def test_a_descriptor_of_another_size_is_refused(tmp_path: Path) -> None:
    path = saved(tmp_path, tiny_model(), changed(descriptor_size=3))
    with pytest.raises(ValueError, match=r'has output .*its contract says.*\(N, 3\)'):
        OnnxEncoder(path, device='cpu')


def test_weights_in_another_file_are_refused_even_if_that_file_exists(tmp_path: Path) -> None:
    model = tiny_model()
    weight = model.graph.initializer[0]
    secret = tmp_path / 'secret.bin'
    secret.write_bytes(weight.raw_data)
    weight.ClearField('raw_data')
    weight.data_location = TensorProto.EXTERNAL
    entry = weight.external_data.add()
    entry.key, entry.value = 'location', secret.name
    path = saved(tmp_path, model)
    # ONNX Runtime by itself would follow the reference.
    onnxruntime.InferenceSession(path, providers=['CPUExecutionProvider'])
    with pytest.raises(ValueError, match='refers to external data'):
        OnnxEncoder(path, device='cpu')


@pytest.mark.parametrize('content', [b'', b'not a model', b'\x00' * 1000])
def test_a_file_that_is_no_model_is_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / 'model.onnx'
    path.write_bytes(content)
    with pytest.raises(ValueError, match=r'model\.onnx (is not a usable|has no)'):
        OnnxEncoder(path, device='cpu')


def test_a_truncated_model_is_refused(tmp_path: Path) -> None:
    path = saved(tmp_path, tiny_model())
    path.write_bytes(path.read_bytes()[:-100])
    with pytest.raises(ValueError, match='is not a usable ONNX model'):
        OnnxEncoder(path, device='cpu')


def test_a_file_beyond_the_size_bound_is_refused_unread(tmp_path: Path) -> None:
    path = tmp_path / 'model.onnx'
    with path.open('wb') as file:
        file.truncate((1 << 28) + 1)  # sparse: takes no room on disk
    with pytest.raises(ValueError, match='at most 268435456 are supported'):
        OnnxEncoder(path, device='cpu')


def test_a_missing_file_is_an_os_error(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match='absent'):
        OnnxEncoder(tmp_path / 'absent.onnx')


@pytest.mark.skipif(
    'CUDAExecutionProvider' in onnxruntime.get_available_providers(),
    reason='this ONNX Runtime has CUDA',
)
def test_cuda_without_cuda_is_refused_with_the_way_out(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r'pip install \.\[gpu\], or choose device cpu'):
        OnnxEncoder(saved(tmp_path, tiny_model()), device='cuda')


def test_an_unknown_device_or_no_thread_is_refused(tmp_path: Path) -> None:
    path = saved(tmp_path, tiny_model())
    with pytest.raises(ValueError, match="device is 'gpu'; choose from auto, cpu, cuda, openv"):
        OnnxEncoder(path, device='gpu')
    with pytest.raises(ValueError, match='num_threads is 0'):
        OnnxEncoder(path, device='cpu', num_threads=0)


def test_the_shipped_pair_is_of_one_space_whatever_the_gain() -> None:
    student, teacher = (
        OnnxEncoder(shared_file(f'models/{name}.onnx'), 'cpu') for name in ('student', 'teacher')
    )
    require_same_space(student, teacher)
    preprocessing = student.contract.preprocessing
    assert preprocessing.is_by_content
    grid = preprocessing.grid
    bev = np.zeros((grid.num_ranges, grid.num_azimuths), np.uint8)
    bev[40:60:4, 50:150:7] = 128
    np.testing.assert_allclose(np.linalg.norm(student.encode(bev)), 1, atol=1e-5)
