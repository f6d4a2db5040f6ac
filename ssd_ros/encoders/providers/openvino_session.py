# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""
OpenVINO on the processor, in float32 or bfloat16.

Its own interface and not the provider within ONNX Runtime: that one is another build of ONNX
Runtime, which takes the place of the usual one and is some releases behind.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
import functools
from pathlib import Path
import threading
from typing import Any

import numpy as np
from numpy.typing import NDArray
import openvino


class OpenVinoSession:
    """A model with one input and one output that is run as a session of ONNX Runtime is."""

    def __init__(self, path: Path, model: bytes, is_bfloat16: bool, num_threads: int) -> None:
        """
        Compile a model for one image at a time, which bounds its arrays.

        :param path: of the model, for messages
        :raise ValueError: that fails, or the processor has no bfloat16
        """
        wanted = openvino.Type.bf16 if is_bfloat16 else openvino.Type.f32
        options = {
            'INFERENCE_NUM_THREADS': num_threads,
            'INFERENCE_PRECISION_HINT': wanted,
            'PERFORMANCE_HINT': 'LATENCY',
            'NUM_STREAMS': 1,
            'ENABLE_CPU_PINNING': False,  # other processes may have the core
        }
        try:
            network = _core().read_model(model)
            shape = network.inputs[0].partial_shape
            shape[0] = 1
            network.reshape(shape)
            compiled = _core().compile_model(network, 'CPU', options)
            found = compiled.get_property('INFERENCE_PRECISION_HINT')
            self._request = compiled.create_infer_request()
        except RuntimeError as error:
            raise ValueError(f'OpenVINO cannot load {path}: {error}') from error
        if found != wanted:
            raise ValueError(
                f'OpenVINO computes in {found.to_string()}, not in {wanted.to_string()}: choose '
                'device cpu'
            )
        self._lock = threading.Lock()  # a request serves one caller at a time

    def run(
        self, outputs: Sequence[str], feeds: Mapping[str, NDArray[np.uint8]]
    ) -> list[NDArray[np.float32]]:
        """
        Return what the model gives for images, one by one.

        :param outputs: the name of the one that it has
        :param feeds: its input by name, shape (N, ...)
        :return: one array, shape (N, ...)
        """
        (images,) = feeds.values()
        with self._lock:
            rows = [self._request.infer([image[None]])[0].copy() for image in images]
        return [np.concatenate(rows)]


@functools.cache
def _core() -> Any:
    return openvino.Core()
