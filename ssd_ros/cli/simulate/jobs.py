# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Writing simulated drives, several at a time, with what is needed to make them again."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
import hashlib
from importlib.metadata import version
import json
import math
from pathlib import Path
import platform
from typing import Any

import numpy as np
from ssd_ros import __version__
from ssd_ros.cli.common.parallel import Report, run_jobs
from ssd_ros.cli.common.progress import progress_bar
from ssd_ros.cli.common.settings_file import read_settings
from ssd_ros.datasets.formats.boreas_writer import BOREAS_FOLDER, write_boreas
from ssd_ros.datasets.formats.hercules import HERCULES_FOLDER, SIMULATION_FILE, write_hercules
from ssd_ros.records import settings_of
from ssd_ros.simulator.config import Conditions, conditions_of, in_weather, Preset, PRESETS
from ssd_ros.simulator.recordings.sequence import SimulatedSequence
from ssd_ros.simulator.scene.world import World
from ssd_ros.simulator.sensors import LIDARS
from ssd_ros.simulator.visits.session import Session
from ssd_ros.targets import check_folder, check_working_folder

LIDAR_RATE_HZ = 2.0
LAYOUTS = {'hercules': HERCULES_FOLDER, 'boreas': BOREAS_FOLDER}


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
            lidar_rate_hz=self.preset.lidar_rate_hz,
            num_lidar_scans=self.preset.num_lidar_scans,
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
    weather: Sequence[str] | None = None,
    lidar: str | None = None,
    lidar_rate_hz: float = LIDAR_RATE_HZ,
) -> list[Job]:
    """
    Return the drives of a preset.

    :param seed: the one world instead of those of the preset
    :param rain_mm_per_h: for each session, instead of the rain of the difficulty
    :param world: one of WORLD_STYLES
    :param weather: one of WEATHERS for each session, instead of that of the difficulty
    :param lidar: one of LIDARS; None = the drives have none
    :raise ValueError: there is not one rain value, or weather, for each session, or both are given
    """
    preset = PRESETS[preset_name]
    preset = replace(preset, world=replace(preset.world, style=world))
    if lidar is not None:
        preset = _with_lidar(preset, lidar_rate_hz)
    num_sessions = num_sessions or preset.num_sessions
    for what, values in (('rain', rain_mm_per_h), ('weather', weather)):
        if values is not None and len(values) != num_sessions:
            raise ValueError(
                f'{what} for {len(values)} sessions is given, expected {num_sessions} values'
            )
    if rain_mm_per_h is not None and weather is not None:
        raise ValueError('rain and weather are given: choose one')
    native = is_native or preset.is_native

    def conditions(session: int) -> Conditions:
        rain = rain_mm_per_h[session] if rain_mm_per_h else None
        result = conditions_of(difficulty, session, rain, native)
        if weather is not None:
            result = in_weather(result, weather[session])
        return result if lidar is None else replace(result, lidar=LIDARS[lidar])

    return [
        Job(world_seed, session, preset, conditions(session))
        for world_seed in (preset.seeds if seed is None else (seed,))
        for session in range(num_sessions)
    ]


def _with_lidar(preset: Preset, rate_hz: float) -> Preset:
    """Return the preset with a LiDAR that scans for as long as the 4D radar."""
    num = preset.num_clouds
    num_scans = None if num is None else math.ceil(num * rate_hz / preset.cloud_rate_hz)
    return replace(preset, lidar_rate_hz=rate_hz, num_lidar_scans=num_scans)


def generate(
    jobs: Sequence[Job],
    root: Path,
    num_processes: int,
    is_fresh: bool = False,
    layout: str = 'hercules',
) -> list[Path]:
    """
    Write drives below a directory; one that is there with the same configuration is kept.

    :param is_fresh: simulate again what is there
    :param layout: one of LAYOUTS
    :raise ValueError: another drive stands in the way
    """
    check_working_folder(root)
    paths = [_path_of(job, root, layout) for job in jobs]
    missing = [
        (job, path, layout)
        for job, path in zip(jobs, paths, strict=True)
        if is_fresh or not _is_written(job, path)
    ]
    for _, path, _ in missing:
        check_folder(path, LAYOUTS[layout])
    if missing:
        with progress_bar('simulate', 'frame') as progress:
            run_jobs(missing, _write, num_processes, progress)
    return paths


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


def _path_of(job: Job, root: Path, layout: str) -> Path:
    place = SimulatedSequence.place_of(job.seed, job.preset.world.style)
    number = SimulatedSequence.number_of(job.session)
    return root / (f'{place}/{number}' if layout == 'hercules' else f'boreas-{place}-{number}')


def _is_written(job: Job, path: Path) -> bool:
    there = read_settings(path / SIMULATION_FILE)
    if 'config_sha256' not in there:  # if anything, something of the user's
        return False
    if there['config_sha256'] != job.metadata()['config_sha256']:
        raise ValueError(f'{path} holds another drive: remove it or choose another --out')
    return True


def _write(work: tuple[Job, Path, str], report: Report) -> None:
    """Write one drive: what to simulate, where and in which layout."""
    job, path, layout = work
    sequence = job.sequence()
    total = len(sequence.scan_stamps_ns) + len(sequence.lidar_stamps_ns)
    total += len(sequence.cloud_stamps_ns) if layout == 'hercules' else 0
    report(0, total)
    metadata = json.dumps(job.metadata(), indent=2) + '\n'
    if layout == 'boreas':
        write_boreas(path, sequence, lambda: report(1, total), metadata)
        return
    root = path.parents[1]
    write_hercules(
        root, sequence.place, sequence.number, sequence, lambda _: report(1, total), metadata
    )
