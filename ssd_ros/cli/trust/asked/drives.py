# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""
Which drives and maps `trust` asks: of the simulated benchmark, recorded or given ones.

A query outside the map is a stranger, which must not be accepted. There need not be a drive from
elsewhere for that: the map of another place serves, and so does the half of the map that lies far
from the query.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
from ssd_ros.cli.cache.drives import benchmark_drives, check_drives, RecordedDrive
from ssd_ros.cli.common.drive_options import DriveOptions
from ssd_ros.cli.trust.asked.answers import nearest_keyframe_m
from ssd_ros.cli.trust.asked.jobs import Asked, Drive, Files, Models
from ssd_ros.cli.trust.asked.queries import DriveQueries
from ssd_ros.datasets.sequence import RadarSequence, sensor_scans
from ssd_ros.encoders.place_encoder import PlaceEncoder
from ssd_ros.evaluation.judging.halves import halves_of
from ssd_ros.maps.meta import META_FILE, read_meta
from ssd_ros.maps.place_database import PlaceDatabase

_SCANS_OF = {
    'spinning': 'scans of a spinning radar (--scan-topic)',
    '4d': 'clouds of a 4D radar (--points-topic)',
    'lidar': 'scans of a LiDAR (--lidar-source)',
}
APART_M = 50.0  # from a query to the nearest keyframe of a half in which it is a stranger


def drives_of_benchmark(splits: Sequence[str], models: Models) -> list[Drive]:
    """
    Return the drives of splits of the shipped benchmark; sessions 01 make the maps.

    :param models: which say of what sensors the maps and the queries are
    :raise ValueError: there is no such split
    """
    drives = []
    for split in splits:
        mapping = benchmark_drives(split, 'lidar' in models.maps)
        for plain, with_lidar in zip(benchmark_drives(split), mapping, strict=True):
            is_map = plain.directory.endswith('_0')
            source = with_lidar.source if is_map else plain.source
            drives.append(Drive(plain.directory, source, is_map, models.sensors))
    return drives


def recorded_drives(
    paths: Sequence[Path],
    options: Sequence[DriveOptions],
    num_strangers: int,
    models: Models,
    has_map: bool = False,
    is_odometry: bool = False,
) -> list[Drive]:
    """
    Return recorded drives.

    The first makes a map of each sensor that it has and the models name. The others are looked up
    by the radar that asks: what other sensors sent is left alone.

    :param paths: the mapping drive, drives through the same place in the same map frame, and
        strangers, which were somewhere else
    :param options: of each drive
    :param models: which say of what sensors the maps and the queries are
    :param has_map: there is a map already, and the first is like the others
    :param is_odometry: the poses are odometry, in any frame
    :raise ValueError: two drives have the same name, or their poses cannot be used
    """
    # HeRCULES and others number the drives of a place: Library/01.
    names = ['_'.join(path.resolve().with_suffix('').parts[-2:]) for path in paths]
    if len(set(names)) < len(names):
        raise ValueError(f'the drives are named {names}: rename one')
    drives = []
    for number, (path, name, of_drive) in enumerate(zip(paths, names, options, strict=True)):
        is_map, is_here = number == 0 and not has_map, number < len(paths) - num_strangers
        world = 'here' if is_here else 'elsewhere'
        sensors = models.sensors if is_map else (models.queries,)
        source = RecordedDrive(path, f'{world}/{name}', of_drive, sensors, is_odometry)
        drives.append(Drive(f'recorded/{name}', source, is_map))
    num_here = len(drives) - num_strangers
    here = [] if is_odometry else drives[:num_here]
    opened = check_drives(drive.source for drive in here)
    for drive in drives[len(here) :]:  # in any frame
        opened += check_drives([drive.source])
    for drive, path, found in zip(drives, paths, opened, strict=True):
        _require_sensors(found, path, drive.is_map, models)
    return [
        replace(drive, sensors=_sensors_of(found, models.sensors)) if drive.is_map else drive
        for drive, found in zip(drives, opened, strict=True)
    ]


def _require_sensors(drive: RadarSequence, path: Path, is_map: bool, models: Models) -> None:
    if is_map and not _sensors_of(drive, models.maps):
        wanted = ' nor '.join(_SCANS_OF[sensor] for sensor in models.maps)
        raise ValueError(f'{path} has neither {wanted} to make a map of')
    if is_map:
        return
    scans = sensor_scans(drive, models.queries)
    if not len(scans):
        what = _SCANS_OF[models.queries]
        raise ValueError(f'{path} has no {what}: only the drive that makes the map may lack them')
    if not len(scans.poses):
        raise ValueError(f'{path} has no poses: give --poses FILE or --poses-topic TOPIC')


def _sensors_of(drive: RadarSequence, wanted: Sequence[str]) -> tuple[str, ...]:
    return tuple(sensor for sensor in wanted if len(sensor_scans(drive, sensor)))


def is_map(path: Path) -> bool:
    """Return whether a path is that of a map, not of a drive."""
    return (path / META_FILE).is_file()


def encoder_of(path: Path) -> str:
    """Return what recognises the places of a map, 'network' or 'scan_context'."""
    is_network = read_meta(path)['info'].get('scan_context') is None
    return 'network' if is_network else 'scan_context'


def keep_map(path: Path, world: str, student: PlaceEncoder, files: Files) -> str:
    """
    Put a map into the working folder.

    :param world: drives of that world were in it, all others are strangers
    :param student: whose queries it is asked
    :return: where it lies there
    :raise ValueError: it is damaged, or of another encoder
    """
    database = PlaceDatabase.load(path)
    database.require_encoder(student.kind, student.contract.descriptor_space, 'the student')
    info, number = database.info, f'{database.map_id:08x}'
    kept = f'given/{world}/{number}/{info.sensor}.map'
    if not files.map(kept).exists():
        database.info = replace(info, source=f'{world}/{path.resolve().stem}')
        database.save(files.map(kept))
    return kept


def pairs_with_halves(drives: Sequence[str], maps: Sequence[str], files: Files) -> list[Asked]:
    """
    Return the queries of drives, each with the half of a map that lies far from it.

    :param drives: their folders in the working folder; queries without a pose are left out
    :param maps: where they lie there
    :raise ValueError: a map has frames that are not related, so that nobody knows what is far
    """
    pairs = []
    for kept in maps:
        database = PlaceDatabase.load(files.map(kept))
        for number, half in enumerate(halves_of(database)):
            path = kept.removesuffix('.map') + f'_half_{number}.map'
            if not files.map(path).exists():
                half.save(files.map(path))
            for drive in drives:
                queries = DriveQueries.load(files.queries(drive))
                far = np.flatnonzero(nearest_keyframe_m(queries.poses, half) > APART_M)
                name = f'{drive}/far_from_{database.map_id:08x}_{number}'
                if len(far):
                    queries.select(far).save(files.queries(name))
                    pairs.append(Asked(name, path))
    return pairs
