# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""
Where radar data come from: simulated or recorded.

It travels with the data, from the recording through caches, maps and runs to results and reports.
What does not say so is of unknown origin, whatever it is called and whatever layout it has.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, dataclass
import json
import logging
from pathlib import Path
from typing import Any

from ssd_ros.reading import read_json
from ssd_ros.records import record_from_mapping

SIMULATED, RECORDED, UNKNOWN = KINDS = ('simulated', 'recorded', 'unknown')
MIXED = 'mixed'  # of several: not all of one kind
ORIGIN_FILE = 'origin.json'
_EARLIER_FILE = 'sim_meta.json'  # of the command simulate
_MAX_BYTES = 65_536
_MAX_LETTERS = 200
_WORDS = {
    SIMULATED: 'simulated radar',
    RECORDED: 'recorded radar',
    MIXED: 'radar of mixed origin',
    UNKNOWN: 'radar of unknown origin',
}

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Origin:
    """
    Where one drive comes from.

    :param kind: one of KINDS
    :param by: program and version that simulated it, or the data set it is of
    :param world: that was simulated, or the place
    :param seed: of the simulated world
    """

    kind: str = UNKNOWN
    by: str = ''
    world: str = ''
    seed: int | None = None

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            raise ValueError(f'kind of origin is {self.kind!r}; choose from {", ".join(KINDS)}')
        for name in ('by', 'world'):
            text = getattr(self, name)
            if len(text) > _MAX_LETTERS or not text.isprintable():
                raise ValueError(f'{name} of origin is no short line of text: {text[:40]!r}')

    @property
    def text(self) -> str:
        """Return it in words, such as `simulated by ssd_ros 1.0 (Sim_Town_0007)`."""
        if self.kind == UNKNOWN:
            return 'unknown origin'
        link = ' by ' if self.kind == SIMULATED else ' for '
        return (
            self.kind + (link + self.by if self.by else '') + f' ({self.world})' * bool(self.world)
        )


def kind_of(kinds: Iterable[str]) -> str:
    """Return the kind of several together: theirs if it is one, else MIXED."""
    different = set(kinds)
    return different.pop() if len(different) == 1 else MIXED if different else UNKNOWN


def radar_of(kind: str) -> str:
    """Return what a result of this kind was got from, in words."""
    return _WORDS[kind]


def label_of(kind: str) -> str:
    """Return a kind as a word or two behind a name."""
    return kind if kind in (SIMULATED, RECORDED) else f'{kind} origin'


def checked_kind(kind: object) -> str:
    """
    Return a kind read from a file.

    :raise ValueError: it is none
    """
    if kind not in _WORDS:
        raise ValueError(f'origin is {str(kind)[:40]!r}; choose from {", ".join(_WORDS)}')
    return str(kind)


def origin_from(values: Any) -> Origin:
    """
    Return what was written by `asdict`; None is unknown.

    :raise ValueError: it is no origin
    """
    return Origin() if values is None else record_from_mapping(Origin, values, 'origin.')


def origin_text(origin: Origin) -> str:
    """Return JSON."""
    return json.dumps(asdict(origin))


def read_origin(folder: Path) -> Origin:
    """Return the origin that a folder tells, unknown if it tells none or a wrong one."""
    for name, meaning in ((ORIGIN_FILE, origin_from), (_EARLIER_FILE, _origin_of_simulation)):
        file = folder / name
        if not file.is_file():
            continue
        try:
            return meaning(read_json(file, _MAX_BYTES, 'an origin'))
        except (OSError, ValueError) as error:
            _log.warning('%s does not tell where the data come from: %s', file, error)
    return Origin()


def _origin_of_simulation(values: Any) -> Origin:
    if not isinstance(values, dict) or values.get('simulated') is not True:
        raise ValueError('it is not of the command simulate')
    versions, seed = values.get('versions'), values.get('seed')
    version = versions.get('ssd_ros', '') if isinstance(versions, dict) else ''
    return Origin(
        SIMULATED, f'ssd_ros {version}'.strip(), '', seed if isinstance(seed, int) else None
    )
