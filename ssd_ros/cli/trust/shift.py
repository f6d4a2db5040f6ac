# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The benchmark of shift: which drives and maps it takes, and which is asked of which."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from ssd_ros.cli.common.parallel import run_jobs
from ssd_ros.cli.common.progress import progress_bar
from ssd_ros.cli.trust.asked.answers import PairAnswers
from ssd_ros.cli.trust.asked.drives import drives_of_benchmark
from ssd_ros.cli.trust.asked.jobs import (
    answers_of,
    answers_to,
    Asked,
    Drive,
    Files,
    Models,
    prepare_drives,
    working_files,
)
from ssd_ros.cli.trust.shift_sources import (
    change_map,
    ChangedMap,
    PlainDrive,
    ShiftedDrive,
    store,
    StoredDrive,
)
from ssd_ros.shared_files import shared_file
from ssd_ros.simulator.config import WorldConfig
from ssd_ros.simulator.recordings.benchmark import load_benchmark, Place, Visit
from ssd_ros.simulator.shift.drives import DriveChange
from ssd_ros.simulator.shift.maps import MapChange
from ssd_ros.simulator.shift.sensors import (
    FITTING,
    Half,
    JUDGING,
    load_shift,
    PLAIN,
    SEEDS,
    Sensor,
)


def load_half(name: str) -> Half:
    """Return a half of the shipped list."""
    benchmark = load_benchmark(shared_file('config/benchmark.yaml'))
    return load_shift(shared_file('config/shift.yaml'), benchmark).half(name)


class _Case(NamedTuple):
    """
    A sensor in one of the worlds.

    :param plain: folder of the plain radar there
    :param map_sensors: whose maps are asked
    """

    half: Half
    sensor: Sensor
    plain: str
    seed: int
    world: WorldConfig
    map_sensors: Sequence[str]

    def folder(self, name: str, what: str) -> str:
        return f'{self.half.name}/{name}/{self.seed}_{what}'

    def drive(self, what: str, brightness_px: int = 0) -> PlainDrive:
        """Return one of three drives: of the `scans` or `clouds` of a map, or the `queries`."""
        half, sensor = self.half, self.sensor
        parts = half.town_parts if self.seed in half.towns else half.world_parts
        part = getattr(parts, what)
        if what == 'queries' and sensor.queries_part:
            part = sensor.queries_part
        seen = sensor.conditions if what != 'scans' and sensor.conditions else half.plain
        visit = Visit('02' if what == 'queries' else '01', seen, part)
        place = Place(self.seed, (Visit('01'), Visit('02')), self.world)
        has_lidar = what == 'scans' and 'lidar' in self.map_sensors
        return PlainDrive(place, visit, has_lidar=has_lidar, brightness_px=brightness_px)

    def stored(self, work: Path, what: str) -> StoredDrive:
        name = self.sensor.name if self.sensor.conditions else self.plain
        return StoredDrive(
            work / self.folder(f'raw/{name}', what) / 'clouds.npz', self.drive(what)
        )

    @property
    def is_plain(self) -> bool:
        """Whether its scans are those of the plain radar."""
        sensor = self.sensor
        return sensor.drive == DriveChange() and sensor.conditions is None

    @property
    def queries(self) -> str:
        is_plain = self.is_plain and self.sensor.query_every_s is None
        return self.folder(self.plain if is_plain else self.sensor.name, 'queries')

    @property
    def maps(self) -> dict[str, str]:
        """Folders of the maps that it is asked in, by their sensor."""
        sensor, is_same = self.sensor, self.sensor.map == MapChange()
        is_own = sensor.has_own_maps and not self.is_plain
        of_scans = self.folder(self.plain if is_same else sensor.name, 'scans')
        of_clouds = self.folder(self.plain if is_same and not is_own else sensor.name, 'clouds')
        found = {'spinning': of_scans, '4d': of_clouds, 'lidar': of_scans}
        # Brightness is that of a spinning radar.
        kinds = ['spinning'] if sensor.map.brightness_px else list(found)
        return {kind: found[kind] for kind in self.map_sensors if kind in kinds}


class Plan(NamedTuple):
    """What has to be done, by where it goes, so that nothing is done twice."""

    stored: dict[Path, StoredDrive]
    drives: dict[str, Drive]
    changed: dict[Path, ChangedMap]
    asked: list[Asked]


def require_fit(names: Iterable[str]) -> None:
    """
    Refuse to fit on what judges.

    :raise ValueError: a split or half is of worlds of test
    """
    for name in names:
        if name == JUDGING or name.partition('_')[0] == 'test':
            raise ValueError(f'{name!r} only judges: fit on {FITTING!r} and splits of validation')


def lessons_of(names: Iterable[str], answers: Iterable[PairAnswers]) -> list[PairAnswers]:
    """
    Return the answers that a calibration is fitted on.

    :param names: of splits and halves that were asked
    """
    halves = [load_half(name) for name in names if name in SEEDS]
    mute = {sensor.name for half in halves for sensor in half.sensors if not sensor.teaches}
    mute |= {worlds.name for half in halves for worlds in half.worlds if not worlds.teaches}
    return [pair for pair in answers if pair.shift not in mute]


