# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""A server that answers whatever it is told to, as no place server would."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
import socketserver
import threading
import time


@dataclass
class Odd:
    """
    What it answers.

    :param replies: by the beginning of a path; a whole response, its head included
    :param pause_s: after each byte
    :param asked: the first lines of the requests that came
    """

    replies: dict[str, bytes]
    pause_s: float = 0.0
    asked: list[str] = field(default_factory=list)
    url: str = ''

    def reply_to(self, line: str) -> bytes:
        """Note a request and return what to answer."""
        self.asked.append(line)
        path = line.split()[1]
        return next(text for start, text in self.replies.items() if path.startswith(start))


def response(body: bytes, status: str = '200 OK', **headers: str) -> bytes:
    """Return a whole response."""
    headers = {'Content_Length': str(len(body)), 'Connection': 'close'} | headers
    head = ''.join(f'{name.replace("_", "-")}: {value}\r\n' for name, value in headers.items())
    return f'HTTP/1.1 {status}\r\n{head}\r\n'.encode() + body


@contextmanager
def answering(replies: dict[str, bytes], pause_s: float = 0.0) -> Iterator[Odd]:
    """Serve while the block lasts."""
    odd = Odd(replies, pause_s)

    class Handler(socketserver.StreamRequestHandler):
        def handle(self) -> None:
            line, length = self.rfile.readline().decode(), 0
            while (head := self.rfile.readline().strip().lower()) != b'':
                if head.startswith(b'content-length:'):
                    length = int(head.split(b':')[1])
            self.rfile.read(length)
            reply = odd.reply_to(line)
            step = 1 if odd.pause_s else len(reply) or 1
            with suppress(OSError):  # who asked has enough of it
                for first in range(0, len(reply), step):
                    self.wfile.write(reply[first : first + step])
                    self.wfile.flush()
                    time.sleep(odd.pause_s)

    with socketserver.ThreadingTCPServer(('127.0.0.1', 0), Handler) as server:
        server.daemon_threads = True
        odd.url = f'http://127.0.0.1:{server.server_address[1]}'
        thread = threading.Thread(target=server.serve_forever, args=(0.02,))
        thread.start()
        try:
            yield odd
        finally:
            server.shutdown()
            thread.join()
