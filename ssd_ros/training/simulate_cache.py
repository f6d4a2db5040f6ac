# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""
Simulate the worlds of training or validation straight into the BEV cache.

`python -m ssd_ros.training.simulate_cache --worlds train --out runs/cache/train --jobs 2`. The
worlds of the test and the demo cannot be asked for.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from concurrent.futures import as_completed, ProcessPoolExecutor
from dataclasses import dataclass, replace
import multiprocessing
import os
from pathlib import Path
import sys

from ssd_ros.preprocessing import PreprocessingConfig
from ssd_ros.simulator.config import Conditions, TRAIN_SEEDS, VALIDATION_SEEDS, WorldConfig
from ssd_ros.simulator.sequence import SimulatedSequence
from ssd_ros.simulator.session import Session
from ssd_ros.simulator.world import World
from ssd_ros.training.bev_cache import cache_drive, is_cached, Spacing
from ssd_ros.training.config import load_config, TrainingConfig
from tqdm import tqdm

_DEFAULT = Conditions()
# Session 0 makes the map; 2 comes in the rain, in winter, with a radar remounted askew.
SESSIONS = (
    _DEFAULT,
    _DEFAULT,
    replace(_DEFAULT, rain_mm_per_h=8.0, leaf_db=-4.0, cloud_gain_db=-1.5, cloud_yaw_deg=0.5),
)


@dataclass(frozen=True, slots=True)
class DriveTask:
    """One drive to simulate."""

    seed: int
    session: int
    spacing: Spacing

    @property
    def directory_name(self) -> str:
        """Where it goes in the cache."""
        return f'{self.seed:04d}_{self.session}'


def training_tasks(num_worlds: int, num_sessions: int) -> list[DriveTask]:
    """Return the drives of training: every sensor everywhere."""
    spacing = Spacing(student_m=2.0, panorama_m=2.0)
    return [
        DriveTask(seed, session, spacing)
        for seed in TRAIN_SEEDS[:num_worlds]
        for session in range(num_sessions)
    ]


def validation_tasks(num_worlds: int, num_sessions: int) -> list[DriveTask]:
    """Return the drives of validation: session 0 is the map, all are queried."""
    first = Spacing(student_m=4.0, panorama_m=2.0)
    return [
        DriveTask(seed, session, first if session == 0 else replace(first, panorama_m=None))
        for seed in VALIDATION_SEEDS[:num_worlds]
        for session in range(num_sessions)
    ]


def simulate_drive(task: DriveTask, directory: Path, preprocessing: PreprocessingConfig) -> str:
    """Simulate one drive into the cache and return its name."""
    session = Session(World(task.seed, WorldConfig()), task.session, SESSIONS[task.session])
    sequence = SimulatedSequence(session)
    cache_drive(sequence, directory / task.directory_name, preprocessing, task.spacing)
    return sequence.name


def simulate_all(
    tasks: Sequence[DriveTask], directory: Path, preprocessing: PreprocessingConfig, num_jobs: int
) -> int:
    """Simulate the drives that are not in the cache yet, and return how many these were."""
    missing = [
        task
        for task in tasks
        if not is_cached(directory / task.directory_name, preprocessing, task.spacing)
    ]
    # Fresh processes: a fork of one that has started threads may hang.
    context = multiprocessing.get_context('spawn')
    with ProcessPoolExecutor(num_jobs, mp_context=context) as pool:
        futures = [pool.submit(simulate_drive, task, directory, preprocessing) for task in missing]
        with tqdm(total=len(tasks), initial=len(tasks) - len(missing), unit='drive') as bar:
            for future in as_completed(futures):
                bar.set_postfix_str(future.result())
                bar.update()
    return len(missing)


def main(argv: list[str] | None = None) -> int:
    """Fill a cache; drives that are in it already are left alone."""
    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument('--worlds', choices=('train', 'validation'), required=True)
    parser.add_argument('--out', type=Path, required=True, help='directory of the cache')
    parser.add_argument('--num-worlds', type=int, help='default: 10 to train, 2 to validate')
    parser.add_argument('--num-sessions', type=int, help='default: 2 to train, 3 to validate')
    parser.add_argument('--config', type=Path, help='YAML with the preprocessing of the training')
    parser.add_argument('--jobs', type=int, default=os.cpu_count(), help='processes')
    options = parser.parse_args(argv)
    try:
        config = load_config(options.config) if options.config else TrainingConfig()
        if options.worlds == 'train':
            tasks = training_tasks(options.num_worlds or 10, options.num_sessions or 2)
        else:
            tasks = validation_tasks(options.num_worlds or 2, options.num_sessions or 3)
        num_new = simulate_all(tasks, options.out, config.preprocessing, options.jobs)
    except (ValueError, OSError) as error:
        print(f'simulate_cache: {error}', file=sys.stderr)
        return 1
    print(f'{options.out}: {len(tasks)} drives, {num_new} of them new')
    return 0


if __name__ == '__main__':
    raise SystemExit(main())
