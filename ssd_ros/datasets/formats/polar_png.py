# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""
A folder of polar PNG without metadata, such as Navtech_Polar of RADIATE.

RADIATE's kit (github.com/marcelsheeny/radiate_sdk, README and config.yaml) states its images, 576
ranges of 0.1736 m x 400 azimuths, and the text file with the times of its frames. That column 0
looks forward and columns turn clockwise was found by laying them over its Cartesian images.
"""

from __future__ import annotations

from collections.abc import Collection
from decimal import Decimal
import logging
from pathlib import Path
import re

import numpy as np
from ssd_ros.datasets.formats.polar_sequence import PolarPngSequence
from ssd_ros.datasets.poses import empty_trajectory
from ssd_ros.datasets.spinning.polar_png import Layout
from ssd_ros.datasets.stamped_files import find_below, paths_by_stamp, stamp_ns_from_digits
from ssd_ros.reading import read_text

RADIATE_FOLDER = 'navtech_polar'
OPTIONS = ('range_resolution_m',)
_LINE = re.compile(
    r'\s*Frame:\s*(?P<frame>\d{1,19})\s+Time:\s*(?P<seconds>\d{1,10}(\.\d{1,9})?)\s*'
)
_MAX_LIST_BYTES = 100_000_000

_logger = logging.getLogger(__name__)


def open_polar_png(root: Path, range_resolution_m: float | None = None) -> PolarPngSequence:
    """
    Open a folder with one PNG a turn, or one that has such a folder Navtech_Polar below it.

    A scan's stamp is its file's name, 16 digits (microseconds) or 19 (nanoseconds), or stands in
    `<folder>.txt` beside the folder: `Frame: 000001 Time: 1574859771.744660272`.

    :raise ValueError: the resolution is not given, or the scans have no times
    :raise FileNotFoundError: there is no PNG
    """
    if range_resolution_m is None:
        raise ValueError(
            f'{root}: polar PNG do not say how far they reach: give --range-resolution METRES, '
            'the depth of a range bin (RADIATE: 0.1736)'
        )
    folder = find_below(root, {RADIATE_FOLDER}).get(RADIATE_FOLDER, root)
    numbers, paths = paths_by_stamp(folder, '.png')
    if not paths:
        raise FileNotFoundError(f'{folder} has no PNG files')
    path_at = dict(zip(numbers.tolist(), paths, strict=True))
    stamps_ns = _stamps_of(folder.absolute(), path_at)
    return PolarPngSequence(
        root.name,
        [path_at[number] for number in stamps_ns.values()],
        np.array(list(stamps_ns), np.int64),
        empty_trajectory(),
        range_resolution_m,
        layout=Layout.PLAIN,
    )


def _stamps_of(folder: Path, numbers: Collection[int]) -> dict[int, int]:
    """
    Return the number in a file's name by the stamp of its scan, in order of time.

    :raise ValueError: there are no times
    """
    path = folder.with_name(f'{folder.name}.txt')
    if not path.is_file():
        try:
            return dict(sorted((stamp_ns_from_digits(number), number) for number in numbers))
        except ValueError as error:
            raise ValueError(
                f'{folder}: {error}; or {path.name} beside it with a line for each file: '
                '"Frame: 000001 Time: 1574859771.744660272"'
            ) from error
    lines = map(_LINE.fullmatch, read_text(path, _MAX_LIST_BYTES, 'a list of frames').splitlines())
    listed = {int(found['frame']): _stamp_ns(found['seconds']) for found in lines if found}
    stamps_ns = dict(
        sorted((stamp_ns, number) for number, stamp_ns in listed.items() if number in numbers)
    )
    if not stamps_ns:
        raise ValueError(f'{path} has the time of none of the {len(numbers)} scans in {folder}')
    if num_lacking := len(numbers) - len(stamps_ns):
        _logger.warning(
            '%s has no time of their own for %d of %d scans: they are left out',
            path,
            num_lacking,
            len(numbers),
        )
    return stamps_ns


def _stamp_ns(seconds: str) -> int:
    return int(Decimal(seconds) * 1_000_000_000)
