# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Training in a run folder: step, log, save, go on."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from functools import partial
from pathlib import Path
import time
from typing import Any, TypeVar

from ssd_ros.data_origin import radar_of
from ssd_ros.evaluation.bev_cache import CachedDrive, load_drives
from ssd_ros.evaluation.queries.protocol import QUICK
from ssd_ros.evaluation.scores.results import origin_of_drives
from ssd_ros.training.batches.loader import drawn_ahead
from ssd_ros.training.batches.pairs import PlaceSampler
from ssd_ros.training.config import TrainingConfig
from ssd_ros.training.runs.distributed import from_first, is_first
from ssd_ros.training.runs.folder import Run, RunFolder
from ssd_ros.training.runs.memory import keep_freed_memory
from ssd_ros.training.runs.monitor import monitored, Validate
from ssd_ros.training.runs.stepper import Stepper
from ssd_ros.training.runs.trainer import Trainer
import torch

NUM_VALIDATIONS = 10
MAX_NAMED_WORLDS = 20  # more are counted by kind

Batch = TypeVar('Batch')


def train(
    run: RunFolder[Any],
    trainer: Stepper[Batch],
    draw: Callable[[int], Batch],
    validate: Validate | None,
    budget_s: float | None,
    save_every_s: float,
    num_validations: int = NUM_VALIDATIONS,
) -> None:
    """
    Step until the number of steps, or the time if one is given, is used up.

    :param draw: batch number so and so, which depends on nothing else
    :param validate: None for a run without validation
    :param budget_s: of training, over all processes that went on with the run
    :param save_every_s: between checkpoints
    :param num_validations: over the whole run
    """
    keep_freed_memory()
    if state := run.load_checkpoint():
        trainer.load_state(state)

    def progress() -> float:
        if budget_s is None:
            return trainer.num_steps / trainer.total_steps
        return trainer.elapsed_s / budget_s

    with ExitStack() as stack:
        monitor = None
        if is_first():
            run.forget_after(trainer.num_steps)
            monitor = stack.enter_context(
                monitored(run, trainer, validate, progress(), save_every_s, num_validations)
            )
        batches = stack.enter_context(drawn_ahead(draw, trainer.num_steps))
        while progress() < 1:
            begin = time.monotonic()
            batch = next(batches)
            loading_s = time.monotonic() - begin
            values = trainer.step(batch, progress())
            step_s = time.monotonic() - begin
            trainer.elapsed_s = from_first(trainer.elapsed_s + step_s, trainer.device)
            if monitor:
                monitor.after_step(progress(), step_s=step_s, loading_s=loading_s, **values)


def train_in_folder(
    run: Run,
    config: TrainingConfig,
    cache: Path,
    device: torch.device,
    start_from: Path | None = None,
    budget_s: float | None = None,
    save_every_s: float = 120.0,
    num_validations: int = NUM_VALIDATIONS,
) -> None:
    """
    Train a run, or go on with it, from the drives of a cache.

    :param cache: holds the splits to train on and validation/
    :param start_from: folder of the run whose weights to start from
    :param num_validations: times to log recall on the validation drives, 0 for never
    """
    torch.set_num_threads(config.num_threads)
    drives = training_drives(cache, config)
    validation = load_drives(cache / 'validation', config.preprocessing) if num_validations else []
    sampler = PlaceSampler(drives, config)
    if is_first():
        origin = origin_of_drives(drives)
        run.start(config, description(drives), sampler.num_places, start_from, origin)
        print(f'{len(drives)} drives, {sampler.num_places} places; run folder {run.directory}')
    trainer = Trainer(config, device)
    if start_from:
        trainer.load_weights(Run(start_from))
    validate = partial(trainer.recall, validation, QUICK) if validation else None
    train(run, trainer, sampler.draw, validate, budget_s, save_every_s, num_validations)


def training_drives(cache: Path, config: TrainingConfig) -> list[CachedDrive]:
    """Return the drives of a cache to train on, those of the first worlds if so many are set."""
    drives = [
        drive
        for split in config.splits
        for drive in load_drives(cache / split, config.preprocessing, any_window=True)
    ]
    worlds = sorted({drive.world for drive in drives})[: config.max_worlds or None]
    return [drive for drive in drives if drive.world in worlds]


def description(drives: Sequence[CachedDrive]) -> str:
    """Return what a run was trained on, for its folder and the model card."""
    worlds = sorted({drive.world for drive in drives})
    radar = radar_of(origin_of_drives(drives))
    if len(worlds) <= MAX_NAMED_WORLDS:
        return f'{radar}, training worlds {", ".join(worlds)}'
    kinds = Counter(world.rstrip('_0123456789') for world in worlds)
    counted = ', '.join(f'{number} {kind}' for kind, number in kinds.items())
    return f'{radar}, {len(worlds)} training worlds: {counted}'
