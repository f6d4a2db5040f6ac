# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""
Files that are read once and within bounds, so that what was checked is what is used.

Nothing is mapped into memory: where another program cuts a mapped file short, the process ends by
SIGBUS.
"""

from __future__ import annotations

import json
import os
from pathlib import Path
import stat
from typing import Any, BinaryIO

MAX_YAML_BYTES = 1 << 20
MAX_JSON_BYTES = 1 << 28  # of results with a record for each query
_BY_OTHERS = stat.S_IWGRP | stat.S_IWOTH


def open_regular(path: Path) -> BinaryIO:
    """
    Open a file to read, never waiting for a pipe and never reading a device without end.

    :raise ValueError: something else than a file stands there
    :raise OSError: it cannot be opened
    """
    file = open(path, 'rb', opener=_without_waiting)  # noqa: SIM115 (the caller closes it)
    if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
        file.close()
        raise ValueError(f'{path} is not a file')
    return file


class Descriptor:
    """Of an open file, which is closed when nobody reads it any more."""

    def __init__(self, file: BinaryIO) -> None:
        """Keep a file open that its opener closes."""
        self.number = os.dup(file.fileno())

    def __del__(self) -> None:
        os.close(self.number)


def _without_waiting(path: str, flags: int) -> int:
    return os.open(path, flags | os.O_NONBLOCK)


def read_whole(path: Path, max_bytes: int, what: str, is_own: bool = False) -> bytes:
    """
    Read a file once, so that what is checked is what is used.

    :param what: the file should be, for messages: 'a map'
    :param is_own: it is believed, so that nobody but this user may have written it
    :raise ValueError: it is larger than max_bytes, or no file, or not this user's alone
    :raise OSError: it cannot be read
    """
    with open_regular(path) as file:
        status = os.fstat(file.fileno())
        if is_own and (status.st_uid != os.geteuid() or status.st_mode & _BY_OTHERS):
            raise ValueError(f'{path} can have been written by other users: delete it')
        size = status.st_size
        if size > max_bytes:
            raise ValueError(
                f'{path} has {size} bytes, too many for {what}: at most {max_bytes} are supported'
            )
        content = file.read(size + 1)
    if len(content) > size:
        raise ValueError(f'{path} grew while it was read')
    return content


def read_text(path: Path, max_bytes: int, what: str) -> str:
    """
    Read a file of text once, see `read_whole`.

    :raise ValueError: likewise, or it is not UTF-8
    """
    try:
        return read_whole(path, max_bytes, what).decode()
    except UnicodeDecodeError as error:
        raise ValueError(f'{path} is not text: {error}') from error


def read_json(path: Path, max_bytes: int, what: str, is_own: bool = False) -> Any:
    """
    Read a file of JSON once, see `read_whole`.

    :raise ValueError: likewise, or it is no JSON
    """
    content = read_whole(path, max_bytes, what, is_own)
    try:
        return json.loads(content)
    except (ValueError, RecursionError) as error:
        raise ValueError(f'{path} is not JSON: {error}') from error
