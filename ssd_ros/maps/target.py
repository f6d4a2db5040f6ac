# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Where a map may be written: what is the user's is never deleted."""

from __future__ import annotations

from pathlib import Path

from ssd_ros.maps.meta import (
    DESCRIPTORS_FILE,
    KEYFRAMES_FILE,
    MapError,
    META_FILE,
    read_meta,
    RETURNS_FILE,
)

_OWN_FILES = {META_FILE, DESCRIPTORS_FILE, KEYFRAMES_FILE, RETURNS_FILE}
_ELSEWHERE = 'choose another place, or move away what is there'


def check_map_target(path: Path, sensor: str | None = None) -> None:
    """
    Refuse to write a map where something else stands, which the write would delete.

    A file named meta.json makes no map: other programs have such files, too.

    :param sensor: of the map that may be replaced; None: of either
    :raise MapError: `path` exists and is neither an empty directory nor a whole map of ours with
        nothing beside its own files
    """
    if not path.exists() or (path.is_dir() and not any(path.iterdir())):
        return
    try:
        info = read_meta(path)['info']
    except MapError as error:
        raise MapError(f'{path} exists and is not a map: {_ELSEWHERE} ({error})') from error
    foreign = [entry.name for entry in path.iterdir() if not _is_of_a_map(entry)]
    if foreign:
        raise MapError(f'{path} holds {min(foreign)!r} beside a map: {_ELSEWHERE}')
    if sensor not in (None, info.get('sensor')):
        raise MapError(
            f'{path} is a map of sensor {info.get("sensor")!r}, not of {sensor!r}: {_ELSEWHERE}'
        )


def _is_of_a_map(entry: Path) -> bool:
    return entry.name in _OWN_FILES and entry.is_file() and not entry.is_symlink()
