# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""
Command `train`: teacher and student, trained on cached drives.

`ssd_ros train --cache runs/cache --out runs/edge --minutes 60`. Killed, it goes on from its last
checkpoint with the same command. It says how recall on the validation worlds comes along and
whether it is flat; curves.png in the run folder shows it.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from contextlib import nullcontext
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from ssd_ros.cli.common.console import at_least, make_parser, run_command
from ssd_ros.training.network_config import NETWORKS
from ssd_ros.training.runs.options import add_run_options
from ssd_ros.training.schemes import SCHEMES

if TYPE_CHECKING:
    from ssd_ros.training.config import TrainingConfig

_EXAMPLES = """\
  train --cache runs/cache --out runs/mine --minutes 60
  train --cache runs/cache --out runs/ssd --scheme ssd --steps 2000 --set distillation.tau=0.1
  train --cache runs/cache --out runs/second --start-from runs/mine --seed 1
  train --config config/training_wide.yaml --cache runs/cache --out runs/wide --validations 20
  torchrun --nproc-per-node 4 -m ssd_ros train --cache runs/cache --out runs/mine
"""
_TAKES = 'as long as --minutes or --steps say; the shipped models took 78 minutes of a core'


def main(argv: Sequence[str] | None = None) -> int:
    """Train teacher and student, or go on with an interrupted run."""
    return run_command(parser(), _run, argv)


def _run(options: argparse.Namespace) -> None:
    from ssd_ros.training.runs.distributed import is_first, own_device, process_group
    from ssd_ros.training.runs.folder import Run
    from ssd_ros.training.runs.train import train_in_folder

    config, device, run = _config(options), own_device(options.device), Run(options.out)
    budget_s = 60 * options.minutes if options.minutes else None
    save_every_s = 60 * options.save_minutes
    with process_group(device), run.locked() if is_first() else nullcontext():
        train_in_folder(
            run,
            config,
            options.cache,
            device,
            options.start_from,
            budget_s,
            save_every_s,
            num_validations=0 if options.no_validation else options.validations,
        )


def parser() -> argparse.ArgumentParser:
    """Return the parser of the command line."""
    result = make_parser('train', main.__doc__ or '', _EXAMPLES, _TAKES)
    add_run_options(result, 'batch.num_places=16', 'say whether it still rises')
    add = result.add_argument
    add('--start-from', type=Path, metavar='RUN', help='run folder whose weights to start from')
    add('--config', type=Path, help='YAML file (config/training.yaml)')
    add('--network', choices=NETWORKS, help='sizes by name')
    add('--scheme', choices=SCHEMES, help='what is distilled')
    add('--steps', type=at_least(int, 1), help='end the schedule after so many steps')
    add('--no-validation', action='store_true', help='log no recall: it costs a slow network most')
    return result


def _config(options: argparse.Namespace) -> TrainingConfig:
    """Return the configuration of the file with the options of the command line."""
    from ssd_ros.shared_files import shared_file
    from ssd_ros.training.config import load_config
    from ssd_ros.training.runs.overrides import with_settings

    config = load_config(options.config or shared_file('config/training.yaml'))
    if options.network:
        config = replace(config, network=NETWORKS[options.network])
    named = {
        'distillation.scheme': options.scheme,
        'optimiser.num_steps': options.steps,
        'seed': options.seed,
        'num_threads': options.threads,
    }
    settings = [f'{name}={value}' for name, value in named.items() if value is not None]
    return with_settings(config, [*settings, *options.set])
