# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The arrays of a map on disk: read only after they were found to be what `meta.json` says."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from ssd_ros.files import sha256_of
from ssd_ros.maps.meta import MapError, META_FILE, REBUILD


def fingerprint(file: Path) -> dict[str, Any]:
    """Return the size and checksum of a file, as meta.json lists them."""
    return {'bytes': file.stat().st_size, 'sha256': sha256_of(file)}


def load_array(
    path: Path, files: Mapping[str, Any], dtype: np.dtype[Any], shape: tuple[int, ...]
) -> NDArray[Any]:
    """
    Read an array only after its size, checksum, type and shape were found right.

    :param files: what meta.json lists, by name
    :raise MapError: one of them is not as listed
    """
    expected = files.get(path.name)
    if not isinstance(expected, dict):
        raise MapError(f'{path.parent / META_FILE} does not list {path.name}: {REBUILD}')
    if not path.is_file():
        raise MapError(f'{path} is missing: copy the whole map again or {REBUILD}')
    size = path.stat().st_size
    if size != expected.get('bytes'):
        raise MapError(
            f'{path} has {size} bytes, {META_FILE} says {expected.get("bytes")}: the map is '
            f'truncated or mixed from two; copy it again or {REBUILD}'
        )
    if sha256_of(path) != expected.get('sha256'):
        raise MapError(
            f'{path} is damaged (its SHA-256 differs from {META_FILE}): copy the map again or '
            f'{REBUILD}'
        )
    try:
        # Mapping checks the header against the size of the file; reading would first allocate
        # whatever the header claims.
        mapped = np.lib.format.open_memmap(path, mode='r')
    except ValueError as error:
        raise MapError(f'{path} is not an array: {error}') from error
    if mapped.dtype != dtype or mapped.shape != shape:
        raise MapError(
            f'{path} holds {mapped.shape} of {mapped.dtype}, {META_FILE} says {shape} of {dtype}'
        )
    return np.array(mapped)  # a copy: a file that changes later must not change the map
