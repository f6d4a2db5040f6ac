# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Check where the papers' drives are found, and heading by the direction of motion."""

from __future__ import annotations

from pathlib import Path

import pytest
from ssd_ros.datasets.formats.hercules_split import find_sequences, PAPERS_SPLIT


def test_the_papers_use_18_drives_each_for_one_purpose() -> None:
    drives = [
        (place, number)
        for places in PAPERS_SPLIT.values()
        for place, numbers in places.items()
        for number in numbers
    ]
    assert len(set(drives)) == len(drives) == 18


@pytest.mark.parametrize(
    ('folder', 'name'),
    [
        ('Sports_Complex/01', ('Sports_Complex', '01')),
        ('SportsComplex/02', ('Sports_Complex', '02')),
        ('sports complex/3', ('Sports_Complex', '03')),
        ('Complex_01_Day', ('Sports_Complex', '01')),
        ('Library_02_Night', ('Library', '02')),
        ('Library/Library_03_Snow', ('Library', '03')),
        ('archives/day/Mountain_02', ('Mountain', '02')),
        ('River-Island/01', ('River_Island', '01')),
        ('ParkingLot04', ('Parking_Lot', '04')),
    ],
)
def test_drives_are_found_under_several_spellings(
    tmp_path: Path, folder: str, name: tuple[str, str]
) -> None:
    path = tmp_path / folder
    (path / 'Radar' / 'Continental').mkdir(parents=True)
    assert find_sequences(tmp_path) == {name: path}


def test_other_folders_are_no_drives(tmp_path: Path) -> None:
    for folder in ('Sim_Town_0000/01', 'Street/01', 'Library/old', '2024/01'):
        (tmp_path / folder).mkdir(parents=True)
    assert find_sequences(tmp_path) == {}


def test_a_drive_that_is_there_twice_is_refused(tmp_path: Path) -> None:
    for folder in ('Library/01', 'Library_01_Day'):
        (tmp_path / folder).mkdir(parents=True)
    with pytest.raises(ValueError, match=r'Library/01 is both .* leave one of them'):
        find_sequences(tmp_path)
    with pytest.raises(FileNotFoundError, match='is not a directory'):
        find_sequences(tmp_path / 'none')
