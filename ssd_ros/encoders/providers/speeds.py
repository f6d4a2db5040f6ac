# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""
How fast devices run models, kept for the next start in the user's cache.

What cannot be read or does not fit is measured again. The file holds the newest few entries; one
that is lost where two processes write at once is measured again as well.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
import logging
from pathlib import Path

from ssd_ros.devices import DEVICES
from ssd_ros.reading import read_json
from ssd_ros.records import check_limits, Limits, record_from_mapping, settings_of
from ssd_ros.targets import write_own_json
from ssd_ros.user_paths import user_cache

MAX_BYTES = 1 << 18
MAX_SPEEDS = 100

_logger = logging.getLogger(__name__)
_LIMITS = {'ms': Limits(0, 1e6)}


@dataclass(frozen=True, slots=True)
class Speed:
    """
    What one image of a model takes on a device of a machine.

    :param machine: see machine_words
    :param model: SHA-256 of the file
    :param ms: of processor time, one thread
    :param problem: why this device must not be used; '' = it may be
    """

    machine: str
    model: str
    device: str
    ms: float
    problem: str = ''

    def __post_init__(self) -> None:
        """Refuse what cannot be used."""
        check_limits(self, _LIMITS)
        if self.device not in DEVICES:
            raise ValueError(f'device is {self.device!r}; choose from {", ".join(DEVICES)}')


@dataclass(frozen=True, slots=True)
class _Content:
    generator: str
    speeds: tuple[Speed, ...]


def speeds_file() -> Path:
    """
    Return where speeds are kept.

    :raise ValueError: the user has no home
    """
    return user_cache() / 'speeds.json'


def kept_speeds(machine: str, model: str) -> dict[str, Speed]:
    """Return by device what was measured on this machine with this model."""
    return {
        speed.device: speed
        for speed in _read()
        if (speed.machine, speed.model) == (machine, model)
    }


def keep_speeds(speeds: Sequence[Speed]) -> None:
    """Keep what was measured, if there is a place for it."""
    new = {(speed.machine, speed.model, speed.device) for speed in speeds}
    others = [speed for speed in _read() if (speed.machine, speed.model, speed.device) not in new]
    entries = [settings_of(speed) for speed in [*others, *speeds][-MAX_SPEEDS:]]
    try:
        write_own_json(speeds_file(), {'speeds': entries})
    except (OSError, ValueError) as error:
        _logger.warning(f'speeds of the encoder are measured at each start: {error}')


def _read() -> tuple[Speed, ...]:
    try:
        content = read_json(speeds_file(), MAX_BYTES, 'a list of speeds', is_own=True)
        return record_from_mapping(_Content, content).speeds
    except FileNotFoundError:
        return ()
    except (OSError, ValueError) as error:
        _logger.warning(f'speeds of the encoder are measured again: {error}')
        return ()
