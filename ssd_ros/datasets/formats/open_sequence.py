# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Recorded drives: one reader a format, all of them a RadarSequence."""

from __future__ import annotations

from pathlib import Path

from ssd_ros.datasets.bags.rosbag2 import Rosbag2Config, Rosbag2Sequence
from ssd_ros.datasets.formats.boreas import open_boreas
from ssd_ros.datasets.formats.hercules import HerculesSequence
from ssd_ros.datasets.formats.mulran import open_mulran
from ssd_ros.datasets.formats.oxford import open_oxford
from ssd_ros.datasets.sequence import RadarSequence
from ssd_ros.datasets.stamped_files import find_below

DATASETS = ('hercules', 'oxford', 'mulran', 'boreas', 'rosbag2')

# What tells a format from the others, by name in lower case, most telling first.
_SIGNS = {
    'continental': 'hercules',
    'navtech': 'hercules',
    'polar_oxford_form': 'mulran',
    'polar': 'mulran',
    'global_pose.csv': 'mulran',
    'radar_poses.csv': 'boreas',
    'ins.csv': 'oxford',
    'radar.timestamps': 'oxford',
}


def open_sequence(
    path: Path | str, dataset: str = 'auto', bag: Rosbag2Config | None = None
) -> RadarSequence:
    """
    Open a recorded drive.

    :param path: directory of one sequence, or one .db3 or .mcap file
    :param dataset: one of DATASETS, or `auto` to tell from what the directory holds
    :param bag: topics and units of a rosbag2
    :raise ValueError: the data set is unknown or cannot be told, or the files are not its own
    :raise FileNotFoundError: the path, or what the data set needs below it, is not there
    """
    path = Path(path)
    if not path.exists():
        raise FileNotFoundError(f'{path} does not exist')
    match _recognized(path) if dataset == 'auto' else dataset:
        case 'hercules':
            return HerculesSequence(path)
        case 'oxford':
            return open_oxford(path)
        case 'mulran':
            return open_mulran(path)
        case 'boreas':
            return open_boreas(path)
        case 'rosbag2':
            return Rosbag2Sequence(path, bag)
        case _:
            raise ValueError(
                f'unknown dataset {dataset!r}; choose from auto, {", ".join(DATASETS)}'
            )


def _recognized(path: Path) -> str:
    if path.suffix in ('.db3', '.mcap') or (path / 'metadata.yaml').exists():
        return 'rosbag2'
    found = find_below(path, set(_SIGNS))
    for sign, dataset in _SIGNS.items():
        if sign in found:
            return dataset
    raise ValueError(
        f'cannot tell the data set of {path}: expected metadata.yaml (rosbag2) or one of '
        f'{", ".join(_SIGNS)} below it, found {sorted(p.name for p in path.iterdir())[:10]}; '
        f'name it: {", ".join(DATASETS)}'
    )
