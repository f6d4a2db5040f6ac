# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The runs of an ablation: which there are, and training them beside each other."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
import faulthandler
import multiprocessing
from multiprocessing.connection import wait
from multiprocessing.context import ForkServerProcess
import os
from pathlib import Path
import threading

from ssd_ros.training.config import TrainingConfig
from ssd_ros.training.runs.evaluate_run import evaluate_run, evaluation_path
from ssd_ros.training.runs.folder import Run
from ssd_ros.training.runs.overrides import with_settings
from ssd_ros.training.runs.train import train_in_folder
import torch

LOG = 'log.txt'
_POLL_S = 5.0


@dataclass(frozen=True, slots=True)
class Row:
    """
    One run.

    :param label: of the runs that differ by their seed only
    """

    label: str
    config: TrainingConfig
    directory: Path

    @property
    def is_finished(self) -> bool:
        """Whether it is trained and evaluated."""
        return evaluation_path(self.directory, 'validation').exists()


def planned_rows(
    base: TrainingConfig,
    out: Path,
    schemes: Sequence[str],
    seeds: Sequence[int],
    sweeps: Sequence[str] = (),
) -> list[Row]:
    """
    Return a row for every scheme, value of a sweep and seed, all rows of a seed together.

    :param sweeps: such as tau=0.02,0.05 or batch.num_worlds=2,4; without a dot the option is one
        of the distillation
    :raise ValueError: a sweep or a value is wrong
    """
    variants = [
        (name, [*settings, f'distillation.scheme={scheme}'])
        for scheme in schemes
        for name, settings in ([(scheme, [])] if not sweeps else _variants(scheme, sweeps))
    ]
    return [
        Row(name, with_settings(base, [*settings, f'seed={seed}']), out / f'{name}_{seed}')
        for seed in seeds
        for name, settings in variants
    ]


def _variants(scheme: str, sweeps: Sequence[str]) -> list[tuple[str, list[str]]]:
    """Return the label and the setting of each value of each sweep."""
    found = []
    for sweep in sweeps:
        option, sign, values = sweep.partition('=')
        if not sign or not values:
            raise ValueError(f'{sweep!r} is no sweep, expected such as tau=0.02,0.05')
        path = option if '.' in option else f'distillation.{option}'
        for value in values.split(','):
            label = f'{scheme}-{option.rpartition(".")[2]}={value}'
            found.append((label, [f'{path}={value}']))
    return found


def in_processes(
    directories: Sequence[Path],
    work: Callable[[Path], None],
    num_jobs: int,
    on_progress: Callable[[], None],
) -> list[str]:
    """
    Do some work on run folders, so many at once; return the names of those where it failed.

    Each is a process of its own, forked from one that has loaded this code already: what is
    edited meanwhile does not change later ones. They print into the log of the folder and end
    when this process does.

    :param on_progress: called every few seconds and after each folder
    """
    context = multiprocessing.get_context('forkserver')
    context.set_forkserver_preload([__name__])
    waiting, running, failed = list(directories), dict[int, tuple[str, ForkServerProcess]](), []
    while waiting or running:
        while waiting and len(running) < num_jobs:
            directory = waiting.pop(0)
            process = context.Process(target=_logged, args=(directory, work), daemon=True)
            process.start()
            running[process.sentinel] = directory.name, process
        for sentinel in wait(list(running), _POLL_S):
            assert isinstance(sentinel, int)
            name, process = running.pop(sentinel)
            process.join()
            if process.exitcode != 0:
                failed.append(name)
        on_progress()
    return failed


def train_row(directory: Path, cache: Path, start_from: Path | None) -> None:
    """Train and evaluate the run whose configuration a folder holds."""
    run = Run(directory)
    with run.locked():
        train_in_folder(run, run.config, cache, torch.device('cpu'), start_from, num_validations=0)
        evaluate_run(run, cache / 'validation')


def evaluate_row(directory: Path, drives: Path) -> None:
    """Evaluate the run of a folder on a split."""
    evaluate_run(Run(directory), drives)


def _logged(directory: Path, work: Callable[[Path], None]) -> None:
    threading.Thread(target=_end_with_parent, daemon=True).start()
    with (directory / LOG).open('a') as log:
        os.dup2(log.fileno(), 1)
        os.dup2(log.fileno(), 2)
    faulthandler.enable()
    work(directory)


def _end_with_parent() -> None:
    parent = multiprocessing.parent_process()
    assert parent is not None
    parent.join()
    os._exit(1)
