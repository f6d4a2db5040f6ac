# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Recorded drives: one reader a format, all of them a RadarSequence."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import fields
from pathlib import Path
from typing import NamedTuple, Protocol

from ssd_ros.data_origin import Origin, read_origin, RECORDED
from ssd_ros.datasets.bags import rosbag2
from ssd_ros.datasets.bags.files import is_recording
from ssd_ros.datasets.bags.rosbag2 import Rosbag2Config, Rosbag2Sequence
from ssd_ros.datasets.formats import (
    boreas,
    hercules,
    mulran,
    ntu4dradlm,
    oxford,
    pcd_tiles,
    polar_png,
    snail,
    transloc4d,
)
from ssd_ros.datasets.sequence import RadarSequence
from ssd_ros.datasets.stamped_files import find_below
from ssd_ros.extensions import installed_readers, require_members


class ReadSequence(RadarSequence, Protocol):
    """A sequence whose files were found, and where they come from."""

    origin: Origin


class Format(NamedTuple):
    """
    A data set.

    :param options: fields of Rosbag2Config that its reader heeds, of those that describe a drive
    """

    open: Callable[[Path, Rosbag2Config], ReadSequence]
    options: tuple[str, ...]


FORMATS = {
    'hercules': Format(lambda path, _: hercules.HerculesSequence(path), hercules.OPTIONS),
    'oxford': Format(
        lambda path, config: oxford.open_oxford(path, config.range_resolution_m), oxford.OPTIONS
    ),
    'mulran': Format(
        lambda path, config: mulran.open_mulran(path, config.range_resolution_m), mulran.OPTIONS
    ),
    'boreas': Format(
        lambda path, config: boreas.open_boreas(
            path, config.range_resolution_m, config.lidar_source
        ),
        boreas.OPTIONS,
    ),
    'polar_png': Format(
        lambda path, config: polar_png.open_polar_png(path, config.range_resolution_m),
        polar_png.OPTIONS,
    ),
    'snail': Format(
        lambda path, config: snail.open_snail(path, config.points_topic), snail.OPTIONS
    ),
    'transloc4d': Format(lambda path, _: transloc4d.open_transloc4d(path), transloc4d.OPTIONS),
    'ntu4dradlm': Format(ntu4dradlm.open_ntu4dradlm, ntu4dradlm.OPTIONS),
    'pcd_tiles': Format(lambda path, _: pcd_tiles.open_pcd_tiles(path), pcd_tiles.OPTIONS),
    'rosbag2': Format(Rosbag2Sequence, rosbag2.OPTIONS),
}
DATASETS = tuple(FORMATS)
# Who names one of these says that the drive is of it; the layout alone does not.
_RECORDED = ('hercules', 'oxford', 'mulran', 'boreas', 'snail', 'transloc4d', 'ntu4dradlm')

# What tells a format from the others, by name in lower case, most telling first.
_SIGNS = {
    'continental': 'hercules',
    'navtech': 'hercules',
    'polar_oxford_form': 'mulran',
    'polar': 'mulran',
    'global_pose.csv': 'mulran',
    'radar_poses.csv': 'boreas',
    'lidar_poses.csv': 'boreas',
    'aeva_poses.csv': 'boreas',
    'ins.csv': 'oxford',
    'radar.timestamps': 'oxford',
    polar_png.RADIATE_FOLDER: 'polar_png',
    'ars548': 'snail',
    'eagleg7': 'snail',
    'xt32': 'snail',
    'pointclouds': 'transloc4d',
    ntu4dradlm.TRUTH_FILE: 'ntu4dradlm',
    pcd_tiles.AUTOWARE_FILE: 'pcd_tiles',
    'aeva': 'hercules',  # also a folder of Boreas, which has poses
}


