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
    CELL_FILES,
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
    cells = (path / CELLS_FOLDER).glob('*')
    names = [f'{CELLS_FOLDER}/{cell.name}' for cell in cells if CELL_NAME.fullmatch(cell.name)]
    # One more, or the folder would not be ours where all of them were lost.
    return META_FILE, *CELL_FILES, *names, f'{CELLS_FOLDER}/0_0.cell'


BOTH = (FORMAT_VERSION, CELLS_VERSION)
CELL_NAME = re.compile(r'-?\d{1,9}_-?\d{1,9}\.cell')
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
