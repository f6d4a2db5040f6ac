# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Where a map may be written, and over which other map."""

from __future__ import annotations

from collections.abc import Collection
from contextlib import suppress
from pathlib import Path
import re
from typing import Any

from ssd_ros.maps.meta import (
    CELLS_FOLDER,
    CELLS_VERSION,
    DESCRIPTORS_FILE,
    FORMAT_VERSION,
    KEYFRAMES_FILE,
    MapError,
    META_FILE,
    read_meta,
    RETURNS_FILE,
)
from ssd_ros.targets import check_folder, ELSEWHERE, FolderKind, TargetError


def _own_files(path: Path) -> Collection[str]:
    # A file named meta.json makes no map: other programs have such files, too.
    meta = read_meta(path, BOTH)
    if meta['format_version'] == FORMAT_VERSION:
        return META_FILE, DESCRIPTORS_FILE, KEYFRAMES_FILE, RETURNS_FILE
    files = [*path.glob('*'), *(path / CELLS_FOLDER).glob('*')]
    names = [str(file.relative_to(path)) for file in files if _is_of_squares(file.name)]
    # One more, or the folder of squares would not be ours where all of them were lost.
    return META_FILE, *names, f'{CELLS_FOLDER}/any'


def _is_of_squares(name: str) -> bool:
    begun = _BEGUN.fullmatch(name)
    return _STORED.fullmatch(begun['name'] if begun else name) is not None


BOTH = (FORMAT_VERSION, CELLS_VERSION)
# Files named by what they hold, those of an earlier state included.
_STORED = re.compile(
    r'(keyframes|cells|session_of|centres|parts|lists)\.[0-9a-f]{16}\.npy|'
    r'rows\.[0-9a-f]{16}\.codes|'
    r'-?\d{1,9}_-?\d{1,9}\.[0-9a-f]{16}\.cell|meta\.json'
)
_BEGUN = re.compile(r'\.(?P<name>.+)\.\w{8}')  # what an interrupted command has left of one
MAP_FOLDER = FolderKind('a map', _own_files)


def check_map_target(path: Path, sensor: str | None = None) -> None:
    """
    Refuse to write a map where something else stands, or where nothing can be written.

    :param sensor: of the map that may be replaced; None: of either
    :raise MapError: `path` exists and is neither an empty directory nor a whole map of ours with
        nothing beside its own files, or it lies within a map
    """
    try:
        check_folder(path, MAP_FOLDER)
    except TargetError as error:
        raise MapError(str(error)) from error
    if (around := _map_around(path)) is not None:
        raise MapError(f'{path} lies within the map {around}: choose another place')
    info = info_of_target(path)
    if info is not None and sensor not in (None, info.get('sensor')):
        raise MapError(
            f'{path} is a map of sensor {info.get("sensor")!r}, not of {sensor!r}: {ELSEWHERE}'
        )


def _map_around(path: Path) -> Path | None:
    for folder in path.resolve().parents:
        if (folder / META_FILE).is_file():
            with suppress(MapError, OSError):  # of another program
                read_meta(folder, BOTH)
                return folder
    return None


def info_of_target(path: Path) -> dict[str, Any] | None:
    """
    Return what the map that stands at a path says of itself, None if there is none.

    :raise MapError: something else stands there
    """
    if not path.exists() or not any(path.iterdir()):
        return None
    info: dict[str, Any] = read_meta(path, BOTH)['info']
    return info
