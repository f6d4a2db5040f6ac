# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""A model on a device, whatever computes there."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from ssd_ros.devices import CPU, CUDA, OPENVINO, OPENVINO_BF16
from ssd_ros.encoders.providers.onnx_session import open_session

PROVIDERS = {
    CPU: 'CPUExecutionProvider',
    CUDA: 'CUDAExecutionProvider',
    OPENVINO: 'OpenVINO float32',
    OPENVINO_BF16: 'OpenVINO bfloat16',
}
"""What computes on a device, as logs and diagnostics say it."""


def load_libraries(device: str) -> None:
    """
    Import what computes on a device.

    :raise ValueError: that fails
    """
    if device in (OPENVINO, OPENVINO_BF16):
        try:
            import ssd_ros.encoders.providers.openvino_session  # noqa: F401
        except (ImportError, OSError) as error:
            reason = str(error).strip().partition('\n')[0]
            raise ValueError(
                f'OpenVINO does not load ({reason}): install it anew, or choose device cpu'
            ) from error


def open_on(
    device: str, path: Path, model: bytes, num_threads: int = 1, allow_spinning: bool = False
) -> Any:
    """
    Return what runs a model as a session of ONNX Runtime does.

    :param device: see DEVICES, not auto
    :param allow_spinning: see open_session; OpenVINO's threads do not
    :raise ValueError: it is no ONNX model, or the device does not start
    """
    if device in (CPU, CUDA):
        return open_session(path, model, device == CUDA, num_threads, allow_spinning)
    load_libraries(device)
    from ssd_ros.encoders.providers.openvino_session import OpenVinoSession

    return OpenVinoSession(path, model, device == OPENVINO_BF16, num_threads)