def answers_of_benchmark(
    names: Sequence[str], models: Models, work: Path, query_m: float, num_processes: int
) -> list[PairAnswers]:
    """
    Ask the drives of splits of the benchmark and of halves of the benchmark of shift.

    What is in the working directory is not done again.

    :param query_m: between two queries
    :raise ValueError: there is no such split, or what is there was made with other settings
    """
    drives = drives_of_benchmark([name for name in names if name not in SEEDS], models)
    halves = [load_half(name) for name in names if name in SEEDS]
    if halves and models.queries != '4d':
        raise ValueError('the radars of shift are 4D radars: name splits of towns')
    answers = answers_of(drives, models, work, query_m, num_processes) if drives else []
    for half in halves:
        answers += answers_of_half(half, models, work, query_m, num_processes)
    return answers


def answers_of_half(
    half: Half, models: Models, work: Path, query_m: float, num_processes: int
) -> list[PairAnswers]:
    """
    Ask all radars of a half of the benchmark; what is in the working directory is not done again.

    :param query_m: between two queries
    :raise ValueError: what is there was made with other settings
    """
    files = working_files(models, work, query_m)
    plan = plan_of(half, files, models.maps)
    simulate(plan.stored.values(), num_processes)
    prepare_drives(list(plan.drives.values()), models, files, query_m, num_processes)
    with progress_bar('maps', 'map') as progress:
        run_jobs(list(plan.changed.values()), change_map, num_processes, progress)
    return answers_to(plan.asked, models, files, num_processes)


def plan_of(half: Half, files: Files, map_sensors: Sequence[str]) -> Plan:
    """
    Return what has to be there, and what is asked.

    :param map_sensors: whose maps are asked
    """
    plan = Plan({}, {}, {}, [])
    for ring in _rings(half, map_sensors):
        for number, case in enumerate(ring):
            _add_case(plan, case, files)
            plan.asked.extend(
                Asked(case.queries, f'{folder}/{kind}.map', case.sensor.name)
                for other in _places(number, half.num_others, len(ring))
                for kind, folder in ring[other].maps.items()
            )
    return plan


def _places(number: int, num_others: int, num: int) -> list[int]:
    """
    Return a place and its neighbours on either side, in a ring of so many.

    Worlds of one kind stand side by side, so that one of them is a neighbour of the other.
    """
    steps = sorted(range(-num_others, num_others + 1), key=abs)
    return list(dict.fromkeys((number + step) % num for step in steps))[: num_others + 1]


def simulate(stored: Iterable[StoredDrive], num_processes: int) -> None:
    """Simulate the scans that all else is made of."""
    with progress_bar('simulated', 'scan') as progress:
        run_jobs(list(stored), store, num_processes, progress)


def _rings(half: Half, map_sensors: Sequence[str]) -> Iterator[list[_Case]]:
    """Yield worlds whose maps are asked of each other's drives."""
    for sensor in half.sensors:
        yield [_Case(half, sensor, PLAIN, seed, half.town, map_sensors) for seed in half.towns]
    yield [
        _Case(half, Sensor(worlds.name), worlds.name, seed, worlds.world, map_sensors)
        for worlds in half.worlds
        for seed in worlds.seeds
    ]


def _add_case(plan: Plan, case: _Case, files: Files) -> None:
    """Add a sensor in a world, and the maps of the plain one there."""
    plain = case._replace(sensor=Sensor('untouched'))
    kinds = tuple(kind for kind in case.map_sensors if kind != '4d')
    if '4d' in case.map_sensors:
        _add_clouds(plan, plain, files, 'clouds')
    if kinds:
        scans = plain.maps[kinds[0]]
        plan.drives[scans] = Drive(scans, plain.drive('scans'), True, kinds)
    _add_clouds(plan, case, files, 'queries')
    change, key = case.sensor.map, case.sensor.name
    if not case.maps:
        return
    if change.brightness_px:
        brighter = case.maps['spinning']
        source = case.drive('scans', change.brightness_px)
        plan.drives[brighter] = Drive(brighter, source, True, ('spinning',))
    elif change != MapChange():
        for kind, folder in case.maps.items():
            path = files.map(f'{folder}/{kind}.map')
            made_of = files.map(f'{plain.maps[kind]}/{kind}.map')
            plan.changed[path] = ChangedMap(made_of, path, change, f'{key}/{kind}')
    elif case.maps != plain.maps:
        _add_clouds(plan, case, files, 'clouds')


def _add_clouds(plan: Plan, case: _Case, files: Files, what: str) -> None:
    """Add the queries of a sensor, or the drive of its 4D map."""
    stored, sensor = case.stored(files.work, what), case.sensor
    plan.stored[stored.path] = stored
    is_map = what == 'clouds'
    folder = case.maps['4d'] if is_map else case.queries
    source = ShiftedDrive(stored, sensor.drive, f'{sensor.name}/{what}')
    every_s = None if is_map else sensor.query_every_s
    plan.drives[folder] = Drive(folder, source, is_map, ('4d',), every_s)
