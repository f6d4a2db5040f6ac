# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""
Train teacher and student on cached drives.

`python -m ssd_ros.training.train --cache runs/cache --out runs/edge --minutes 60`. Killed, it goes
on from its last checkpoint with the same command. On Linux MALLOC_MMAP_MAX_=0 and
MALLOC_TRIM_THRESHOLD_=8000000000 in the environment keep memory from going back to the system at
every step, which saved 15 % of the time.
"""

from __future__ import annotations

import argparse
from dataclasses import replace
import math
from pathlib import Path
import sys
import time
from typing import Any

from ssd_ros.training.bev_cache import CachedDrive, load_drives
from ssd_ros.training.config import load_config, NETWORKS, OptimiserConfig, TrainingConfig
from ssd_ros.training.curves import plot_curves
from ssd_ros.training.encoding import torch_encode
from ssd_ros.training.networks import TeacherStudent
from ssd_ros.training.objective import objective
from ssd_ros.training.pairs import Batch, PlaceSampler
from ssd_ros.training.run import Run
from ssd_ros.training.validate import evaluate, mean_recall, Protocol, QUICK
import torch
from tqdm import tqdm


class Trainer:
    """Networks and optimiser, one step at a time."""

    def __init__(self, config: TrainingConfig) -> None:
        self.config = config
        self.networks = TeacherStudent(config.network, config.seed)
        self.networks.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        self.optimiser = torch.optim.AdamW(
            self.networks.parameters(),
            lr=config.optimiser.learning_rate,
            weight_decay=config.optimiser.weight_decay,
        )
        self.num_steps = 0
        self.elapsed_s = 0.0

    def step(self, batch: Batch, progress: float) -> dict[str, float]:
        """
        Take one step.

        :param progress: share of the run that is over, in [0, 1]
        """
        config = self.config
        rate = learning_rate(config.optimiser, progress)
        for group in self.optimiser.param_groups:
            group['lr'] = rate
        self.networks.train()
        with torch.autocast('cpu', torch.bfloat16, enabled=config.bfloat16):
            result = objective(self.networks, batch, config.batch, config.loss, self.num_steps)
        self.optimiser.zero_grad(set_to_none=True)
        result.loss.backward()
        self.optimiser.step()
        self.num_steps += 1
        return {
            'loss': result.loss.item(),
            'accuracy': result.accuracy.item(),
            'learning_rate': rate,
        }

    def state(self) -> dict[str, Any]:
        """Return all that a later process needs to go on exactly."""
        return {
            'networks': self.networks.state_dict(),
            'optimiser': self.optimiser.state_dict(),
            'num_steps': self.num_steps,
            'elapsed_s': self.elapsed_s,
        }

    def load_state(self, state: dict[str, Any]) -> None:
        """Go on from a state."""
        self.networks.load_state_dict(state['networks'])
        self.optimiser.load_state_dict(state['optimiser'])
        self.num_steps, self.elapsed_s = state['num_steps'], state['elapsed_s']

    def load_weights(self, run: Run) -> None:
        """
        Start from the weights of another run; parts that it lacked keep their initial ones.

        :raise ValueError: it has parts that this network lacks
        """
        if (state := run.load_checkpoint()) is None:
            raise ValueError(f'{run.directory} has no checkpoint to start from')
        unknown = self.networks.load_state_dict(state['networks'], strict=False).unexpected_keys
        if unknown:
            raise ValueError(f'{run.directory} has weights that this network lacks: {unknown[0]}')

    def recall(self, drives: list[CachedDrive], protocol: Protocol) -> dict[str, float]:
        """Return the mean R@1 on validation worlds."""
        student, teacher = (
            torch_encode(self.networks.encoder(sensor), self.config.bfloat16)
            for sensor in ('4d', 'spinning')
        )
        grid = self.config.preprocessing.grid
        results = evaluate(drives, student, teacher, grid, protocol)
        return {
            'single_session': mean_recall(results, multi_session=False),
            'multi_session': mean_recall(results, multi_session=True),
        }


def learning_rate(config: OptimiserConfig, progress: float) -> float:
    """Return a rise from 0, then half a cosine down to the final rate."""
    if progress < config.warmup:
        return config.learning_rate * progress / config.warmup
    falling = (progress - config.warmup) / (1 - config.warmup)
    span = config.learning_rate - config.final_learning_rate
    return config.final_learning_rate + span * (1 + math.cos(math.pi * falling)) / 2


def train(
    run: Run,
    trainer: Trainer,
    sampler: PlaceSampler,
    validation: list[CachedDrive],
    budget_s: float | None,
    save_every_s: float,
) -> None:
    """
    Step until the number of steps, or the time if one is given, is used up.

    :param budget_s: of training, over all processes of the run
    :param save_every_s: between checkpoints; every third one is validated
    """
    if state := run.load_checkpoint():
        trainer.load_state(state)

    def progress() -> float:
        if budget_s is None:
            return trainer.num_steps / trainer.config.optimiser.num_steps
        return trainer.elapsed_s / budget_s

    num_saved, last_save_s = 0, trainer.elapsed_s
    with tqdm(total=100, unit='%', initial=round(100 * progress(), 2)) as bar:
        while progress() < 1:
            begin = time.monotonic()
            batch = sampler.draw(trainer.num_steps)
            loading_s = time.monotonic() - begin
            values = trainer.step(batch, progress())
            step_s = time.monotonic() - begin
            trainer.elapsed_s += step_s
            if trainer.num_steps % 10 == 0:
                run.log(
                    step=trainer.num_steps,
                    elapsed_s=round(trainer.elapsed_s, 1),
                    step_s=round(step_s, 3),
                    loading_share=round(loading_s / step_s, 3),
                    **values,
                )
            bar.set_postfix(step=trainer.num_steps, **{k: f'{values[k]:.3g}' for k in values})
            bar.update(min(100.0, 100 * progress()) - bar.n)
            if trainer.elapsed_s - last_save_s > save_every_s or progress() >= 1:
                run.save_checkpoint(trainer.state())
                num_saved, last_save_s = num_saved + 1, trainer.elapsed_s
                if validation and (num_saved % 3 == 0 or progress() >= 1):
                    recall = trainer.recall(validation, QUICK)
                    run.log(step=trainer.num_steps, **recall)
                    bar.write(f'step {trainer.num_steps}: {recall}')
                    plot_curves(run)


def main(argv: list[str] | None = None) -> int:
    """Train teacher and student, or go on with an interrupted run."""
    options = _parser().parse_args(argv)
    try:
        config = _config(options)
        torch.set_num_threads(config.num_threads)
        drives = load_drives(options.cache / 'train', config.preprocessing)
        validation = load_drives(options.cache / 'validation', config.preprocessing)
        run = Run(options.out)
        names = ', '.join(sorted({drive.world for drive in drives}))
        run.start(config, f'simulated radar, training worlds {names}', options.start_from)
        sampler = PlaceSampler(drives, config)
        print(f'{len(drives)} drives, {sampler.num_places} places; run folder {options.out}')
        budget_s = 60 * options.minutes if options.minutes else None
        trainer = Trainer(config)
        if options.start_from:
            trainer.load_weights(Run(options.start_from))
        train(run, trainer, sampler, validation, budget_s, 60 * options.save_minutes)
    except (ValueError, OSError) as error:
        print(f'train: {error}', file=sys.stderr)
        return 1
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument('--cache', type=Path, required=True, help='holds train/ and validation/')
    parser.add_argument('--out', type=Path, required=True, help='run folder, new or to go on with')
    parser.add_argument('--start-from', type=Path, help='run folder whose weights to start from')
    parser.add_argument('--config', type=Path, help='YAML file, such as config/training.yaml')
    parser.add_argument('--network', choices=NETWORKS, help='sizes by name')
    parser.add_argument('--loss', choices=('infonce', 'triplet'))
    parser.add_argument('--minutes', type=float, help='end the schedule after this time')
    parser.add_argument('--steps', type=int, help='end the schedule after so many steps')
    parser.add_argument('--seed', type=int)
    parser.add_argument('--threads', type=int)
    parser.add_argument('--save-minutes', type=float, default=2.0, help='between checkpoints')
    return parser


def _config(options: argparse.Namespace) -> TrainingConfig:
    """Return the configuration of the file with the options of the command line."""
    config = load_config(options.config) if options.config else TrainingConfig()
    if options.network:
        config = replace(config, network=NETWORKS[options.network])
    if options.loss:
        config = replace(config, loss=replace(config.loss, name=options.loss))
    if options.steps:
        config = replace(config, optimiser=replace(config.optimiser, num_steps=options.steps))
    if options.seed is not None:
        config = replace(config, seed=options.seed)
    if options.threads:
        config = replace(config, num_threads=options.threads)
    return config


if __name__ == '__main__':
    raise SystemExit(main())
