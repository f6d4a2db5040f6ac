# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The evaluation of a trained run on a split of cached drives, kept in its folder."""

from __future__ import annotations

from pathlib import Path

from ssd_ros.evaluation.bev_cache import load_drives
from ssd_ros.evaluation.judging.encoders import evaluate
from ssd_ros.evaluation.queries.protocol import Protocol
from ssd_ros.evaluation.scores.results import Evaluation, origin_of_drives, write_evaluation
from ssd_ros.training.networks.encoding import torch_encoders
from ssd_ros.training.runs.folder import Run
from ssd_ros.training.runs.trainer import Trainer
import torch

TASKS = ('single', 'multi')


def evaluation_path(directory: Path, split: str) -> Path:
    """Return where a run's evaluation on a split is kept."""
    return directory / ('evaluation.json' if split == 'validation' else f'evaluation_{split}.json')


def evaluate_run(run: Run, drives: Path) -> None:
    """
    Evaluate the networks of a run and write the answers to all queries into its folder.

    :param drives: directory of cached drives; its name is that of the split
    :raise ValueError: the run has no checkpoint
    """
    config = run.config
    if (state := run.load_checkpoint()) is None:
        raise ValueError(f'{run.directory} has no checkpoint to evaluate')
    torch.set_num_threads(config.num_threads)
    trainer = Trainer(config)
    trainer.load_state(state)
    protocol = Protocol(num_views=config.network.num_views)
    cached = load_drives(drives, config.preprocessing)
    encoders = torch_encoders(trainer.networks, config.bfloat16, config.max_returns)
    results = evaluate(cached, encoders, protocol, tasks=TASKS)
    settings = {
        'scheme': config.distillation.scheme,
        'seed': str(config.seed),
        'step': str(trainer.num_steps),
        'split': drives.name,
    }
    path = evaluation_path(run.directory, drives.name)
    write_evaluation(path, Evaluation(protocol, origin_of_drives(cached), results, settings))
