# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The arrays of a map on disk: read only after they were found to be what `meta.json` says."""

from __future__ import annotations

from collections.abc import Mapping
import hashlib
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from ssd_ros.files import sha256_of
from ssd_ros.maps.meta import MapError, META_FILE, REBUILD
from ssd_ros.motion.trajectory import Trajectory
from ssd_ros.npy_files import array_of
from ssd_ros.reading import read_whole
from ssd_ros.records import shortened

MAX_ARRAY_BYTES = 1 << 34
KEYFRAME = np.dtype(
    [('stamp_ns', '<i8'), ('position_m', '<f8', (3,)), ('quaternion_xyzw', '<f8', (4,))]
)


def fingerprint(file: Path) -> dict[str, Any]:
    """Return the size and checksum of a file, as meta.json lists them."""
    return {'bytes': file.stat().st_size, 'sha256': sha256_of(file)}


def load_array(
    path: Path, files: Mapping[str, Any], dtype: np.dtype[Any], shape: tuple[int, ...]
) -> NDArray[Any]:
    """
    Read an array once; its size, checksum, type and shape are found right before it is used.

    :param files: what meta.json lists, by name
    :return: of the given shape, read-only
    :raise MapError: one of them is not as listed
    :raise OSError: the file cannot be read
    """
    expected = files.get(path.name)
    if not isinstance(expected, dict):
        raise MapError(f'{path.parent / META_FILE} does not list {path.name}: {REBUILD}')
    if not path.is_file():
        raise MapError(f'{path} is missing: copy the whole map again or {REBUILD}')
    size = path.stat().st_size
    if size != expected.get('bytes'):
        raise MapError(
            f'{path} has {size} bytes, {META_FILE} says '
            f'{shortened(expected.get("bytes"))}: the map is truncated or mixed from two; '
            f'copy it again or {REBUILD}'
        )
    try:
        content = read_whole(path, MAX_ARRAY_BYTES, 'a map')
    except ValueError as error:
        raise MapError(f'{error}: copy the map again or {REBUILD}') from error
    if hashlib.sha256(content).hexdigest() != expected.get('sha256'):
        raise MapError(
            f'{path} is damaged (its SHA-256 differs from {META_FILE}): copy the map again or '
            f'{REBUILD}'
        )
    try:
        array = array_of(content)
    except ValueError as error:
        raise MapError(f'{path} is {error}') from error
    if array.dtype != dtype or array.shape != shape:
        raise MapError(
            f'{path} holds {array.shape} of {array.dtype}, {META_FILE} says {shape} of {dtype}'
        )
    return array


def records_of(keyframes: Trajectory) -> NDArray[Any]:
    """Return poses as they stand on disk, shape (N,) of KEYFRAME."""
    records = np.empty(len(keyframes), dtype=KEYFRAME)
    records['stamp_ns'] = keyframes.stamps_ns
    records['position_m'] = keyframes.positions_m
    records['quaternion_xyzw'] = keyframes.quaternions_xyzw
    return records


def trajectory_of(records: NDArray[Any]) -> Trajectory:
    """
    Return poses from what stands on disk.

    :param records: shape (N,) of KEYFRAME, in order of time
    """
    return Trajectory(
        records['stamp_ns'].astype(np.int64),
        records['position_m'].astype(np.float64),
        records['quaternion_xyzw'].astype(np.float64),
    )
