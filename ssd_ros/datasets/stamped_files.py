# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Files named by their time, and times without a unit."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
import logging
import os
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from ssd_ros.reading import read_whole

_logger = logging.getLogger(__name__)


def stamp_ns_from_digits(stamp: int) -> int:
    """
    Return a time since 1970 in nanoseconds, telling micro- from nanoseconds by its digits.

    :param stamp: 16 digits (microseconds) or 19 (nanoseconds): any time from 2001 to 2286
    """
    num_digits = len(str(stamp))
    if stamp > 0 and num_digits == 19:
        return stamp
    if stamp > 0 and num_digits == 16:
        return stamp * 1000
    raise ValueError(
        f'stamp {stamp} has {num_digits} digits, expected 16 (microseconds) or 19 (nanoseconds)'
    )


def paths_by_stamp(folder: Path | None, suffix: str) -> tuple[NDArray[np.int64], list[Path]]:
    """
    List the files of a folder whose stems are integers, in order of that integer.

    :param folder: None gives empty lists
    :param suffix: such as `.png`; files with another one and hidden files are ignored
    :return: stems, shape (N,) int64, ascending, and paths
    :raise ValueError: a file is not named by its time, or two by the same
    """
    if folder is None:
        return np.empty(0, np.int64), []
    paths: dict[int, Path] = {}
    for path in folder.iterdir():
        if path.suffix.lower() != suffix or path.name.startswith('.'):
            continue
        if not (path.stem.isascii() and path.stem.isdigit() and len(path.stem) <= 19):
            raise ValueError(f'{path} is not named by its time: expected <digits>{suffix}')
        stamp = int(path.stem)
        if stamp in paths:
            raise ValueError(f'{path} and {paths[stamp]} have the same time')
        paths[stamp] = path
    stamps = sorted(paths)
    return np.array(stamps, np.int64), [paths[stamp] for stamp in stamps]


def records_of(path: Path, dtype: np.dtype[Any], max_num: int) -> NDArray[Any]:
    """
    Read a file of records of one type and nothing else; one cut off at the end is left out.

    :param max_num: of records that one scan can have
    :return: shape (N,), read-only
    :raise ValueError: there are more
    """
    num_bytes = path.stat().st_size
    if num_bytes > max_num * dtype.itemsize:
        raise ValueError(
            f'{path} has {num_bytes} bytes, expected one scan: '
            f'at most {max_num} records of {dtype.itemsize} bytes'
        )
    content = read_whole(path, max_num * dtype.itemsize, 'one scan')
    if num_rest := len(content) % dtype.itemsize:
        _logger.warning('%s: %d bytes after the last whole record', path, num_rest)
    return np.frombuffer(content, dtype, len(content) // dtype.itemsize)


def radar_paths(
    root: Path, found: Mapping[str, Path], folders: list[str]
) -> tuple[NDArray[np.int64], list[Path]]:
    """
    List the PNG files of the first of the folders that was found, in order of time.

    :param found: the answer of `find_below`
    :return: stamps in nanoseconds, shape (N,) int64, ascending, and paths
    """
    folder = next((found[name] for name in folders if name in found), None)
    if folder is None:
        raise FileNotFoundError(
            f'{root} has no folder {" or ".join(folders)} with polar PNG files; '
            f'it holds {sorted(path.name for path in root.iterdir())[:10]}'
        )
    stamps, paths = paths_by_stamp(folder, '.png')
    stamps_ns = [stamp_ns_from_digits(stamp) for stamp in stamps.tolist()]
    return np.array(stamps_ns, np.int64), paths


def find_below(root: Path, names: set[str], max_depth: int = 5) -> dict[str, Path]:
    """
    Find files and folders by name, whatever the case, the nearest to the root first.

    :param names: in lower case
    :return: path by lower-case name; absent where nothing is found
    :raise ValueError: two of the same depth have one name, so that the root holds two sequences
    """
    if not root.is_dir():
        raise FileNotFoundError(f'{root} is not a directory')
    found: dict[str, Path] = {}
    for path in _walk(root, names, max_depth):
        name = path.name.lower()
        if name not in found:
            found[name] = path
        elif len(found[name].parts) == len(path.parts):
            raise ValueError(
                f'{root} holds more than one sequence ({found[name]} and {path}): name one of them'
            )
    return found


def _walk(root: Path, names: set[str], max_depth: int) -> Iterator[Path]:
    """Yield what has one of the names, level by level; what is found is not searched."""
    level = [root]
    for _ in range(max_depth):
        below: list[Path] = []
        for folder in level:
            with os.scandir(folder) as entries:
                for entry in sorted(entries, key=lambda entry: entry.name):
                    if entry.name.lower() in names:
                        yield Path(entry.path)
                    elif entry.is_dir() and not entry.name.startswith('.'):
                        below.append(Path(entry.path))
        level = below
