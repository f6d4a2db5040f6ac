# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The drives of HeRCULES that SHeRLoc and SSD train, validate and test on, and where they lie."""

from __future__ import annotations

from collections.abc import Iterator
import os
from pathlib import Path
import re

# The first drive of a place is the map of validation and test. The SSD paper's text lists
# River Island 01 and 02, its table 03 as well.
PAPERS_SPLIT: dict[str, dict[str, tuple[str, ...]]] = {
    'train': {
        'Mountain': ('01', '02', '03'),
        'Bridge': ('01',),
        'Stream': ('02',),
        'Parking_Lot': ('03', '04'),
    },
    'validation': {'Parking_Lot': ('01', '02')},
    'test': {
        'Sports_Complex': ('01', '02', '03'),
        'Library': ('01', '02', '03'),
        'River_Island': ('01', '02', '03'),
    },
}
# Archives and released code name places differently; letters only, in lower case.
_SPELLINGS = {
    'mountain': 'Mountain',
    'bridge': 'Bridge',
    'stream': 'Stream',
    'parkinglot': 'Parking_Lot',
    'parking': 'Parking_Lot',
    'sportscomplex': 'Sports_Complex',
    'sportcomplex': 'Sports_Complex',
    'complex': 'Sports_Complex',
    'library': 'Library',
    'riverisland': 'River_Island',
    'river': 'River_Island',
}
_MAX_DEPTH = 4
# Such as Library_01_Day, library-1, Library01.
_ARCHIVE = re.compile(r'(?P<place>\D+?)[ _-]*(?P<number>\d{1,2})([ _-]\D*)?')


def find_sequences(root: Path) -> dict[tuple[str, str], Path]:
    """
    Find the drives of the papers' places, as `<Place>/<NN>` or `<Place>_<NN>...`.

    :return: directory by place, as spelt in PAPERS_SPLIT, and number
    :raise ValueError: a drive is there twice
    """
    if not root.is_dir():
        raise FileNotFoundError(f'{root} is not a directory')
    found: dict[tuple[str, str], Path] = {}
    for name, path in _walk(root, _MAX_DEPTH):
        if name in found:
            raise ValueError(
                f'{"/".join(name)} is both {found[name]} and {path}: '
                f'leave one of them below {root}'
            )
        found[name] = path
    return found


def _walk(folder: Path, depth: int) -> Iterator[tuple[tuple[str, str], Path]]:
    with os.scandir(folder) as entries:
        folders = sorted(Path(entry.path) for entry in entries if entry.is_dir())
    for path in folders:
        if name := _drive_name(path):
            yield name, path
        elif depth > 1:
            yield from _walk(path, depth - 1)


def _drive_name(path: Path) -> tuple[str, str] | None:
    if path.name.isdecimal():
        place, number = path.parent.name, path.name
    elif match := _ARCHIVE.fullmatch(path.name):
        place, number = match['place'], match['number']
    else:
        return None
    known = _SPELLINGS.get(re.sub('[^a-z]', '', place.lower()))
    return (known, f'{int(number):02d}') if known else None