def open_sequence(
    path: Path | str, dataset: str = 'auto', config: Rosbag2Config | None = None
) -> RadarSequence:
    """
    Open a recorded drive.

    Where it comes from is what `origin.json` in its folder or the metadata of the bag say, else
    the data set if it is named, else unknown.

    :param path: directory of one sequence, or one file of .db3, .mcap or .bag
    :param dataset: one of DATASETS, the name of a reader that another package brings (see
        ssd_ros.extensions), or `auto` to tell from what the directory holds
    :param config: what to read, and what the files do not say themselves
    :raise ValueError: the data set is unknown or cannot be told, the files are not its own, the
        config has an option of other data sets, or a reader gives no RadarSequence
    :raise FileNotFoundError: the path, or what the data set needs below it, is not there
    """
    path, config = Path(path), config or Rosbag2Config()
    if not path.exists():
        raise FileNotFoundError(f'{path} does not exist')
    name = _recognized(path) if dataset == 'auto' else dataset
    if name not in FORMATS:
        return _read_by_other_package(path, name, config)
    _refuse_options_of_others(path, name, FORMATS[name].options, config)
    if dataset in _RECORDED:
        _refuse_files_of_another(path, dataset)
    sequence = FORMATS[name].open(path, config)
    if path.is_dir() and sequence.origin == Origin():
        sequence.origin = read_origin(path)
    if dataset in _RECORDED and sequence.origin == Origin():
        sequence.origin = Origin(RECORDED, dataset)
    return sequence


def _read_by_other_package(path: Path, name: str, config: Rosbag2Config) -> RadarSequence:
    readers = installed_readers()
    if name not in readers:
        known = ', '.join(['auto', *DATASETS, *readers])
        raise ValueError(f'unknown dataset {name!r}; choose from {known}')
    _refuse_options_of_others(path, name, (), config)
    sequence: RadarSequence = readers[name]()(path)
    require_members(sequence, RadarSequence, f'what the reader {name} returns')
    return sequence


def _refuse_options_of_others(
    path: Path, dataset: str, heeded: Sequence[str], config: Rosbag2Config
) -> None:
    """Refuse what the reader would ignore: the drive would be read as if it were not said."""
    for option in (one for one in fields(config) if one.name in rosbag2.OPTIONS):
        value = getattr(config, option.name)
        if value is None or option.name in heeded:
            continue
        flag = '--' + option.name.removesuffix('_m').replace('_', '-')
        others = [name for name, other in FORMATS.items() if option.name in other.options]
        raise ValueError(
            f'{flag} {value} is an option of {", ".join(others)}, but {path} is read as '
            f'{dataset}: leave it out, or name another --dataset'
        )


def _refuse_files_of_another(path: Path, dataset: str) -> None:
    """Refuse a data set whose layout another one shares: range and poses would be others."""
    found = find_below(path, set(_SIGNS))
    owners = {_SIGNS[name] for name in found}
    if owners and dataset not in owners:
        sign, file = next(iter(found.items()))
        raise ValueError(
            f'{path} is not of {dataset}: it holds {file.relative_to(path)}, as of '
            f'{_SIGNS[sign]}; leave --dataset out, or give a folder of the scans alone'
        )


def _recognized(path: Path) -> str:
    if (not path.is_dir() and is_recording(path)) or (path / 'metadata.yaml').exists():
        return 'rosbag2'
    if path.is_file() and path.suffix.lower() == pcd_tiles.SUFFIX:
        return 'pcd_tiles'
    found = find_below(path, set(_SIGNS))
    for sign, dataset in _SIGNS.items():
        if sign in found:
            return dataset
    if is_recording(path):  # after the data sets, which may have a recording beside their files
        return 'rosbag2'
    raise ValueError(
        f'cannot tell the data set of {path}: expected a recording (.mcap, .db3, .bag) or one of '
        f'{", ".join(_SIGNS)} below it, found {sorted(p.name for p in path.iterdir())[:10]}; '
        f'name it: {", ".join(DATASETS)}'
    )
