# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Check that int8 models have int8 convolutions, float pooling and nearly the same output."""

from pathlib import Path

import numpy as np
import onnx
import pytest
from ssd_ros.encoders.model_contract import FORMAT_VERSION, ModelContract
from ssd_ros.evaluation.bev_cache import load_drives
from ssd_ros.training.config import TrainingConfig
from ssd_ros.training.export.onnx_export import finish, loaded, onnx_model
from ssd_ros.training.export.quantise import calibration_images, quantised
from ssd_ros.training.networks.encoders import TeacherStudent


@pytest.fixture(scope='module')
def contract(tiny_config: TrainingConfig) -> ModelContract:
    return ModelContract(
        FORMAT_VERSION, '4d', tiny_config.preprocessing, 1, 8, 'a' * 64, 1.0, 1.0, 'made up',
        'unknown', '2026-01-31',
    )  # fmt: skip


def test_convolutions_become_int8_and_the_descriptor_hardly_changes(
    tiny_config: TrainingConfig, tiny_cache: Path, contract: ModelContract
) -> None:
    drives = load_drives(tiny_cache / 'train', tiny_config.preprocessing)
    images = calibration_images(drives, num_bevs=8, num_panoramas=2)['4d']
    network = TeacherStudent(tiny_config.network, seed=0).encoder('4d')
    in_float = onnx_model(network, contract)
    in_int8 = finish(quantised(in_float, images), contract)
    weights = {tensor.name: tensor.data_type for tensor in in_int8.graph.initializer}
    producers = {node.output[0]: node for node in in_int8.graph.node}
    convolutions = [node for node in in_int8.graph.node if node.op_type == 'Conv']
    assert len(convolutions) == 10  # stem, 2 + 3 in the blocks, 2 + 2 before the pooling
    for node in convolutions:
        scaled = producers[node.input[1]]
        assert scaled.op_type == 'DequantizeLinear'
        assert weights[scaled.input[0]] == onnx.TensorProto.INT8
    for node in in_int8.graph.node:
        if node.op_type == 'MatMul':
            assert producers[node.input[0]].op_type != 'DequantizeLinear'
    exact, coarse = (encoder.encode_batch(images) for encoder in map(loaded, (in_float, in_int8)))
    assert (exact * coarse).sum(axis=1).min() > 0.98


def test_calibration_images_come_from_all_drives(
    tiny_cache: Path, tiny_config: TrainingConfig
) -> None:
    drives = load_drives(tiny_cache / 'train', tiny_config.preprocessing)
    images = calibration_images(drives, num_bevs=4, num_panoramas=3)
    assert images['4d'].shape == (4, 64, 32)
    assert images['spinning'].shape == (3, 64, 96)
    np.testing.assert_array_equal(images['4d'][0], drives[0].student_bevs[0])
    np.testing.assert_array_equal(images['4d'][-1], drives[-1].student_bevs[-1])


def test_drives_without_images_cannot_calibrate() -> None:
    with pytest.raises(ValueError, match="no image of sensor '4d' to calibrate int8 on"):
        calibration_images([])
