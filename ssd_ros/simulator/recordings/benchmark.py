# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""
The simulated benchmark: which worlds, driven how, for training, validation and test.

`config/benchmark.yaml` is the one list of them; its numbers may change only with its version.
"""

from __future__ import annotations

from dataclasses import dataclass, field
import hashlib
import json
from pathlib import Path

from ssd_ros.evaluation.bev_cache import Spacing
from ssd_ros.reading import MAX_YAML_BYTES, read_text
from ssd_ros.records import record_from_mapping, settings_of
from ssd_ros.simulator.config import (
    Conditions,
    TEST_SEEDS,
    TRAIN_SEEDS,
    VALIDATION_SEEDS,
    WorldConfig,
)
import yaml

VERSION = 1
# By the name of a split up to its first underscore.
SEEDS = {'train': TRAIN_SEEDS, 'validation': VALIDATION_SEEDS, 'test': TEST_SEEDS}


@dataclass(frozen=True, slots=True)
class Visit:
    """
    One drive through a place.

    :param name: 01, 02, ... in order; 01 is the map
    :param part: of the loop that is driven, from and to, as shares in the sense and from the start
        of the map's whole lap; None = a whole lap from anywhere, the map's from its start
    """

    name: str
    conditions: Conditions = field(default_factory=Conditions)
    part: tuple[float, ...] | None = None

    def __post_init__(self) -> None:
        if not (len(self.name) == 2 and self.name.isdecimal() and self.name != '00'):
            raise ValueError(f'the session is named {self.name!r}, expected 01, 02, ...')
        if self.part is not None and (
            len(self.part) != 2 or not 0 <= self.part[0] < self.part[1] <= 1
        ):
            raise ValueError(
                f'part of session {self.name} is {list(self.part)}, '
                'expected two shares of the loop, such as [0.0, 0.75]'
            )

    @property
    def index(self) -> int:
        """Number of the session in the simulator, from 0."""
        return int(self.name) - 1


@dataclass(frozen=True, slots=True)
class Place:
    """One world and the drives through it."""

    seed: int
    sessions: tuple[Visit, ...]
    world: WorldConfig = field(default_factory=WorldConfig)

    def __post_init__(self) -> None:
        names = [visit.name for visit in self.sessions]
        if not names or [visit.index for visit in self.sessions] != list(range(len(names))):
            raise ValueError(
                f'the sessions of world {self.seed} are {names}, expected 01, 02, ...'
            )

    def digest(self, visit: Visit) -> str:
        """Return 64 hexadecimal digits that change with anything that makes a drive."""
        settings = [self.seed, settings_of(self.world), settings_of(visit)]
        text = json.dumps(settings, sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class Split:
    """
    The places of one purpose.

    :param name: one of SEEDS, or with an underscore and more after it
    :param map_images: spacing of the cached images of sessions 01
    :param query_images: of the other sessions
    """

    name: str
    map_images: Spacing
    query_images: Spacing
    places: tuple[Place, ...]

    def __post_init__(self) -> None:
        purpose = self.name.partition('_')[0]
        if purpose not in SEEDS:
            raise ValueError(
                f'a split is named {self.name!r}, expected {", ".join(SEEDS)}, or one of them '
                'with an underscore and more'
            )
        seeds = SEEDS[purpose]
        for place in self.places:
            if place.seed not in seeds:
                raise ValueError(
                    f'world {place.seed} cannot serve {self.name!r}: '
                    f'expected a seed of {seeds.start} ... {seeds.stop - 1}'
                )

    def spacing(self, visit: Visit) -> Spacing:
        """Return the spacing of the cached images of a session."""
        return self.map_images if visit.index == 0 else self.query_images


@dataclass(frozen=True, slots=True)
class Benchmark:
    """All splits; no world is in two of them."""

    version: int
    splits: tuple[Split, ...]

    def __post_init__(self) -> None:
        if self.version != VERSION:
            raise ValueError(f'version is {self.version}, expected {VERSION}')
        names = [split.name for split in self.splits]
        if len(set(names)) < len(names):
            raise ValueError(f'the splits are {names}, expected each once')
        split_of: dict[int, str] = {}
        for split in self.splits:
            for place in split.places:
                if place.seed in split_of:
                    raise ValueError(
                        f'world {place.seed} is in {split_of[place.seed]!r} and {split.name!r}, '
                        'expected in one place'
                    )
                split_of[place.seed] = split.name

    def split(self, name: str) -> Split:
        """
        Return the split of a name.

        :raise ValueError: there is none
        """
        for split in self.splits:
            if split.name == name:
                return split
        names = ', '.join(split.name for split in self.splits)
        raise ValueError(f'the benchmark has no split {name!r}; choose from {names}')


def load_benchmark(path: Path) -> Benchmark:
    """
    Read a benchmark from YAML.

    :raise ValueError: an option is unknown or wrong, by name, or a world serves two purposes
    """
    try:
        return record_from_mapping(
            Benchmark, yaml.safe_load(read_text(path, MAX_YAML_BYTES, 'a benchmark'))
        )
    except (ValueError, RecursionError, yaml.YAMLError) as error:
        raise ValueError(f'{path}: {error}') from error
