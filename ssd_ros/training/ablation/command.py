# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""
Compare distillation schemes, everything else the same.

Each scheme and seed is a run folder of its own. Runs of one seed share initial weights, batches,
augmentation and number of steps.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from ssd_ros.cli.common.console import at_least, make_parser, run_command, usable_cores

_EXAMPLES = """\
  ablate --config config/ablation.yaml --cache runs/cache --out runs/ablate
  ablate --config config/ablation.yaml --cache runs/cache --out runs/ablate \\
      --sweep gap_weight=0,0.02,0.05,0.1,0.2,0.5,1
  ablate --out runs/ablate --evaluate-on runs/cache/test
"""
_TAKES = 'a training run for each scheme and seed, --jobs of them at once; finished ones are kept'


def main(argv: list[str] | None = None) -> int:
    """
    Train every scheme with every seed and compare them; interrupted, go on with the same command.

    Rows that are finished are kept. The table and the page of all finished rows of --out are
    written after each one.
    """
    return run_command(parser(), _run, argv)


def _run(options: argparse.Namespace) -> None:
    # Every process of an ablation reads this module again when it starts, and must not mix what
    # it imports with the code that was loaded when the command began.
    from ssd_ros.training.ablation.study import run

    run(options)


def parser() -> argparse.ArgumentParser:
    """Return the parser of the command line."""
    result = make_parser('ablate', ' '.join((main.__doc__ or '').split()), _EXAMPLES, _TAKES)
    add = result.add_argument
    add('--out', type=Path, required=True, help='folder of the runs, the table, the page')
    add('--cache', type=Path, help='holds the splits to train on and validation/')
    add('--config', type=Path, help='YAML file (config/ablation.yaml)')
    add('--schemes', nargs='+', metavar='SCHEME', help='all, or ssd alone in a sweep')
    add('--seeds', nargs='+', type=at_least(int, 0), default=[0, 1, 2], help='(0 1 2)')
    add('--jobs', type=at_least(int, 1), default=usable_cores(), help='at once (%(default)s)')
    add(
        '--set',
        action='append',
        default=[],
        metavar='OPTION=VALUE',
        help='any option of the configuration, such as batch.num_places=16; repeatable',
    )
    add(
        '--sweep',
        action='append',
        default=[],
        metavar='OPTION=VALUES',
        help='a row for each value, such as tau=0.02,0.05,0.1; repeatable',
    )
    start = result.add_mutually_exclusive_group()
    start.add_argument('--start-from', type=Path, metavar='RUN', help='weights to start from')
    start.add_argument(
        '--teacher', type=Path, metavar='RUN', help='whose teacher and pooling to keep, frozen'
    )
    add('--evaluate-on', type=Path, metavar='DIR', help='only evaluate finished rows on a split')
    return result
