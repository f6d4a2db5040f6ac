# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""ONNX Runtime sessions of untrusted model files: one file, bounded memory."""

from __future__ import annotations

import functools
from pathlib import Path
from typing import Any

import onnxruntime
from ssd_ros.reading import read_whole

Provider = str | tuple[str, dict[str, int]]  # name, and options where it has some

MAX_MODEL_BYTES = 1 << 28
# For the arrays of all models of a process. A batch of a few hundred images takes a tenth of it.
MAX_ARRAY_BYTES = 1 << 32
_CPU: list[Provider] = ['CPUExecutionProvider']
_CUDA_NAME = 'CUDAExecutionProvider'
# The bound of the arrays on the GPU, of which cuDNN's are no part.
_CUDA: list[Provider] = [(_CUDA_NAME, {'gpu_mem_limit': MAX_ARRAY_BYTES}), *_CPU]


def has_cuda() -> bool:
    """Return whether this is a build of ONNX Runtime for CUDA."""
    return _CUDA_NAME in onnxruntime.get_available_providers()


def runtime_version() -> str:
    """Return the release of ONNX Runtime."""
    return str(onnxruntime.__version__)


def read_model(path: Path) -> bytes:
    """Read the file whole, refusing what could make ONNX Runtime open another one."""
    model = read_whole(path, MAX_MODEL_BYTES, 'a model')
    # ONNX names the file of external weights under the key 'location', spelt out in the bytes
    # whatever their encoding. A model without it cannot name a file.
    if b'location' in model:
        raise ValueError(
            f'{path} refers to external data (it holds the key "location"): '
            'save the model as one file'
        )
    return model


def open_as_written(path: Path, model: bytes) -> Any:
    """
    Return a session on the CPU that computes nothing before it is run.

    Optimising computes what is constant at once, whatever memory that takes: run a model of
    unknown origin as written first.

    :raise ValueError: it is no ONNX model
    """
    options = _options(1)
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    return _session(path, model, options, _CPU)


def open_session(
    path: Path, model: bytes, on_cuda: bool, num_threads: int, allow_spinning: bool
) -> Any:
    """
    Return a fast session.

    :param on_cuda: on the GPU, else on the processor
    :param allow_spinning: idle threads wait busily, which takes time from other processes
    :raise ValueError: it is no ONNX model, or CUDA does not start
    """
    options = _options(num_threads)
    options.add_session_config_entry('session.intra_op.allow_spinning', str(int(allow_spinning)))
    session = _session(path, model, options, _CUDA if on_cuda else _CPU)
    started = session.get_providers()[0]
    if on_cuda and started != _CUDA_NAME:
        raise ValueError(
            f'device is cuda but ONNX Runtime started {started}: check the CUDA and cuDNN '
            'libraries, or choose device cpu'
        )
    return session


def _options(num_threads: int) -> Any:
    _bound_memory()
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = num_threads
    options.inter_op_num_threads = 1
    options.log_severity_level = 4  # errors are raised
    options.add_session_config_entry('session.load_model_format', 'ONNX')
    options.add_session_config_entry('session.use_env_allocators', '1')
    return options


@functools.cache
def _bound_memory() -> None:
    """Give all sessions one allocator on the CPU that refuses to grow without end."""
    kind, memory = onnxruntime.OrtAllocatorType.ORT_ARENA_ALLOCATOR, onnxruntime.OrtMemType.DEFAULT
    info = onnxruntime.OrtMemoryInfo('Cpu', kind, 0, memory)
    configuration = onnxruntime.OrtArenaCfg(MAX_ARRAY_BYTES, -1, -1, -1)  # -1: the default
    onnxruntime.create_and_register_allocator(info, configuration)


def _session(path: Path, model: bytes, options: Any, providers: list[Provider]) -> Any:
    try:
        return onnxruntime.InferenceSession(model, options, providers=providers)
    except Exception as error:  # ONNX Runtime's errors share no narrower class
        raise ValueError(f'{path} is not a usable ONNX model: {error}') from error
