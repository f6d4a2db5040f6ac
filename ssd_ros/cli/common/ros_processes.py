# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""ROS programs of this package as processes of a command; needs no ROS to import."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
import os
from pathlib import Path
import signal
import subprocess
import sys

_STOP_LIMIT_S = 60.0  # a node that still compiles ends when that is done


@contextmanager
def ros_process(
    dds: Mapping[str, str], module: str, *arguments: str
) -> Iterator[subprocess.Popen[bytes]]:
    """
    Run a module of `ssd_ros.ros`; a process that has not ended by itself is interrupted.

    :param dds: variables of `isolated_dds`
    :raise ValueError: it ended with another exit code than 0
    """
    command = [sys.executable, '-m', f'ssd_ros.ros.{module}', *arguments]
    root = str(Path(__file__).parents[3])
    search_path = os.pathsep.join(filter(None, [root, os.environ.get('PYTHONPATH')]))
    process = subprocess.Popen(command, env={**os.environ, **dds, 'PYTHONPATH': search_path})
    try:
        yield process
    finally:
        if process.poll() is None:
            process.send_signal(signal.SIGINT)
        try:
            process.wait(_STOP_LIMIT_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
    if process.returncode != 0:
        raise ValueError(f'{module} ended with exit code {process.returncode}')
