# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Check that the measured device is chosen, and never one that computes something else."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
from onnx import helper, numpy_helper, TensorProto
import pytest
from ssd_ros.devices import CPU, OPENVINO, OPENVINO_BF16
from ssd_ros.encoders.device_choice import chosen_device, TriedModel
from ssd_ros.encoders.model_contract import CONTRACT_KEY
from ssd_ros.encoders.network import OnnxEncoder
from ssd_ros.encoders.providers.machine import devices_here, machine_words
from ssd_ros.encoders.providers.speeds import keep_speeds, kept_speeds, Speed, speeds_file
from ssd_ros.encoders.trial import Trial, try_on
from support.contracts import CONTRACT

HAS_OPENVINO = OPENVINO in devices_here()
needs_openvino = pytest.mark.skipif(not HAS_OPENVINO, reason='OpenVINO is not installed')
needs_bfloat16 = pytest.mark.skipif(
    OPENVINO_BF16 not in devices_here(), reason='no OpenVINO, or a processor without bfloat16'
)


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Have a cache of its own."""
    monkeypatch.setenv('XDG_CACHE_HOME', str(tmp_path / 'cache'))


def tried(path: Path, digest: str = 'ab' * 32) -> TriedModel:
    """Return a model that was tried, as if an image took long enough to choose for."""
    content = path.read_bytes()
    return TriedModel(path, content, digest, Trial(try_on(CPU, path, content).descriptors, 50.0))


def written(tmp_path: Path, first: float) -> Path:
    """Write a model that gives (s, 4) of unit length, s = first * even pixels - odd ones."""
    weight = np.zeros((8, 2), np.float32)
    weight[0::2, 0], weight[1::2, 0] = first, -1
    constants = {'weight': weight, 'bias': np.array([0, 4], np.float32)}
    nodes = [
        helper.make_node('Cast', ['polar_bev'], ['pixels'], to=TensorProto.FLOAT),
        helper.make_node('Flatten', ['pixels'], ['flat'], axis=1),
        helper.make_node('MatMul', ['flat', 'weight'], ['product']),
        helper.make_node('Add', ['product', 'bias'], ['sum']),
        helper.make_node('LpNormalization', ['sum'], ['descriptor'], axis=1, p=2),
    ]
    graph = helper.make_graph(
        nodes,
        'differences',
        [helper.make_tensor_value_info('polar_bev', TensorProto.UINT8, ['N', 1, 4, 2])],
        [helper.make_tensor_value_info('descriptor', TensorProto.FLOAT, ['N', 2])],
        [numpy_helper.from_array(array, name) for name, array in constants.items()],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid('', 17)], ir_version=9)
    helper.set_model_props(model, {CONTRACT_KEY: CONTRACT.to_json()})
    path = tmp_path / 'model.onnx'
    path.write_bytes(model.SerializeToString())
    return path


@pytest.fixture
def model(tmp_path: Path) -> TriedModel:
    """Return a model that any device computes alike."""
    return tried(written(tmp_path, 2.0))


def keep(model: TriedModel, machine: str | None = None, **ms: float) -> None:
    """Write speeds as an earlier start would have."""
    where = machine or machine_words()
    keep_speeds([Speed(where, model.digest, device, value) for device, value in ms.items()])


@needs_openvino
@pytest.mark.parametrize(('ms', 'expected'), [(6.0, OPENVINO), (9.5, CPU), (12.0, CPU)])
def test_what_was_measured_decides_where_the_gain_is_clear(
    model: TriedModel, ms: float, expected: str
) -> None:
    keep(model, **dict.fromkeys(devices_here(), 99.0) | {'cpu': 10.0, 'openvino': ms})
    device, words = chosen_device('auto', model)
    assert device == expected
    assert f'cpu 10.00 ms; openvino {ms:.2f} ms' in words


@needs_openvino
def test_speeds_of_another_machine_are_measured_anew_and_kept(model: TriedModel) -> None:
    keep(model, 'another one', **dict.fromkeys(devices_here(), 1.0) | {'cpu': 99.0})
    device, _ = chosen_device('auto', model)
    kept = kept_speeds(machine_words(), model.digest)
    assert sorted(kept) == sorted(devices_here())
    assert all(0 < speed.ms < 50 and not speed.problem for speed in kept.values())
    assert kept[device].ms <= kept[CPU].ms
    assert kept_speeds('another one', model.digest)[CPU].ms == 99
    written = speeds_file().stat().st_mtime_ns
    assert chosen_device('auto', model)[0] == device
    assert speeds_file().stat().st_mtime_ns == written  # nothing was measured again


def test_a_device_in_the_file_that_is_not_here_is_never_chosen(model: TriedModel) -> None:
    absent = next(name for name in ('cuda', 'openvino') if name not in devices_here())
    keep(model, **dict.fromkeys(devices_here(), 5.0) | {absent: 0.001})
    assert chosen_device('auto', model)[0] == CPU


@needs_openvino
def test_a_damaged_file_is_measured_again(model: TriedModel) -> None:
    keep(model, **dict.fromkeys(devices_here(), 1.0))
    content = json.loads(speeds_file().read_text())
    content['speeds'][0]['ms'] = 'fast'
    speeds_file().write_text(json.dumps(content))
    chosen_device('auto', model)
    assert kept_speeds(machine_words(), model.digest)[CPU].ms != 1


def test_a_model_that_takes_no_time_stays_on_the_processor(model: TriedModel) -> None:
    quick = model._replace(reference=model.reference._replace(ms=0.2))
    device, words = chosen_device('auto', quick)
    assert device == CPU
    assert words == (' (0.20 ms)' if len(devices_here()) > 1 else '')
    assert not speeds_file().exists()


@needs_bfloat16
def test_a_device_that_computes_something_else_is_refused_or_left_out(tmp_path: Path) -> None:
    """1.003 - 1 is nothing in bfloat16, and decides where this model's descriptors point."""
    path = written(tmp_path, 1.003)
    assert OnnxEncoder(path, OPENVINO).device == OPENVINO
    with pytest.raises(ValueError, match=r'other descriptors on device openvino_bf16.*0\.7942'):
        OnnxEncoder(path, OPENVINO_BF16)
    model = tried(path, OnnxEncoder(path, CPU).digest)
    assert chosen_device('auto', model)[0] != OPENVINO_BF16
    assert 'openvino_bf16 left out: ' in chosen_device('auto', model)[1]


@needs_bfloat16
def test_a_kept_speed_does_not_stand_for_parity(tmp_path: Path) -> None:
    path = written(tmp_path, 1.003)
    model = tried(path, OnnxEncoder(path, CPU).digest)
    keep(model, openvino_bf16=1.0)
    with pytest.raises(ValueError, match='other descriptors on device openvino_bf16'):
        OnnxEncoder(path, OPENVINO_BF16)


@needs_openvino
def test_the_encoder_says_what_computes_it(tmp_path: Path) -> None:
    path = written(tmp_path, 2.0)
    assert OnnxEncoder(path, OPENVINO).provider == 'OpenVINO float32'
    assert OnnxEncoder(path, CPU).provider == 'CPUExecutionProvider'
    assert OnnxEncoder(path, 'auto').provider.startswith('CPUExecutionProvider (0.')
