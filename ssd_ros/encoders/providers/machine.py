# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Which devices this machine has, and what of it decides how fast they are."""

from __future__ import annotations

import hashlib
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec
from pathlib import Path
import platform

from ssd_ros.devices import AUTO, CPU, CUDA, DEVICES, OPENVINO, OPENVINO_BF16
from ssd_ros.encoders.providers.onnx_session import has_cuda, runtime_version

_BFLOAT16 = {'amx_bf16', 'avx512_bf16'}
_OF_MODEL = {
    'vendor_id', 'cpu family', 'model', 'model name', 'stepping', 'flags',
    'CPU implementer', 'CPU architecture', 'CPU variant', 'CPU part', 'CPU revision', 'Features',
}  # fmt: skip


def devices_here() -> list[str]:
    """Return the devices whose libraries are installed, the processor first; loads none."""
    devices = [CPU]
    if has_cuda():
        devices.append(CUDA)
    if find_spec('openvino') is not None:
        devices.append(OPENVINO)
        if _BFLOAT16.intersection(_processor().get('flags', '').split()):
            devices.append(OPENVINO_BF16)
    return devices


def require_device(device: str) -> None:
    """
    Refuse a device that this machine does not have.

    :raise ValueError: it has not, or there is none of this name
    """
    if device not in DEVICES:
        raise ValueError(f'device is {device!r}; choose from {", ".join(DEVICES)}')
    if device in (AUTO, *devices_here()):
        return
    if device == CUDA:
        way_out = 'this ONNX Runtime has no CUDA: install that build with pip install .[gpu]'
    elif find_spec('openvino') is None:
        way_out = 'OpenVINO is not installed: pip install openvino'
    else:
        way_out = f'this processor has no instructions for bfloat16: choose device {OPENVINO}'
    raise ValueError(f'device is {device} but {way_out}, or choose device cpu')


def machine_words() -> str:
    """Return what is another text wherever another device may be the fastest."""
    processor = _processor()
    model = '\n'.join(f'{name}: {processor[name]}' for name in sorted(_OF_MODEL & set(processor)))
    words = [
        processor.get('model name', platform.machine())[:80],
        hashlib.sha256(model.encode()).hexdigest()[:12],
        f'onnxruntime {runtime_version()}',
        f'openvino {_openvino_version()}',
        _first_line('/proc/driver/nvidia/version') or 'no NVIDIA driver',
    ]
    return ', '.join(words)


def _processor() -> dict[str, str]:
    """Return what Linux says of the first processor."""
    try:
        first = Path('/proc/cpuinfo').read_text(errors='replace').partition('\n\n')[0]
    except OSError:
        return {}
    pairs = (line.partition(':') for line in first.splitlines())
    return {name.strip(): value.strip() for name, _, value in pairs}


def _openvino_version() -> str:
    try:
        return version('openvino')
    except PackageNotFoundError:
        return 'unknown' if find_spec('openvino') else 'absent'


def _first_line(path: str) -> str:
    try:
        return Path(path).read_text(errors='replace').partition('\n')[0][:200]
    except OSError:
        return ''
