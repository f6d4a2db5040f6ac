# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""
Scans of spinning radars stored as 8-bit gray PNG, in the two layouts that data sets use.

Plain: rows = range (near first), columns = azimuth (column 0 forward, clockwise), no metadata; or
the same transposed.
Oxford style: rows = azimuth; each begins with 11 bytes: its time, its encoder count and a byte
that says `valid` in Oxford and MulRan but the direction of the chirp in Boreas-RT, so that it is
never used to leave rows out.
"""

from __future__ import annotations

from enum import Enum
from pathlib import Path
import struct
from typing import Any

import numpy as np
from numpy.typing import NDArray
from ssd_ros.datasets.spinning.plausibility import is_ordered, plausible
from ssd_ros.datasets.spinning.scan import azimuths_of_counts
from ssd_ros.radar.types import SpinningRadarScan, uniform_azimuths_rad


class Layout(Enum):
    """What the images of a data set may be; `EITHER` takes a row of 400 azimuths for Oxford's."""

    OXFORD = 'oxford'
    PLAIN = 'plain'
    EITHER = 'either'


NUM_AZIMUTHS = 400
_NUM_METADATA_BYTES = 11
_TIME_BYTES = slice(0, 8)
_NEVER = 2**62  # times begin anew
_ENCODER_BYTES = slice(8, 10)
_ENCODER_COUNTS_PER_TURN = 5600
_MAX_NUM_BINS = 20_000  # the longest known sweep has 6,848
_EXPECTED = {
    Layout.OXFORD: f'{NUM_AZIMUTHS} azimuths x ({_NUM_METADATA_BYTES} + ranges); is it plain '
    '(--dataset polar_png)?',
    Layout.PLAIN: f'{NUM_AZIMUTHS} azimuths x ranges, or ranges x {NUM_AZIMUTHS} azimuths',
    Layout.EITHER: f'{NUM_AZIMUTHS} azimuths x ({_NUM_METADATA_BYTES} + ranges) '
    f'or ranges x {NUM_AZIMUTHS} azimuths',
}
_PNG_HEADER = struct.Struct('>8s4x4sIIBB')  # signature, chunk, width, height, depth, colour


def read_plain_scan(path: Path, stamp_ns: int, max_range_m: float) -> SpinningRadarScan:
    """
    Read a PNG in the plain layout.

    :param max_range_m: range at the end of the last row
    """
    num_rows, num_columns = _checked_shape(path)
    if num_columns != NUM_AZIMUTHS or num_rows <= NUM_AZIMUTHS:
        raise _wrong_shape(path, num_rows, num_columns, f'ranges x {NUM_AZIMUTHS} azimuths')
    power = _decoded(path, num_rows, num_columns)
    azimuths_rad = uniform_azimuths_rad(NUM_AZIMUTHS)
    return _plausible(
        path, SpinningRadarScan(stamp_ns, power, azimuths_rad, max_range_m / num_rows)
    )


def read_polar_scan(
    path: Path,
    stamp_ns: int,
    range_resolution_m: float,
    range_offset_m: float = 0.0,
    layout: Layout = Layout.EITHER,
) -> SpinningRadarScan:
    """
    Read a PNG whose side of 400 is the azimuth.

    :raise ValueError: it is damaged, of another layout, or cannot be a scan
    """
    num_rows, num_columns = _checked_shape(path)
    azimuths_rad = uniform_azimuths_rad(NUM_AZIMUTHS)
    if num_columns == NUM_AZIMUTHS < num_rows and layout is not Layout.OXFORD:
        power = _decoded(path, num_rows, num_columns)
    elif num_rows == NUM_AZIMUTHS < num_columns:
        rows = _decoded(path, num_rows, num_columns)
        if layout is Layout.PLAIN:
            _require_no_metadata(path, rows)
            power = np.ascontiguousarray(rows.T)
        else:
            azimuths_rad, order = _azimuths_of(path, rows)
            power = np.ascontiguousarray(rows[order, _NUM_METADATA_BYTES:].T)
    else:
        raise _wrong_shape(path, num_rows, num_columns, _EXPECTED[layout])
    scan = SpinningRadarScan(stamp_ns, power, azimuths_rad, range_resolution_m, range_offset_m)
    return _plausible(path, scan)


