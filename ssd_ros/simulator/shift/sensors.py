# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""
Which radars, worlds and maps the benchmark of shift has: `config/shift.yaml` is the one list.

It has two halves that share no sensor and no world: one that a calibration may be fitted on, and
one that only judges.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
import re

from ssd_ros.reading import MAX_YAML_BYTES, read_text
from ssd_ros.records import record_from_mapping
from ssd_ros.simulator.config import Conditions, TEST_SEEDS, VALIDATION_SEEDS, WorldConfig
from ssd_ros.simulator.recordings.benchmark import Benchmark
from ssd_ros.simulator.shift.drives import DriveChange
from ssd_ros.simulator.shift.maps import MapChange
import yaml

VERSION = 1
PLAIN = 'plain'
FITTING, JUDGING = 'shift_fit', 'shift'
SEEDS = {FITTING: VALIDATION_SEEDS, JUDGING: TEST_SEEDS}


@dataclass(frozen=True, slots=True)
class Sensor:
    """
    A radar, or a map, that differs from the plain one.

    :param name: of lower-case letters, digits and underscores
    :param drive: how its scans differ; they are made of the plain one's
    :param map: how the map differs in which the plain radar is looked up
    :param conditions: of another simulation, where the plain one's scans do not do
    :param queries_part: of the loop that is driven, see Parts; None = as the others
    :param query_every_s: time between queries, where the vehicle hardly moves; None = by way
    :param has_own_maps: the 4D maps that it is looked up in are its own, not the plain radar's
    :param teaches: a calibration is fitted on it; what no answer tells would make all doubtful
    """

    name: str
    drive: DriveChange = field(default_factory=DriveChange)
    map: MapChange = field(default_factory=MapChange)
    conditions: Conditions | None = None
    queries_part: tuple[float, ...] | None = None
    query_every_s: float | None = None
    has_own_maps: bool = True
    teaches: bool = True

    def __post_init__(self) -> None:
        _check_name(self.name)
        if self.query_every_s is not None and not 0.1 <= self.query_every_s <= 1000:
            raise ValueError(
                f'query_every_s of {self.name} is {self.query_every_s}, expected 0.1 ... 1000'
            )


@dataclass(frozen=True, slots=True)
class Worlds:
    """
    Worlds of one kind in which the plain radar is looked up.

    :param teaches: as of sensors
    """

    name: str
    seeds: tuple[int, ...]
    world: WorldConfig
    teaches: bool = True

    def __post_init__(self) -> None:
        _check_name(self.name)


@dataclass(frozen=True, slots=True)
class Parts:
    """
    Which parts of the loop are driven, from and to, as shares; see Visit.

    :param scans: for the spinning map
    :param clouds: for the 4D map
    :param queries: by those who are looked up
    """

    scans: tuple[float, ...]
    clouds: tuple[float, ...]
    queries: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class Half:
    """
    What calibration may be fitted on, or what it is judged by.

    :param name: one of SEEDS
    :param towns: seeds of the worlds that every sensor drives through
    :param plain: conditions of the radar that the others are made of
    :param num_others: places besides its own in whose maps each drive is looked up
    :param town_parts: driven in towns
    :param world_parts: driven in the others, of which there are fewer of a kind
    :param town: what all towns are like
    """

    name: str
    towns: tuple[int, ...]
    plain: Conditions
    num_others: int
    town_parts: Parts
    world_parts: Parts
    sensors: tuple[Sensor, ...]
    worlds: tuple[Worlds, ...] = ()
    town: WorldConfig = field(default_factory=WorldConfig)

    def __post_init__(self) -> None:
        if self.name not in SEEDS:
            raise ValueError(f'a half is named {self.name!r}, expected one of {", ".join(SEEDS)}')
        if not 1 <= self.num_others < len(self.towns):
            raise ValueError(
                f'num_others of {self.name!r} is {self.num_others}, expected 1 ... '
                f'{len(self.towns) - 1}, as there are {len(self.towns)} towns'
            )
        seeds = list(self.seeds)
        if foreign := [seed for seed in seeds if seed not in SEEDS[self.name]]:
            raise ValueError(f'world {foreign[0]} cannot serve {self.name!r}')
        if len(set(seeds)) < len(seeds):
            raise ValueError(f'the worlds of {self.name!r} are {seeds}, expected each once')

    @property
    def seeds(self) -> Iterator[int]:
        """Seeds of all its worlds."""
        yield from self.towns
        for worlds in self.worlds:
            yield from worlds.seeds


@dataclass(frozen=True, slots=True)
class ShiftBenchmark:
    """Both halves; they share no sensor and no world."""

    version: int
    halves: tuple[Half, ...]

    def __post_init__(self) -> None:
        if self.version != VERSION:
            raise ValueError(f'version is {self.version}, expected {VERSION}')
        if [half.name for half in self.halves] != list(SEEDS):
            names = [half.name for half in self.halves]
            raise ValueError(f'the halves are {names}, expected {", ".join(SEEDS)}')
        named: dict[str, object] = {}
        all_of_them: list[Sensor | Worlds] = []
        for half in self.halves:
            all_of_them += [*half.sensors, *half.worlds]
        for one in all_of_them:
            if one.name in named:
                raise ValueError(f'{one.name!r} is there twice, expected once, in one half')
            same = [name for name, other in named.items() if other == _what(one)]
            if same:
                raise ValueError(f'{one.name!r} is the same as {same[0]!r}')
            named[one.name] = _what(one)

    def half(self, name: str) -> Half:
        """Return one of the halves."""
        return self.halves[list(SEEDS).index(name)]


def _what(one: Sensor | Worlds) -> object:
    """Return what makes it another than others, whatever it is called."""
    if isinstance(one, Worlds):
        return one.world
    return one.drive, one.map, one.conditions, one.queries_part


def load_shift(path: Path, benchmark: Benchmark) -> ShiftBenchmark:
    """
    Read the list from YAML.

    :param benchmark: whose worlds it may not use
    :raise ValueError: an option is unknown or wrong, by name, or a sensor or world serves twice
    """
    try:
        shift = record_from_mapping(
            ShiftBenchmark, yaml.safe_load(read_text(path, MAX_YAML_BYTES, 'a benchmark'))
        )
        used = {place.seed: split.name for split in benchmark.splits for place in split.places}
        for half in shift.halves:
            for seed in half.seeds:
                if seed in used:
                    raise ValueError(f'world {seed} of {half.name!r} is in {used[seed]!r}, too')
    except (ValueError, RecursionError, yaml.YAMLError) as error:
        raise ValueError(f'{path}: {error}') from error
    return shift


def _check_name(name: str) -> None:
    if not re.fullmatch(r'[a-z][a-z0-9_]{0,39}', name) or name == PLAIN:
        raise ValueError(
            f'a sensor is named {name!r}, expected up to 40 lower-case letters, digits and '
            f'underscores, and not {PLAIN!r}'
        )
