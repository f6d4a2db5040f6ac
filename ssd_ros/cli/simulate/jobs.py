# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Writing simulated drives, several at a time, with what is needed to make them again."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial
import hashlib
from importlib.metadata import version
import json
from pathlib import Path
import platform
from typing import Any

import numpy as np
from ssd_ros import __version__
from ssd_ros.cli.common.parallel import Report, run_jobs
from ssd_ros.cli.common.progress import progress_bar
from ssd_ros.cli.common.settings_file import read_settings
from ssd_ros.datasets.formats.hercules import HERCULES_FOLDER, SIMULATION_FILE, write_hercules
from ssd_ros.records import settings_of
from ssd_ros.simulator.config import Conditions, conditions_of, Preset, PRESETS
from ssd_ros.simulator.recordings.sequence import SimulatedSequence
from ssd_ros.simulator.scene.world import World
from ssd_ros.simulator.visits.session import Session
from ssd_ros.targets import check_folder, check_working_folder


@dataclass(frozen=True, slots=True)
class Job:
    """One drive to simulate and write."""

    seed: int
    session: int
    preset: Preset
    conditions: Conditions

    def sequence(self) -> SimulatedSequence:
        """Build the world and the session."""
        world = World(self.seed, self.preset.world)
        return SimulatedSequence(
            Session(world, self.session, self.conditions, self.preset.from_start),
            scan_rate_hz=self.preset.scan_rate_hz,
            cloud_rate_hz=self.preset.cloud_rate_hz,
            num_scans=self.preset.num_scans,
            num_clouds=self.preset.num_clouds,
        )

    def metadata(self) -> dict[str, Any]:
        """Return all that is needed to simulate the drive again."""
        preset = {key: value for key, value in settings_of(self.preset).items() if key != 'seeds'}
        config = {
            'seed': self.seed,
            'session': self.session,
            'preset': preset,
            'conditions': settings_of(self.conditions),
        }
        canonical = json.dumps(config, sort_keys=True).encode()
        return {
            'simulated': True,
            **config,
            'config_sha256': hashlib.sha256(canonical).hexdigest(),
            'versions': {
                'ssd_ros': __version__,
                'python': platform.python_version(),
                'numpy': np.__version__,
                'numba': version('numba'),
            },
        }


def jobs_of(
    preset_name: str,
    difficulty: str,
    *,
    seed: int | None = None,
    num_sessions: int | None = None,
    rain_mm_per_h: Sequence[float] | None = None,
    is_native: bool = False,
    world: str = 'town',
) -> list[Job]:
    """
    Return the drives of a preset.

    :param seed: the one world instead of those of the preset
    :param rain_mm_per_h: for each session, instead of the rain of the difficulty
    :param world: one of WORLD_STYLES
    :raise ValueError: there is not one rain value for each session
    """
    preset = PRESETS[preset_name]
    preset = replace(preset, world=replace(preset.world, style=world))
    num_sessions = num_sessions or preset.num_sessions
    if rain_mm_per_h is not None and len(rain_mm_per_h) != num_sessions:
        raise ValueError(
            f'rain for {len(rain_mm_per_h)} sessions is given, expected {num_sessions} values'
        )
    native = is_native or preset.is_native
    return [
        Job(
            world_seed,
            session,
            preset,
            conditions_of(
                difficulty, session, rain_mm_per_h[session] if rain_mm_per_h else None, native
            ),
        )
        for world_seed in (preset.seeds if seed is None else (seed,))
        for session in range(num_sessions)
    ]


def generate(
    jobs: Sequence[Job], root: Path, num_processes: int, is_fresh: bool = False
) -> list[Path]:
    """
    Write drives below a directory; one that is there with the same configuration is kept.

    :param is_fresh: simulate again what is there
    :raise ValueError: another drive stands in the way
    """
    check_working_folder(root)
    missing = [job for job in jobs if is_fresh or not _is_written(job, root)]
    for job in missing:
        check_folder(_path_of(job, root), HERCULES_FOLDER)
    if not missing:
        return [_path_of(job, root) for job in jobs]
    with progress_bar('simulate', 'frame') as progress:
        run_jobs(missing, partial(_write, root), num_processes, progress)
    return [_path_of(job, root) for job in jobs]


def written_drives(root: Path) -> list[Path]:
    """
    Return the directories of the simulated drives below a directory.

    :raise FileNotFoundError: there are none
    """
    found = (file.parent for file in root.rglob(SIMULATION_FILE))
    # None that is being written, or whose writing was killed.
    paths = sorted(path for path in found if not path.name.startswith('.'))
    if not paths:
        raise FileNotFoundError(f'{root} holds no simulated drive (no {SIMULATION_FILE} below it)')
    return paths


def _path_of(job: Job, root: Path) -> Path:
    place = SimulatedSequence.place_of(job.seed, job.preset.world.style)
    return root / place / SimulatedSequence.number_of(job.session)


def _is_written(job: Job, root: Path) -> bool:
    path = _path_of(job, root)
    there = read_settings(path / SIMULATION_FILE)
    if 'config_sha256' not in there:  # if anything, something of the user's
        return False
    if there['config_sha256'] != job.metadata()['config_sha256']:
        raise ValueError(f'{path} holds another drive: remove it or choose another --out')
    return True


def _write(root: Path, job: Job, report: Report) -> None:
    """Write one drive."""
    sequence = job.sequence()
    total = len(sequence.cloud_stamps_ns) + len(sequence.scan_stamps_ns)
    report(0, total)
    metadata = json.dumps(job.metadata(), indent=2) + '\n'
    write_hercules(
        root, sequence.place, sequence.number, sequence, lambda _: report(1, total), metadata
    )
