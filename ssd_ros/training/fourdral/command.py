# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""
Command `distill_4dral`: a LiDAR teacher, then a student of 4D radar that learns from it.

`ssd_ros distill_4dral --cache runs/density --out runs/4dral --task r2l` trains the teacher in
OUT/teacher and the student in OUT/r2l, and writes the models of both. Killed, it goes on with the
same command; what is trained is only exported again. `--ablate 0 1 2` trains students with some of
its parts instead, `--evaluate-on DIR` asks what is trained on other caches.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from ssd_ros.cli.common.console import at_least, make_parser, run_command
from ssd_ros.training.network_config import TASKS_4DRAL
from ssd_ros.training.runs.options import add_run_options

if TYPE_CHECKING:
    from ssd_ros.evaluation.bev_cache import CachedDrive
    from ssd_ros.training.fourdral.config import FourdralConfig
    from ssd_ros.training.fourdral.terms import Row

_EXAMPLES = """\
  cache --benchmark train --config config/fourdral_small.yaml --out runs/density
  cache --benchmark validation --config config/fourdral_small.yaml --out runs/density
  distill_4dral --cache runs/density --config config/fourdral_small.yaml --out runs/4dral
  distill_4dral --cache runs/density --config config/fourdral_small.yaml --out runs/4dral \\
      --task r2l
  distill_4dral --cache runs/density --out runs/plain --teacher runs/4dral/teacher \\
      --set loss.enhancement=0 --set loss.imitation=0 --set loss.relational=0
  distill_4dral --cache runs/density --config config/fourdral_small.yaml --out runs/parts \\
      --teacher runs/4dral/teacher --task r2l --ablate 0 1 2
  distill_4dral --cache runs/density --out runs/4dral --evaluate-on validation validation_fog
"""
_TAKES = 'as long as --epochs or --minutes say, for the teacher and again for the student'
TEACHER = 'teacher'
MODELS = 'models'


@dataclass(frozen=True, slots=True)
class _Drives:
    """The cache, and how it is trained on."""

    training: list[CachedDrive]
    validation: list[CachedDrive]
    options: argparse.Namespace


def main(argv: Sequence[str] | None = None) -> int:
    """Train a LiDAR teacher and a student of 4D radar as 4DRaL does, and export both."""
    return run_command(parser(), _run, argv)


def _run(options: argparse.Namespace) -> None:
    from ssd_ros.evaluation.bev_cache import load_drives
    from ssd_ros.targets import check_working_folder
    from ssd_ros.training.fourdral.exporting import check_targets
    from ssd_ros.training.fourdral.report import report_on
    from ssd_ros.training.fourdral.terms import planned_rows
    import torch

    config = _config(options)
    if options.evaluate_on:
        for line in report_on(options.out, options.cache, options.evaluate_on, options.radius):
            print(line)
        return
    if options.teacher and config.task == 'l2l':
        raise ValueError('--teacher is for a student: task l2l trains one in OUT/teacher')
    check_working_folder(options.out)
    rows = planned_rows(config, options.out, options.ablate) if options.ablate else []
    teacher = options.teacher or options.out / TEACHER
    student = options.out / config.task
    for run in (teacher, student):
        check_targets(run, run / MODELS)
    torch.set_num_threads(config.num_threads)
    training = [
        drive
        for split in config.splits
        for drive in load_drives(options.cache / split, config.preprocessing)
    ]
    validation = load_drives(options.cache / 'validation', config.preprocessing)
    drives = _Drives(training, validation, options)
    if not options.teacher:
        is_new = _train(teacher, replace(config, task='l2l'), drives, None)
        if is_new or config.task == 'l2l' or not (teacher / MODELS).exists():
            _export(teacher, drives)
    if rows:
        _ablate(rows, drives, teacher)
    elif config.task != 'l2l':
        _train(student, config, drives, teacher)
        _export(student, drives)


def _ablate(rows: Sequence[Row], drives: _Drives, teacher: Path) -> None:
    """Train what is not trained yet, and print what each part and choice adds."""
    from ssd_ros.reports.document import markdown_of, Section
    from ssd_ros.training.export.models import EVALUATION
    from ssd_ros.training.fourdral.exporting import evaluate_run
    from ssd_ros.training.fourdral.terms import tables_of
    from ssd_ros.training.fourdral.trainer import FourdralRun, trained_network

    for row in rows:
        run = FourdralRun(row.directory)
        is_new = _train(row.directory, row.config, drives, teacher)
        if is_new := is_new or not (row.directory / EVALUATION).exists():
            evaluate_run(run, trained_network(run)[0], drives.validation)
        if is_new or row is rows[-1]:
            print(markdown_of([Section('', tables_of(rows))]), end='', flush=True)


