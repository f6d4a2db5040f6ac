# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""
Worlds, visits and radars drawn at random: `config/random_worlds.yaml` says from what ranges.

Models are trained on many worlds, each seen by radars of its own, and judged far outside of the
ranges of training. What is drawn for a world depends on its seed and on the range, nothing else.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, fields, replace
from pathlib import Path
from typing import Any, get_args, get_type_hints

import numpy as np
from ssd_ros.evaluation.bev_cache import Spacing
from ssd_ros.reading import MAX_YAML_BYTES, read_text
from ssd_ros.records import record_from_mapping
from ssd_ros.simulator.config import Conditions, WORLD_STYLES, WorldConfig
from ssd_ros.simulator.random_streams import stream
from ssd_ros.simulator.recordings.benchmark import Place, Split, Visit
from ssd_ros.simulator.sensors import CloudRadarConfig, SpinningRadarConfig
from ssd_ros.simulator.shift.clouds import CloudChange
import yaml

VERSION = 2
MAX_WORLDS = 1000
# Of what a range is; a visit is drawn for each session, all else for the world.
_RECORDS: dict[str, type] = {
    'world': WorldConfig,
    'visit': Conditions,
    'spinning': SpinningRadarConfig,
    'cloud': CloudRadarConfig,
    'change': CloudChange,
}


@dataclass(frozen=True, slots=True)
class Range:
    """
    What an option is drawn from, uniformly.

    :param of: world, visit, spinning, cloud, or change: of the scans that the 4D radar makes
    :param name: of the option
    :param is_log: uniform in the logarithm
    :param share: of worlds, or visits, for which it is drawn; the others keep the default
    """

    of: str
    name: str
    low: float = 1.0
    high: float = 1.0
    is_log: bool = False
    share: float = 1.0

    def __post_init__(self) -> None:
        if self.of not in _RECORDS:
            raise ValueError(f'a range is of {self.of!r}, expected one of {", ".join(_RECORDS)}')
        known = {each.name for each in fields(_RECORDS[self.of])}
        if self.name not in known or not self._kinds & {int, float, bool}:
            raise ValueError(f'a range is of {self.of}.{self.name}, which is no number')
        if not self.low <= self.high or (self.is_log and self.low <= 0):
            raise ValueError(f'{self.of}.{self.name} is drawn from {self.low:g} ... {self.high:g}')
        if not 0 < self.share <= 1:
            raise ValueError(f'share of {self.of}.{self.name} is {self.share}, expected 0 ... 1')

    @property
    def _kinds(self) -> set[type]:
        hint = get_type_hints(_RECORDS[self.of])[self.name]
        return {hint, *get_args(hint)}

    def draw(self, seed: int, session: int = 0) -> dict[str, Any]:
        """Return the option with its value, or nothing where it keeps the default."""
        rng = stream(seed, f'drawn/{self.of}/{self.name}', session)
        is_drawn, place = rng.random() < self.share, rng.random()
        if not is_drawn:
            return {}
        low, high = np.log([self.low, self.high]) if self.is_log else (self.low, self.high)
        value = float(low + place * (high - low))
        value = float(np.exp(value)) if self.is_log else value
        for kind in (bool, int):
            if kind in self._kinds:
                return {self.name: kind(round(value))}
        return {self.name: value}


@dataclass(frozen=True, slots=True)
class RandomSplit:
    """
    Worlds of one purpose.

    :param name: as that of a split of the benchmark, see `Split`
    :param styles: of the worlds, in turns
    :param world: what is not drawn; so are the conditions
    :param is_both_ways: whether every other visit, and no more, drives the opposite way
    """

    name: str
    first_seed: int
    num_worlds: int
    num_sessions: int
    map_images: Spacing
    query_images: Spacing
    styles: tuple[str, ...]
    ranges: tuple[Range, ...]
    world: WorldConfig = field(default_factory=WorldConfig)
    conditions: Conditions = field(default_factory=Conditions)
    is_both_ways: bool = False

    def __post_init__(self) -> None:
        if not 1 <= self.num_worlds <= MAX_WORLDS or not 1 <= self.num_sessions <= 99:
            raise ValueError(
                f'{self.name!r} has {self.num_worlds} worlds of {self.num_sessions} sessions, '
                f'expected 1 ... {MAX_WORLDS} of 1 ... 99'
            )
        if unknown := sorted(set(self.styles) - set(WORLD_STYLES)) or not self.styles:
            raise ValueError(
                f'styles of {self.name!r} are {list(self.styles)}, not {unknown}; '
                f'choose from {", ".join(WORLD_STYLES)}'
            )
        names = [(each.of, each.name) for each in self.ranges]
        if len(set(names)) < len(names):
            raise ValueError(f'an option of {self.name!r} is drawn twice')

    def split(self) -> Split:
        """Return the split with all that is drawn."""
        seeds = range(self.first_seed, self.first_seed + self.num_worlds)
        places = tuple(self._place(seed) for seed in seeds)
        return Split(self.name, self.map_images, self.query_images, places)

    def change(self, seed: int) -> CloudChange:
        """Return how the scans of a world differ from those of its 4D radar as simulated."""
        return CloudChange(**self._drawn('change', seed))

    def _place(self, seed: int) -> Place:
        style = self.styles[(seed - self.first_seed) % len(self.styles)]
        fixed = self.conditions
        radars: dict[str, Any] = {
            'spinning': replace(fixed.spinning, **self._drawn('spinning', seed)),
            'cloud': replace(fixed.cloud, **self._drawn('cloud', seed)),
        }
        visits = tuple(
            Visit(f'{session + 1:02d}', replace(fixed, **radars, **self._visit(seed, session)))
            for session in range(self.num_sessions)
        )
        world = replace(self.world, style=style, **self._drawn('world', seed))
        return Place(seed, visits, world)

    def _visit(self, seed: int, session: int) -> dict[str, Any]:
        direction = {'opposite_direction': session % 2 == 1} if self.is_both_ways else {}
        return self._drawn('visit', seed, session) | direction

    def _drawn(self, of: str, seed: int, session: int = 0) -> dict[str, Any]:
        drawn: dict[str, Any] = {}
        for each in self.ranges:
            if each.of == of:
                drawn |= each.draw(seed, session)
        return drawn


@dataclass(frozen=True, slots=True)
class RandomWorlds:
    """All splits of random worlds; no world is in two of them."""

    version: int
    splits: tuple[RandomSplit, ...]

    def __post_init__(self) -> None:
        if self.version != VERSION:
            raise ValueError(f'version is {self.version}, expected {VERSION}')
        names = [split.name for split in self.splits]
        seeds = list(self.seeds)
        if len(set(names)) < len(names) or len(set(seeds)) < len(seeds):
            raise ValueError(f'the splits {names} share a name or a world')

    @property
    def seeds(self) -> Iterable[int]:
        """Seeds of all worlds."""
        for split in self.splits:
            yield from range(split.first_seed, split.first_seed + split.num_worlds)


def load_random_worlds(path: Path) -> RandomWorlds:
    """
    Read what is drawn from YAML.

    :raise ValueError: an option is unknown or wrong, by name, or a world serves two purposes
    """
    try:
        text = read_text(path, MAX_YAML_BYTES, 'a list of random worlds')
        return record_from_mapping(RandomWorlds, yaml.safe_load(text))
    except (ValueError, RecursionError, yaml.YAMLError) as error:
        raise ValueError(f'{path}: {error}') from error
