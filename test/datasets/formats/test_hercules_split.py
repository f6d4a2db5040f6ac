# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Check where the papers' drives are found, and heading by the direction of motion."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from ssd_ros.datasets.formats.hercules_split import find_sequences, PAPERS_SPLIT
from ssd_ros.datasets.heading import heading_from_motion
from ssd_ros.motion.trajectory import quaternion_from_yaw, Trajectory


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


def test_heading_follows_the_motion_and_holds_while_standing() -> None:
    # East for 5 m, standing for three poses, then north; the file says 180 degrees all along.
    xy = [(0, 0), (1, 0), (2, 0), (3, 0), (4, 0), (5, 0), (5, 0), (5, 0), (5, 0), (5, 1), (5, 2)]
    positions_m = np.column_stack([np.array(xy, float), np.zeros(len(xy))])
    stamps_ns = np.arange(len(xy), dtype=np.int64)
    poses = Trajectory(stamps_ns, positions_m, quaternion_from_yaw(np.full(len(xy), np.pi)))
    yaws_deg = np.degrees(heading_from_motion(poses).yaws_rad)
    # At the corner the chord runs from 1 m behind to 1 m ahead: 45 degrees.
    np.testing.assert_allclose(yaws_deg, [0] * 5 + [45] * 4 + [90] * 2, atol=1e-9)


def test_a_drive_that_never_moves_keeps_its_heading() -> None:
    turns = quaternion_from_yaw(np.array([1.0, 1.0]))
    poses = Trajectory(np.array([1, 2]), np.zeros((2, 3)), turns)
    assert heading_from_motion(poses) is poses
    empty = poses.select(np.zeros(0, np.int64))
    assert heading_from_motion(empty) is empty
