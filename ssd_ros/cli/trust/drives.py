# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Which drives `trust` asks: of the simulated benchmark or recorded ones."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from ssd_ros.cli.cache.drives import benchmark_drives, check_drives, RecordedDrive
from ssd_ros.cli.common.drive_options import BOTH, DriveOptions
from ssd_ros.cli.trust.jobs import Drive


def drives_of_benchmark(splits: Sequence[str]) -> list[Drive]:
    """
    Return the drives of splits of the shipped benchmark; sessions 01 make the maps.

    :raise ValueError: there is no such split
    """
    return [
        Drive(job.directory, job.source, job.directory.endswith('_0'))
        for split in splits
        for job in benchmark_drives(split)
    ]


def recorded_drives(
    paths: Sequence[Path], options: Sequence[DriveOptions], num_strangers: int
) -> list[Drive]:
    """
    Return recorded drives.

    The first makes the map of its scans, and one of its clouds if it has those, too. The others
    are looked up by their clouds: their scans are left alone.

    :param paths: the mapping drive, drives through the same place in the same map frame, and
        strangers, which were somewhere else
    :param options: of each drive
    :raise ValueError: two drives have the same name, or their poses cannot be used
    """
    # HeRCULES and others number the drives of a place: Library/01.
    names = ['_'.join(path.resolve().with_suffix('').parts[-2:]) for path in paths]
    if len(set(names)) < len(names):
        raise ValueError(f'the drives are named {names}: rename one')
    drives = []
    for number, (path, name, of_drive) in enumerate(zip(paths, names, options, strict=True)):
        world = 'here' if number < len(paths) - num_strangers else 'elsewhere'
        sensors = BOTH if number == 0 else ('4d',)
        source = RecordedDrive(path, f'{world}/{name}', of_drive, sensors)
        drives.append(Drive(f'recorded/{name}', source, number == 0))
    check_drives(drive.source for drive in drives[: len(paths) - num_strangers])
    for stranger in drives[len(paths) - num_strangers :]:  # from anywhere
        check_drives([stranger.source])
    return drives
