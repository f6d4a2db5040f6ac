# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Which drives go into a cache: of the benchmark, of HeRCULES, or named ones."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
import sys

import numpy as np
from numpy.typing import NDArray
from ssd_ros.cli.cache.jobs import CacheJob, Source
from ssd_ros.cli.common.drive_options import BOTH, DriveOptions
from ssd_ros.cli.common.drives import CheckedDrive, open_drive
from ssd_ros.datasets.bags.rosbag2 import Rosbag2Config
from ssd_ros.datasets.formats.hercules_split import find_sequences, PAPERS_SPLIT
from ssd_ros.datasets.pose_check import require_one_place
from ssd_ros.datasets.sequence import RadarSequence
from ssd_ros.evaluation.bev_cache import Spacing
from ssd_ros.records import settings_of
from ssd_ros.shared_files import shared_file
from ssd_ros.simulator.config import in_weather
from ssd_ros.simulator.recordings.benchmark import load_benchmark, Place, Visit
from ssd_ros.simulator.recordings.sequence import SimulatedSequence
from ssd_ros.simulator.scene.world import World
from ssd_ros.simulator.shift.clouds import CloudChange
from ssd_ros.simulator.shift.drives import ChangedDrive, DriveChange
from ssd_ros.simulator.shift.random_worlds import load_random_worlds
from ssd_ros.simulator.visits.session import Session

# Distance between queries: released code of SHeRLoc; inferred from the SSD paper's table.
TRAINING_SPACING_M, TEST_SPACING_M = 0.3, 0.5
# Headings of three of its drives drift; the others tell that its radars sit 3.2 to 3.8 m ahead.
HERCULES_HEADING = 'auto:3.5'
LIDAR_RATE_HZ = 20.0  # of the simulated one, made only where an image wants it


@dataclass(frozen=True, slots=True)
class SimulatedDrive:
    """
    A drive of the benchmark, simulated when it is opened.

    :param change: what becomes of the scans of its 4D radar
    :param has_lidar: whether it drives with a LiDAR
    :param weather: in its name; its conditions are those of the visit
    """

    place: Place
    visit: Visit
    change: CloudChange | None = None
    has_lidar: bool = False
    weather: str = ''

    @property
    def digest(self) -> str:
        """What tells it from other drives."""
        digest = self.place.digest(self.visit)
        if self.has_lidar:
            digest += ', LiDAR'
        return digest if self.change is None else f'{digest}, {settings_of(self.change)}'

    def open(self) -> RadarSequence:
        """Build the world and the session."""
        visit, world = self.visit, World(self.place.seed, self.place.world)
        # Parts of the loop only relate to each other where all visits start at the same spot.
        session = Session(world, visit.index, visit.conditions, visit.part is not None)
        begin, end = visit.part or (0.0, 1.0)
        if visit.conditions.opposite_direction:
            begin, end = 1 - end, 1 - begin
        rate_hz = LIDAR_RATE_HZ if self.has_lidar else 0.0
        sequence = SimulatedSequence(
            session, part=(begin, end), lidar_rate_hz=rate_hz, weather=self.weather
        )
        if self.change is None:
            return sequence
        return ChangedDrive(sequence, DriveChange(self.change), visit.name)


@dataclass(frozen=True, slots=True)
class RecordedDrive:
    """
    A drive on disk.

    :param name: world and number
    :param sensors: whose messages are read of a bag
    :param is_odometry: its poses are odometry, in a frame of its own
    """

    path: Path
    name: str
    options: DriveOptions
    sensors: tuple[str, ...] = BOTH
    is_odometry: bool = False

    @property
    def digest(self) -> str:
        """What tells it from other drives of its name."""
        how = 'odometry' if self.is_odometry else 'poses checked'
        return f'recorded, {how}{self.options.digest}'

    def open(self, say: Callable[[str], None] = lambda line: None) -> CheckedDrive:
        """
        Find the files of the drive and check its poses.

        :param say: takes a line on the poses of each sensor
        :raise ValueError: they cannot be used
        """
        wanted = Rosbag2Config(sensors=self.sensors)
        heading = None if self.is_odometry else 'auto'
        return replace(open_drive(self.path, self.options, wanted, heading, say), name=self.name)


def check_drives(sources: Iterable[Source]) -> list[CheckedDrive]:
    """
    Say what became of the poses of recorded drives before the work on them begins.

    :return: the recorded ones
    :raise ValueError: those of one or more cannot be used, or are in another frame than those of
        the first drive of their world
    """
    opened, faults = _opened(sources)
    if faults:
        raise ValueError('\n'.join(faults.values()))
    return opened


def _opened(sources: Iterable[Source]) -> tuple[list[CheckedDrive], dict[Source, str]]:
    """Return the recorded drives, and what is the matter with those that cannot be used."""
    places: list[tuple[str, NDArray[np.float64], str]] = []
    faults: dict[Source, str] = {}
    drives: list[CheckedDrive] = []
    for source in sources:
        if not isinstance(source, RecordedDrive):
            continue
        try:
            opened = source.open(lambda line: print(line, file=sys.stderr))
        except (ValueError, OSError) as error:
            faults[source] = str(error)
            continue
        drives.append(opened)
        world = source.name.rpartition('/')[0]
        places += [
            (opened.name, poses.positions_m, world)
            for poses in (opened.scan_poses, opened.cloud_poses)
        ]
    require_one_place(places)
    return drives, faults