def write_plain_scan(path: Path, power: NDArray[np.uint8]) -> None:
    """
    Write a PNG in the plain layout, lightly compressed: a third of the time, a tenth more bytes.

    :param power: shape (num_bins, 400)
    """
    num_rows, num_columns = power.shape
    if num_columns != NUM_AZIMUTHS or num_rows <= NUM_AZIMUTHS:
        raise _wrong_shape(path, num_rows, num_columns, f'ranges x {NUM_AZIMUTHS} azimuths')
    import cv2  # only where there are pictures: recordings need none

    _, encoded = cv2.imencode('.png', power, [cv2.IMWRITE_PNG_COMPRESSION, 1])
    path.write_bytes(encoded.tobytes())


def _plausible(path: Path, scan: SpinningRadarScan) -> SpinningRadarScan:
    try:
        return plausible(scan)
    except ValueError as error:
        raise ValueError(f'{path}: {error}') from error


def _azimuths_of(
    path: Path, rows: NDArray[np.uint8]
) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """
    Return ascending azimuths from the encoder counts, and the rows that have them.

    Without counts (some MulRan downloads hold zeros) the rows are taken as evenly spaced.
    """
    counts = _numbers(rows, _ENCODER_BYTES, '<u2')
    times = _numbers(rows, _TIME_BYTES, '<i8')
    if (counts == counts[0]).all() and times.any() and not is_ordered(times, _NEVER):
        raise ValueError(
            f'{path} begins its rows neither with times nor with encoder counts: has it no '
            'metadata (--dataset polar_png)?'
        )
    try:
        return azimuths_of_counts(counts, _ENCODER_COUNTS_PER_TURN)
    except ValueError as error:
        raise ValueError(
            f'{path} has {error}; without metadata it is of --dataset polar_png'
        ) from error


def _require_no_metadata(path: Path, rows: NDArray[np.uint8]) -> None:
    """Refuse rows that begin with the metadata of Oxford: they would be near echoes."""
    counts = _numbers(rows, _ENCODER_BYTES, '<u2')
    if counts.max() < _ENCODER_COUNTS_PER_TURN and is_ordered(counts, _ENCODER_COUNTS_PER_TURN):
        raise ValueError(
            f'{path} begins its rows with encoder counts, as Oxford, MulRan and Boreas do: name '
            'that --dataset'
        )


def _numbers(rows: NDArray[np.uint8], where: slice, kind: str) -> NDArray[Any]:
    """Return a number of the metadata of each row, shape (num_rows,)."""
    return np.ascontiguousarray(rows[:, where]).view(kind).ravel()


def _checked_shape(path: Path) -> tuple[int, int]:
    """Return rows and columns from the file's header, before anything is allocated for them."""
    with path.open('rb') as file:
        header = file.read(_PNG_HEADER.size)
    if len(header) < _PNG_HEADER.size:
        raise ValueError(f'{path} has {len(header)} bytes, expected a PNG')
    signature, chunk, num_columns, num_rows, depth, colour = _PNG_HEADER.unpack(header)
    if (signature, chunk) != (b'\x89PNG\r\n\x1a\n', b'IHDR'):
        raise ValueError(f'{path} is not a PNG: it begins with {header[:8]!r}')
    if (depth, colour) != (8, 0):
        raise ValueError(
            f'{path} has {depth} bits and colour type {colour}, expected 8 bits and 0 (gray)'
        )
    if max(num_rows, num_columns) > _MAX_NUM_BINS:
        raise _wrong_shape(path, num_rows, num_columns, f'at most {_MAX_NUM_BINS}')
    return num_rows, num_columns


def _wrong_shape(path: Path, num_rows: int, num_columns: int, expected: str) -> ValueError:
    return ValueError(f'{path} has {num_rows} rows x {num_columns} columns, expected {expected}')


def _decoded(path: Path, num_rows: int, num_columns: int) -> NDArray[np.uint8]:
    import cv2

    data = np.fromfile(path, np.uint8)
    # OpenCV fills what a cut file lacks with zeros and says nothing.
    if b'IEND' not in data[-64:].tobytes():
        raise ValueError(f'{path} is cut off: its last PNG chunk is missing')
    image = cv2.imdecode(data, cv2.IMREAD_UNCHANGED)
    if image is None or image.shape != (num_rows, num_columns):
        raise ValueError(f'{path} is damaged: its image cannot be decoded')
    return np.asarray(image, np.uint8)
