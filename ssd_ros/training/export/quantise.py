# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""
Static int8 models: the convolutions in 8 bits, the pooling in float.

Scales come from calibration images. Never dynamic, which measures them in every run: on a CPU
that is several times slower than float.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
from numpy.typing import NDArray
import onnx
from onnxruntime.quantization import (
    CalibrationDataReader,
    QuantFormat,
    quantize_static,
    QuantType,
)
from onnxruntime.quantization.shape_inference import quant_pre_process
from ssd_ros.evaluation.bev_cache import CachedDrive, Images

_WITH_CONVOLUTIONS = ('Add', 'Conv', 'MaxPool')


class _Images(CalibrationDataReader):
    """Hand calibration images to the library one at a time."""

    def __init__(self, input_name: str, images: NDArray[np.uint8]) -> None:
        self._inputs: Iterator[dict[str, NDArray[np.uint8]]] = (
            {input_name: image[None, None]} for image in images
        )

    def get_next(self) -> dict[str, NDArray[np.uint8]] | None:
        """Return the next image, None at the end."""
        return next(self._inputs, None)


def quantised(model: onnx.ModelProto, images: NDArray[np.uint8]) -> onnx.ModelProto:
    """
    Return the model with its convolutions in int8; its contract stays.

    :param images: shape (N, rows, columns), as the model takes them, to find the scales on
    """
    with TemporaryDirectory() as directory:
        given, prepared, result = (Path(directory, name) for name in ('given', 'prepared', 'int8'))
        onnx.save(model, given)
        # Takes batch norm into the weights. The symbolic shapes it could add are not needed.
        quant_pre_process(given, prepared, skip_symbolic_shape=True)
        quantize_static(
            prepared,
            result,
            _Images(model.graph.input[0].name, images),
            quant_format=QuantFormat.QDQ,
            per_channel=True,
            reduce_range=True,  # 7 bits: sums of 8 overflow on processors without VNNI
            activation_type=QuantType.QUInt8,
            weight_type=QuantType.QInt8,
            nodes_to_quantize=_convolutional(onnx.load(prepared).graph),
        )
        return onnx.load(result)


def _convolutional(graph: onnx.GraphProto) -> list[str]:
    """Return the names of the convolutions and of what lies between them."""
    names: list[str] = []
    needed: set[str] = set()
    for node in reversed(graph.node):  # sorted: a node stands behind what it needs
        if node.op_type == 'Conv' or needed.intersection(node.output):
            needed.update(node.input)
            if node.op_type in _WITH_CONVOLUTIONS:
                names.append(node.name)
    return names


def calibration_images(
    drives: Sequence[CachedDrive], num_bevs: int = 64, num_panoramas: int = 12
) -> dict[str, NDArray[np.uint8]]:
    """
    Return images for each sensor from all parts of the drives.

    :param drives: of the training worlds
    """
    chosen = {
        '4d': spread_images([drive.student_bevs for drive in drives], num_bevs),
        'spinning': spread_images([drive.panoramas for drive in drives], num_panoramas),
    }
    if missing := [sensor for sensor, images in chosen.items() if len(images) == 0]:
        raise ValueError(f'the drives have no image of sensor {missing[0]!r} to calibrate int8 on')
    return {sensor: np.stack(images) for sensor, images in chosen.items()}


def spread_images(stacks: Sequence[Images], num: int) -> list[NDArray[np.uint8]]:
    """Return images at even distances in the row of all."""
    places = [(stack, row) for stack in stacks for row in range(len(stack))]
    if not places:
        return []
    rows = np.unique(np.linspace(0, len(places) - 1, num).astype(int))
    return [np.asarray(places[row][0][places[row][1]]) for row in rows]
