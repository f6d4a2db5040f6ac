# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""A small map of squares, and `serve` as a process of its own."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from http.client import HTTPConnection
from io import BytesIO
import json
import os
from pathlib import Path
import signal
import socket
import subprocess
import sys
import time
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from ssd_ros.maps.builder import build_database
from ssd_ros.maps.cells.writing import converted
from ssd_ros.maps.files import read_map
from support.posts import PostDrive, random_posts, small_encoder, write_small_encoder

ROOT = Path(__file__).parents[3]
LIMIT_S = 60.0
# Sixty keyframes, one every 20 m along x, in three squares.
STREET = PostDrive(
    random_posts(3000, 1200.0), np.column_stack([np.arange(60) * 20.0, np.zeros((60, 2))])
)


def write_street(directory: Path) -> Path:
    """Write a map of squares of the street, `city.map`, and one in one piece, `street.map`."""
    teacher = small_encoder(directory, 'spinning')
    build_database(STREET, teacher, num_views=36, keyframe_distance_m=19.0).save(
        directory / 'street.map'
    )
    write_small_encoder(directory / 'student.onnx', '4d')
    converted(directory / 'city.map', read_map(directory / 'street.map'))
    return directory / 'city.map'


class Reply(NamedTuple):
    """What came back."""

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def text(self) -> str:
        """As a person reads it."""
        return self.body.decode()

    @property
    def json(self) -> Any:
        """As a program does."""
        return json.loads(self.body)


class Served:
    """A running `serve`."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        """Wait until it serves."""
        self.process, self.printed = process, ''
        assert process.stdout is not None
        for line in process.stdout:
            self.printed += line
            if line.startswith('serving '):
                self.url = line.split()[1]
                break
        else:
            raise AssertionError(f'serve ended: {self.printed}')
        self.port = int(self.url.rsplit(':', 1)[1].strip('/'))

    def ask(self, method: str, path: str, body: bytes = b'', **headers: str) -> Reply:
        """Send a request and return what came back."""
        connection = HTTPConnection('127.0.0.1', self.port, timeout=LIMIT_S)
        names = {name.replace('_', '-'): value for name, value in headers.items()}
        connection.request(method, path, body, names)
        answer = connection.getresponse()
        lower = {name.lower(): value for name, value in answer.getheaders()}
        reply = Reply(answer.status, lower, answer.read())
        connection.close()
        return reply

    def get(self, path: str, **headers: str) -> Reply:
        """Read something."""
        return self.ask('GET', path, **headers)

    def post(self, path: str, array: NDArray[Any], **headers: str) -> Reply:
        """Ask by an array."""
        return self.ask('POST', path, npy(array), **headers)

    def value(self, line: str) -> float:
        """Return a number of the metrics, 0 if it is not there."""
        lines = self.get('/metrics').text.splitlines()
        return next((float(each.rsplit(' ', 1)[1]) for each in lines if each.startswith(line)), 0)

    def wait_for(self, line: str, value: float) -> None:
        """Wait until a number of the metrics has come to a value."""
        last_s = time.monotonic() + LIMIT_S
        while self.value(line) != value:
            assert time.monotonic() < last_s, line
            time.sleep(0.02)

    def end(self) -> int:
        """Send SIGTERM and return the exit code."""
        self.process.send_signal(signal.SIGTERM)
        return self.ended()

    def ended(self) -> int:
        """Wait until it has ended and return the exit code."""
        self.printed += self.process.communicate(timeout=LIMIT_S)[0]
        return self.process.returncode


class HalfSent:
    """A request of which a part of the body is on the way."""

    def __init__(self, served: Served, path: str, body: bytes) -> None:
        """Send the first half."""
        self._socket = socket.create_connection(('127.0.0.1', served.port), LIMIT_S)
        self._rest = body[len(body) // 2 :]
        head = f'POST {path} HTTP/1.1\r\nHost: localhost\r\nContent-Length: {len(body)}\r\n\r\n'
        self._socket.sendall(head.encode() + body[: len(body) // 2])

    def is_cut_off(self) -> bool:
        """Return whether nothing comes back but the end."""
        with suppress(ConnectionResetError):
            return not self._socket.recv(1)
        return True

    def finish(self) -> bytes:
        """Send the other half and return what comes back, its head included."""
        self._socket.sendall(self._rest)
        content = b''
        while b'\r\n\r\n' not in content or not content.endswith(b'}'):
            part = self._socket.recv(1 << 16)
            if not part:
                break
            content += part
        self._socket.close()
        return content


def npy(array: NDArray[Any]) -> bytes:
    """Return what numpy.save writes."""
    file = BytesIO()
    np.save(file, array)
    return file.getvalue()


@contextmanager
def serving(path: Path, *options: str) -> Iterator[Served]:
    """Serve a map while the block lasts."""
    command = [sys.executable, '-m', 'ssd_ros', 'serve', str(path), '--port', '0', *options]
    process = subprocess.Popen(
        command,
        cwd=ROOT,
        env={**os.environ, 'OMP_NUM_THREADS': '1'},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    try:
        yield Served(process)
    finally:
        process.kill()
        process.communicate()