def without_faulty(jobs: Sequence[CacheJob]) -> tuple[list[CacheJob], list[str]]:
    """
    Return the drives of the papers' split that can be used, and a line on each that cannot.

    :raise ValueError: none can, or one that is the map of a place
    """
    _, fault_of = _opened(job.source for job in jobs)
    maps = {
        f'{split}/{place}_{numbers[0]}'
        for split, places in PAPERS_SPLIT.items()
        for place, numbers in places.items()
        if split != 'train'
    }
    usable, faults = [], {}
    for job in jobs:
        if job.source in fault_of:
            faults[job.directory] = fault_of[job.source]
        else:
            usable.append(job)
    if not usable or maps & faults.keys():
        raise ValueError('\n'.join(faults.values()))
    return usable, [f'{directory} was skipped: {fault}' for directory, fault in faults.items()]


def benchmark_drives(split_name: str, has_lidar: bool = False) -> list[CacheJob]:
    """
    Return the drives of a split of the shipped benchmark or of the random worlds.

    :param has_lidar: whether they drive with a LiDAR
    :raise ValueError: there is no such split
    """
    random = load_random_worlds(shared_file('config/random_worlds.yaml'))
    drawn = next((each for each in random.splits if each.name == split_name), None)
    if drawn is None:
        split = load_benchmark(shared_file('config/benchmark.yaml')).split(split_name)
    else:
        split = drawn.split()
    return [
        CacheJob(
            f'{split.name}/{place.seed:04d}_{visit.index}',
            split.spacing(visit),
            SimulatedDrive(
                place, visit, None if drawn is None else drawn.change(place.seed), has_lidar
            ),
        )
        for place in split.places
        for visit in place.sessions
    ]


def in_weathers(jobs: Sequence[CacheJob], weathers: Sequence[str]) -> list[CacheJob]:
    """
    Return the second drives of a split, each once more in every weather: SPLIT_fog/DRIVE.

    :raise ValueError: there is no such weather, or the radars are changed ones
    """
    found = []
    for weather in weathers:
        for job in jobs:
            drive = job.source
            if not isinstance(drive, SimulatedDrive) or drive.change is not None:
                raise ValueError('--weather is for splits of the benchmark without a random radar')
            if drive.visit.index != 1:
                continue
            conditions = in_weather(drive.visit.conditions, weather)
            visit = replace(drive.visit, conditions=conditions)
            found.append(
                replace(
                    job,
                    directory=job.directory.replace('/', f'_{weather}/', 1),
                    source=replace(drive, visit=visit, weather=weather),
                )
            )
    return found


def hercules_drives(
    root: Path,
    split_name: str,
    query_spacing_m: float | None,
    scan_spacing_m: float,
    heading: str | None,
) -> tuple[list[CacheJob], list[str]]:
    """
    Return the drives of the papers' split that are there, and a line on each that is not.

    :param split_name: 'papers' for all of it
    :param heading: see `check_poses`; None = HERCULES_HEADING
    :raise ValueError: none is there, or the map of a place whose other drives are
    """
    found = find_sequences(root)
    jobs: list[CacheJob] = []
    notes: list[str] = []
    for split in PAPERS_SPLIT if split_name == 'papers' else (split_name,):
        spacing = _spacing(split, query_spacing_m, scan_spacing_m)
        for place, numbers in PAPERS_SPLIT[split].items():
            there = [number for number in numbers if (place, number) in found]
            if split != 'train' and there and there[0] != numbers[0]:
                raise ValueError(
                    f'{place}/{numbers[0]}, the map of {place}, is not below {root}, '
                    f'which has only {", ".join(there)} of that place'
                )
            jobs += [
                CacheJob(
                    f'{split}/{place}_{number}',
                    spacing,
                    RecordedDrive(
                        found[place, number],
                        f'{place}/{number}',
                        DriveOptions(dataset='hercules', heading=heading or HERCULES_HEADING),
                    ),
                )
                for number in there
            ]
            notes += [
                f'{place}/{number} ({split}) is not below {root} and was skipped'
                for number in numbers
                if number not in there
            ]
    if not jobs:
        raise ValueError(
            f'{root} has no drive of the papers ({split_name}): expected folders such as '
            'Mountain/01 or Library_01_Day below it'
        )
    return jobs, notes


def recorded_drives(
    paths: Sequence[Path],
    world: str,
    split: str,
    options: Sequence[DriveOptions],
    query_spacing_m: float | None,
    scan_spacing_m: float,
    sensors: tuple[str, ...] = BOTH,
) -> list[CacheJob]:
    """
    Return drives through one place, called after their directories.

    A drive with one of the radars counts, too: another one may have the other.

    :param options: of each drive
    :param sensors: whose messages are read of a bag
    :raise ValueError: two have the same name
    """
    names = [path.resolve().stem for path in paths]
    if len(set(names)) < len(names):
        raise ValueError(f'the drives are named {names}: rename one, or cache it under its world')
    spacing = _spacing(split, query_spacing_m, scan_spacing_m)
    return [
        CacheJob(
            f'{split}/{world}_{name}',
            spacing,
            RecordedDrive(path, f'{world}/{name}', of_drive, sensors),
        )
        for path, name, of_drive in zip(paths, names, options, strict=True)
    ]


def _spacing(split: str, query_spacing_m: float | None, scan_spacing_m: float) -> Spacing:
    usual_m = TEST_SPACING_M if split == 'test' else TRAINING_SPACING_M
    return Spacing(usual_m if query_spacing_m is None else query_spacing_m, scan_spacing_m)
