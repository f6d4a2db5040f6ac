# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The description of a map, `meta.json`, which guards the arrays and itself by checksums."""

from __future__ import annotations

from collections.abc import Collection, Mapping
import hashlib
import json
from pathlib import Path
from types import NoneType
from typing import Any

from ssd_ros.reading import read_whole
from ssd_ros.records import shortened

FORMAT_VERSION = 2
CELLS_VERSION = 3  # of a map whose rows lie in a file for each square of the ground
META_FILE = 'meta.json'
DESCRIPTORS_FILE = 'descriptors.npy'
KEYFRAMES_FILE = 'keyframes.npy'
RETURNS_FILE = 'returns.npy'
CELLS_FOLDER = 'cells'
MAX_META_BYTES = 1 << 23
MAX_LANE_M = 30.0  # of the lane from which a place is seen a second time
REBUILD = 'build the map again with build_db'


class MapError(ValueError):
    """A map that cannot be used, with the reason and the way out."""


def read_meta(path: Path, versions: Collection[int] = (FORMAT_VERSION,)) -> dict[str, Any]:
    """
    Return the content of meta.json with the types of its own fields checked.

    :param versions: of the format, that the caller reads
    :raise MapError: it is absent, damaged or of another format, and why
    """
    file = path / META_FILE
    if not path.exists():
        raise MapError(f'there is no map at {path}: {REBUILD}')
    if not file.is_file():
        raise MapError(f'{path} is not a map: it has no {META_FILE}')
    try:
        content = read_whole(file, MAX_META_BYTES, 'a map')
    except ValueError as error:
        raise MapError(f'{error}: {REBUILD}') from error
    try:
        meta = json.loads(content)
    except (ValueError, RecursionError) as error:
        raise MapError(f'{file} is not JSON: {error}') from error
    if not isinstance(meta, dict) or 'format_version' not in meta:
        raise MapError(f'{file} does not describe a map: it has no format_version')
    version = meta['format_version']
    if version in (FORMAT_VERSION, CELLS_VERSION) and version not in versions:
        raise MapError(
            f'{path} is a map of format {version}, expected {" or ".join(map(str, versions))}: '
            'ssd_ros.open_map opens both, map convert makes format 3 of format 2'
        )
    if version not in versions:
        raise MapError(
            f'{file} has format version {shortened(version)}, this ssd_ros reads '
            f'{" and ".join(map(str, versions))}: {REBUILD}'
        )
    if sha256_of_meta(meta) != meta.get('meta_sha256'):
        raise MapError(f'{file} is damaged (its SHA-256 differs): copy the map again or {REBUILD}')
    _check_kinds(file, meta)
    return meta


def _check_kinds(file: Path, meta: Mapping[str, Any]) -> None:
    kinds: dict[str, type] = {'num_keyframes': int, 'descriptor_size': int, 'num_returns': int}
    kinds |= {'info': dict, 'files': dict}
    for name, kind in kinds.items():
        if type(meta.get(name)) is not kind:
            raise MapError(
                f'{file}: {name} is {shortened(meta.get(name))}, expected {kind.__name__}'
            )
    if type(meta.get('confidence', '')) not in (dict, NoneType):
        raise MapError(
            f'{file}: confidence is {shortened(meta.get("confidence"))}, expected dict or null'
        )


def revision_of(meta: Mapping[str, Any]) -> str:
    """
    Return 8 hexadecimal digits that change with anything in a map.

    They begin the checksum of its description, which has those of all arrays.
    """
    return str(meta['meta_sha256'])[:8]


def sha256_of_meta(meta: Mapping[str, Any]) -> str:
    """Return the checksum of everything in a description but the checksum itself."""
    rest = {name: value for name, value in meta.items() if name != 'meta_sha256'}
    try:
        text = json.dumps(rest, sort_keys=True, separators=(',', ':'), allow_nan=False)
    except (ValueError, RecursionError) as error:
        raise MapError(f'{META_FILE} cannot be JSON: {error}: {REBUILD}') from error
    return hashlib.sha256(text.encode()).hexdigest()
