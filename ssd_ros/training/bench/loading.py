# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""
How long a training step waits for its data.

`python -m ssd_ros.training.bench.loading` trains the edge network on random images with one
thread and prints a JSON list: the milliseconds that each step waited, and that it took in all.
The command `bench` starts it as its own process, because only training may import torch.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
import json
import sys
import time

import numpy as np
from ssd_ros.bev.polar_bev import PolarGrid
from ssd_ros.evaluation.bev_cache import CachedDrive
from ssd_ros.training.batches.loader import drawn_ahead
from ssd_ros.training.batches.pairs import PlaceSampler
from ssd_ros.training.config import TrainingConfig
from ssd_ros.training.runs.trainer import Trainer
import torch

_NUM_STEPS = 6
_NUM_PLACES = 80
_STEP_NS = 100_000_000


def main(argv: Sequence[str] | None = None) -> int:
    """Time the steps of a short training run."""
    torch.set_num_threads(1)
    print(json.dumps(times_ms(replace(TrainingConfig(), num_threads=1), _NUM_STEPS)))
    return 0


def times_ms(config: TrainingConfig, num_steps: int) -> tuple[list[float], list[float]]:
    """Return the milliseconds of waiting and of the whole step, for each step but the first."""
    grid = config.preprocessing.grid
    drives = [random_drive(world, grid) for world in range(config.batch.num_worlds)]
    trainer = Trainer(config)
    waiting_ms, whole_ms = [], []
    with drawn_ahead(PlaceSampler(drives, config).draw, 0) as batches:
        for _ in range(num_steps + 1):
            start = time.perf_counter()
            batch = next(batches)
            waited = time.perf_counter()
            trainer.step(batch, progress=0.5)
            waiting_ms.append((waited - start) * 1e3)
            whole_ms.append((time.perf_counter() - start) * 1e3)
    return waiting_ms[1:], whole_ms[1:]


def random_drive(world: int, grid: PolarGrid) -> CachedDrive:
    """Return a straight drive whose images have returns in a tenth of the cells."""
    rng = np.random.default_rng(world)
    poses = np.zeros((_NUM_PLACES, 3))
    poses[:, 0] = 2.0 * np.arange(_NUM_PLACES)
    stamps_ns = np.arange(_NUM_PLACES) * _STEP_NS
    bevs, panoramas = (
        (rng.integers(0, 256, shape) * (rng.random(shape) < 0.1)).astype(np.uint8)
        for shape in (
            (_NUM_PLACES, grid.num_ranges, grid.num_azimuths),
            (_NUM_PLACES, grid.num_ranges, grid.panorama_azimuths),
        )
    )
    name = f'random_{world}'
    return CachedDrive(name, f'{name}/01', bevs, poses, stamps_ns, panoramas, poses, stamps_ns)


if __name__ == '__main__':
    sys.exit(main())
