# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""
A model of unknown origin is tried in a process of its own, with bounded memory and time.

Whatever loading or running it does, ends that process and not the one that asked.
"""

from __future__ import annotations

from pathlib import Path
import resource
import signal
import subprocess
import sys
from typing import NamedTuple

from ssd_ros.encoders.model_checks import check_output, check_signature, contract_of, PROBE_IMAGES
from ssd_ros.encoders.onnx_session import CPU, open_as_written, open_session

_MIB = 1 << 20
# Said at the end. Where a parent ignores SIGCHLD, Python takes every end of a child for success.
_PASSED = b'passed'
# Runs this module with the search path of its parent, whatever lies in the working directory.
_PROGRAM = (
    'import sys; sys.path[:] = sys.argv[4:]; from ssd_ros.encoders.trial import main; main()'
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


_passed: set[str] = set()  # SHA-256 of models that this process has tried


def require_trial(path: Path, model: bytes, digest: str, limits: Limits | None = None) -> None:
    """
    Load a model and run it once in another process, unless this one has seen that pass.

    :param model: content of the file
    :param digest: its SHA-256
    :raise ValueError: it does not keep its contract, or takes more memory or time than the limits
    :raise OSError: no process could be started
    """
    if digest not in _passed:
        _try(path, model, limits or Limits())
        _passed.add(digest)


def _try(path: Path, model: bytes, limits: Limits) -> None:
    cells = PROBE_IMAGES * int.__mul__(*contract_of(path, model).input_shape)
    num_bytes = limits.memory_bytes + 4 * len(model) + cells * limits.bytes_per_cell
    numbers = [str(path), str(num_bytes), str(limits.cpu_s)]
    allowed = f'it was tried with {num_bytes // _MIB} MiB and {limits.cpu_s} s'
    try:
        result = subprocess.run(
            [sys.executable, '-c', _PROGRAM, *numbers, *sys.path],
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
        return
    if result.stdout:
        raise ValueError(f'{result.stdout.decode(errors="replace").strip()[-1000:]} ({allowed})')
    raise ValueError(
        f'{path} is not a usable ONNX model: {_end_of(result.returncode)} ended the process '
        f'that ran it ({allowed}){_last_line(result.stderr)}'
    )


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
    """Try the model on standard input, and say that it passed or what is wrong with it."""
    path, num_bytes, cpu_s = Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3])
    model = sys.stdin.buffer.read()
    _bound(num_bytes, cpu_s)
    try:
        contract = contract_of(path, model)
        # What it asks for is run as it is written before anything is optimised, which computes
        # what is constant at once.
        session = open_as_written(path, model)
        check_signature(path, session, contract)
        check_output(path, session, contract)
        del session
        check_output(path, open_session(path, model, CPU, 1, False), contract)
    except ValueError as error:
        # The end of a line: whatever names the model has, this is not the word for a pass.
        sys.stdout.buffer.write(f'{error}\n'.encode(errors='backslashreplace'))
    else:
        sys.stdout.buffer.write(_PASSED)


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