def _train(directory: Path, config: FourdralConfig, drives: _Drives, teacher: Path | None) -> bool:
    """Train one run, or go on with it; return whether there was anything to do."""
    from ssd_ros.evaluation.scores.results import origin_of_drives
    from ssd_ros.training.fourdral.frames import FrameSampler
    from ssd_ros.training.fourdral.trainer import FourdralRun, FourdralTrainer, trained_network
    from ssd_ros.training.runs.distributed import own_device
    from ssd_ros.training.runs.train import description, train

    options, run = drives.options, FourdralRun(directory)
    begun_at = run.last_step
    sampler = FrameSampler(drives.training, config)
    network = None if teacher is None else trained_network(FourdralRun(teacher))[0]
    with run.locked():
        origin = origin_of_drives(drives.training)
        run.start(config, description(drives.training), sampler.num_queries, teacher, origin)
        steps = sampler.steps_per_epoch
        print(f'{directory}: {sampler.num_queries} queries, {steps} steps an epoch')
        device = own_device(options.device)
        trainer = FourdralTrainer(config, steps, network, device)
        validate = partial(trainer.recall, drives.validation)
        budget_s = 60 * options.minutes if options.minutes else None
        train(
            run, trainer, sampler.draw, validate, budget_s, 60 * options.save_minutes,
            options.validations,
        )  # fmt: skip
    return run.last_step > begun_at


def _export(directory: Path, drives: _Drives) -> None:
    """Write the models of a run, and print what is known of them."""
    from ssd_ros.training.fourdral.exporting import export
    from ssd_ros.training.fourdral.trainer import FourdralRun

    for line in export(
        FourdralRun(directory),
        drives.training,
        drives.validation,
        directory / MODELS,
        drives.options.components,
    ):
        print(line)


def parser() -> argparse.ArgumentParser:
    """Return the parser of the command line."""
    result = make_parser(
        'distill_4dral', ' '.join((main.__doc__ or '').split()), _EXAMPLES, _TAKES
    )
    add_run_options(result, 'loss.divergence=channel', 'keep the best weights')
    add = result.add_argument
    add('--config', type=Path, help='YAML file, such as config/fourdral_small.yaml')
    add('--task', choices=TASKS_4DRAL, help='4D radar in 4D radar or in LiDAR; l2l: the teacher')
    add('--teacher', type=Path, metavar='RUN', help='a trained one (trained in OUT/teacher)')
    add('--epochs', type=at_least(int, 1))
    add(
        '--ablate',
        type=at_least(int, 0),
        nargs='+',
        default=[],
        metavar='SEED',
        help='train students of the task with none, some and all of its parts instead, and with '
        'one of its choices undone, one of each for every seed, in OUT/TASK_NAME_SEED, and print '
        'what each part and each choice adds',
    )
    add(
        '--evaluate-on',
        nargs='+',
        default=[],
        metavar='SPLIT',
        help='only ask what is trained in OUT on these splits of the cache, other sessions, and '
        'print it beside what the paper reports',
    )
    add(
        '--radius',
        type=at_least(float, 0.1),
        default=25.0,
        metavar='METRES',
        help='of --evaluate-on: within which an answer is right (%(default)s)',
    )
    add(
        '--components',
        type=at_least(int, 0),
        default=512,
        help='numbers of a descriptor of the exported models, 0 for all (%(default)s)',
    )
    return result


def _config(options: argparse.Namespace) -> FourdralConfig:
    """Return the configuration of the file with the options of the command line."""
    from ssd_ros.training.config import record_from_yaml
    from ssd_ros.training.fourdral.config import FourdralConfig
    from ssd_ros.training.runs.overrides import with_settings

    config = FourdralConfig()
    if options.config:
        config = record_from_yaml(options.config, FourdralConfig)
    named = {
        'task': options.task,
        'optimiser.num_epochs': options.epochs,
        'seed': options.seed,
        'num_threads': options.threads,
    }
    settings = [f'{name}={value}' for name, value in named.items() if value is not None]
    return with_settings(config, [*settings, *options.set])
