# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""
A model of unknown origin is tried in a process of its own, with bounded memory and time.

Whatever loading or running it does, ends that process and not the one that asked. Its descriptors
of the probe images come back, and how long an image takes.
"""

from __future__ import annotations

from pathlib import Path
import resource
import signal
import struct
import subprocess
import sys
import time
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from ssd_ros.devices import CPU, CUDA, OPENVINO, OPENVINO_BF16
from ssd_ros.encoders.model_checks import (
    check_output,
    check_signature,
    contract_of,
    PROBE_IMAGES,
    probe_images,
    run_session,
)
from ssd_ros.encoders.model_contract import ModelContract
from ssd_ros.encoders.providers.onnx_session import open_as_written
from ssd_ros.encoders.providers.opening import load_libraries, open_on
from ssd_ros.encoders.providers.passes import keep_pass, kept_pass

_MIB = 1 << 20
# Said at the end. Where a parent ignores SIGCHLD, Python takes every end of a child for success.
_PASSED = b'passed'
_MS = struct.Struct('<d')
# Runs this module with the search path of its parent, whatever lies in the working directory.
_PROGRAM = (
    'import sys; sys.path[:] = sys.argv[6:]; from ssd_ros.encoders.trial import main; main()'
)


class Limits(NamedTuple):
    """
    What a trial may take.

    :param memory_bytes: beyond what weights and images take
    :param bytes_per_cell: of each image, for the arrays between
    :param cpu_s: of a processor; a desktop needs 1 s for the shipped models, a Raspberry Pi ten
        and more times that
    :param wall_s: on the clock, for a machine that does much else
    """

    memory_bytes: int = 128 * _MIB
    bytes_per_cell: int = 512
    cpu_s: int = 30
    wall_s: float = 180.0


# OpenVINO reserves so much to compile a model, CUDA more than there is.
_LIMITS = {
    CPU: Limits(),
    **dict.fromkeys((OPENVINO, OPENVINO_BF16), Limits(memory_bytes=1 << 30)),
    CUDA: Limits(memory_bytes=1 << 46),
}


class Trial(NamedTuple):
    """
    What came of it.

    :param descriptors: of the probe images, shape (PROBE_IMAGES, *contract.output_shape)
    :param ms: that an image takes; of processor time, on CUDA by the clock
    """

    descriptors: NDArray[np.float32]
    ms: float


_passed: dict[str, Trial] = {}  # by SHA-256, of models that this process has tried


def require_trial(path: Path, model: bytes, digest: str, limits: Limits | None = None) -> Trial:
    """
    Load a model and run it in another process, unless that was seen to pass.

    :param model: content of the file
    :param digest: its SHA-256
    :param limits: None = those of the processor; what passes them is kept for the next start
    :raise ValueError: it does not keep its contract, or takes more memory or time than the limits
    :raise OSError: no process could be started
    """
    if digest not in _passed:
        _passed[digest] = _kept_or_tried(path, model, digest, limits)
    return _passed[digest]


def _kept_or_tried(path: Path, model: bytes, digest: str, limits: Limits | None) -> Trial:
    if limits is not None:
        return try_on(CPU, path, model, limits)
    kept = kept_pass(digest, _shape_of(contract_of(path, model)))
    if kept is not None:
        return Trial(*kept)
    trial = try_on(CPU, path, model)
    keep_pass(digest, *trial)
    return trial


def try_on(
    device: str, path: Path, model: bytes, limits: Limits | None = None, seconds: float = 0.0
) -> Trial:
    """
    Load a model on a device and run it in another process.

    :param limits: None = those of the device
    :param seconds: for which one image is run again and again; at least once
    :raise ValueError: see require_trial, or the device does not start
    :raise OSError: no process could be started
    """
    limits = limits or _LIMITS[device]
    contract = contract_of(path, model)
    cells = PROBE_IMAGES * int.__mul__(*contract.input_shape)
    num_bytes = limits.memory_bytes + 4 * len(model) + cells * limits.bytes_per_cell
    words = [device, str(path), str(num_bytes), str(limits.cpu_s), str(seconds)]
    allowed = f'it was tried with {num_bytes // _MIB} MiB and {limits.cpu_s} s'
    try:
        result = subprocess.run(
            [sys.executable, '-c', _PROGRAM, *words, *sys.path],
            input=model,
            capture_output=True,
            timeout=limits.wall_s,
            check=False,
            start_new_session=True,  # Ctrl-C is for who asked, and says nothing about the model
        )
    except subprocess.TimeoutExpired as error:
        raise ValueError(
            f'{path} is not a usable ONNX model: not loaded and run after {limits.wall_s:g} s'
        ) from error
    if result.stdout.endswith(_PASSED):
        return _trial_of(result.stdout.removesuffix(_PASSED), contract)
    if result.stdout:
        raise ValueError(f'{result.stdout.decode(errors="replace").strip()[-1000:]} ({allowed})')
    raise ValueError(
        f'{path} is not a usable ONNX model: {_end_of(result.returncode)} ended the process '
        f'that ran it ({allowed}){_last_line(result.stderr)}'
    )


def _trial_of(content: bytes, contract: ModelContract) -> Trial:
    """Read what `main` has written at the end, after what libraries may have printed."""
    shape = _shape_of(contract)
    descriptors = np.frombuffer(content[-4 * int(np.prod(shape)) :], '<f4').reshape(shape)
    (ms,) = _MS.unpack(content[: -descriptors.nbytes][-_MS.size :])
    return Trial(descriptors, ms)


def _shape_of(contract: ModelContract) -> tuple[int, ...]:
    return (PROBE_IMAGES, *contract.output_shape)


def _end_of(returncode: int) -> str:
    if returncode == -signal.SIGXCPU:
        return 'too much time'
    if returncode == -signal.SIGKILL:  # by the system: nothing here sends it
        return 'SIGKILL, as where memory is short,'
    try:
        return signal.Signals(-returncode).name
    except ValueError:
        return f'exit code {returncode}'


def _last_line(text: bytes) -> str:
    lines = text.decode(errors='replace').strip().splitlines()
    return f': {lines[-1][:500]}' if lines else ''


def main() -> None:
    """Try the model on standard input; say how it passed or what is wrong with it."""
    device, path = sys.argv[1], Path(sys.argv[2])
    num_bytes, cpu_s, seconds = int(sys.argv[3]), int(sys.argv[4]), float(sys.argv[5])
    model = sys.stdin.buffer.read()
    try:
        load_libraries(device)
        _bound(num_bytes, cpu_s)
        contract = contract_of(path, model)
        if device == CPU:
            # What it asks for is run as it is written before anything is optimised, which
            # computes what is constant at once.
            session = open_as_written(path, model)
            check_signature(path, session, contract)
            check_output(path, session, contract)
            del session
        session = open_on(device, path, model)
        descriptors = check_output(path, session, contract)
        ms = _ms_of_an_image(session, contract, seconds, device)
    except ValueError as error:
        # The end of a line: whatever names the model has, this is not the word for a pass.
        sys.stdout.buffer.write(f'{error}\n'.encode(errors='backslashreplace'))
    else:
        found = descriptors.astype('<f4').tobytes()
        sys.stdout.buffer.write(_MS.pack(ms) + found + _PASSED)


def _ms_of_an_image(session: Any, contract: ModelContract, seconds: float, device: str) -> float:
    """Return the mean time: a processor's clock may be too coarse for a single run."""
    clock = time.perf_counter if device == CUDA else time.process_time
    image, num_runs, start = probe_images(contract)[-1:], 0, clock()
    while num_runs == 0 or clock() - start < seconds:
        run_session(session, contract, image)
        num_runs += 1
    return (clock() - start) / num_runs * 1e3


def _bound(num_bytes: int, cpu_s: int) -> None:
    """Take no more memory than now and so much, no more time, and leave no file."""
    _lower(resource.RLIMIT_CPU, cpu_s, cpu_s + 1)  # SIGXCPU at the first, SIGKILL at the second
    _lower(resource.RLIMIT_FSIZE, 0, 0)
    _lower(resource.RLIMIT_CORE, 0, 0)
    try:
        pages = int(Path('/proc/self/statm').read_text().split()[0])
    except OSError:  # without /proc nothing tells how much there is now: time alone is bounded
        return
    size = pages * resource.getpagesize() + num_bytes
    _lower(resource.RLIMIT_AS, size, size)


def _lower(kind: int, soft: int, hard: int) -> None:
    """Set a limit, never above what is allowed already."""
    allowed = resource.getrlimit(kind)[1]
    if allowed != resource.RLIM_INFINITY:
        soft, hard = min(soft, allowed), min(hard, allowed)
    resource.setrlimit(kind, (soft, hard))
