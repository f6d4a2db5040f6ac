# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What the command `ablate` does: train the rows that are missing, compare all."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path

from ssd_ros.evaluation.bev_cache import load_drives
from ssd_ros.evaluation.scores.results import origin_of_drives
from ssd_ros.shared_files import shared_file
from ssd_ros.targets import check_file, check_files, check_working_folder
from ssd_ros.training.ablation.report import write_page
from ssd_ros.training.ablation.rows import (
    evaluate_row,
    in_processes,
    LOG,
    planned_rows,
    Row,
    train_row,
)
from ssd_ros.training.ablation.table import (
    data_of,
    findings,
    FINDINGS_MARK,
    finished_runs,
    table_paths,
    write_table,
)
from ssd_ros.training.batches.pairs import PlaceSampler
from ssd_ros.training.config import load_config
from ssd_ros.training.runs.evaluate_run import evaluation_path
from ssd_ros.training.runs.folder import Run
from ssd_ros.training.runs.monitor import SECONDS_BETWEEN
from ssd_ros.training.runs.overrides import with_settings
from ssd_ros.training.runs.train import description, training_drives
from ssd_ros.training.runs.trainer import Trainer
from ssd_ros.training.schemes import SCHEMES
from tqdm import tqdm


def run(options: argparse.Namespace) -> None:
    """Do what the command line says."""
    _check_targets(options.out, options.evaluate_on.name if options.evaluate_on else 'validation')
    if options.evaluate_on:
        failed = _evaluate_again(options.out, options.evaluate_on, options.jobs)
        _finish(options.out, options.evaluate_on.name, failed)
        return
    if not options.cache:
        raise ValueError('--cache is missing: the directory that holds train/ and validation/')
    config = load_config(options.config or shared_file('config/ablation.yaml'))
    config = with_settings(config, options.set)
    if options.teacher:
        config = replace(config, teacher='frozen')
    schemes = options.schemes or (['ssd'] if options.sweep else SCHEMES)
    rows = planned_rows(config, options.out, schemes, options.seeds, options.sweep)
    _start(rows, options.cache, options.teacher or options.start_from)
    missing = [row for row in rows if not row.is_finished]
    print(f'{len(rows)} rows, {len(rows) - len(missing)} of them finished; {options.jobs} at once')
    failed = _train(rows, missing, options)
    _finish(options.out, 'validation', failed)


def _check_targets(out: Path, split: str) -> None:
    """Refuse before the work what stands in the way of the report."""
    text, plain, page = table_paths(out, split)
    check_working_folder(out)
    check_files([text, page])
    check_file(plain, FINDINGS_MARK)


def _start(rows: Sequence[Row], cache: Path, start_from: Path | None) -> None:
    """
    Write the configuration of every row before the first is trained.

    :raise ValueError: a row was begun with another configuration, or the cache or the run to
        start from does not fit
    """
    config = rows[0].config
    drives = training_drives(cache, config)
    load_drives(cache / 'validation', config.preprocessing)
    if start_from:
        Trainer(config).load_weights(Run(start_from))
    num_places = PlaceSampler(drives, config).num_places
    print(f'{len(drives)} drives, {num_places} places')
    for row in rows:
        Run(row.directory).start(
            row.config, description(drives), num_places, start_from, origin_of_drives(drives)
        )


def _train(rows: Sequence[Row], missing: Sequence[Row], options: argparse.Namespace) -> list[str]:
    total = sum(row.config.optimiser.num_steps for row in rows)
    finished = -1
    with tqdm(total=total, unit='step', dynamic_ncols=True, mininterval=SECONDS_BETWEEN) as bar:

        def show() -> None:
            nonlocal finished
            bar.update(sum(Run(row.directory).last_step for row in rows) - bar.n)
            num = sum(row.is_finished for row in rows)
            bar.set_postfix(finished=f'{num}/{len(rows)} rows', refresh=False)
            if num > max(finished, 0):
                _report(options.out, 'validation')
            finished = num

        bar.initial = sum(Run(row.directory).last_step for row in rows)
        bar.n = bar.initial
        work = partial(
            train_row, cache=options.cache, start_from=options.teacher or options.start_from
        )
        return in_processes([row.directory for row in missing], work, options.jobs, show)


def _evaluate_again(out: Path, drives: Path, num_jobs: int) -> list[str]:
    """
    Evaluate all trained rows on another split, but those that are; return the failed ones.

    :raise ValueError: no row is trained
    """
    if not (trained := finished_runs(out, 'validation')):
        raise ValueError(f'{out} has no finished row')
    missing = [
        path
        for seeds in trained.values()
        for path in seeds.values()
        if not evaluation_path(path, drives.name).exists()
    ]
    with tqdm(total=len(missing), unit='row', mininterval=SECONDS_BETWEEN) as bar:

        def show() -> None:
            done = sum(evaluation_path(path, drives.name).exists() for path in missing)
            bar.update(done - bar.n)

        return in_processes(missing, partial(evaluate_row, drives=drives), num_jobs, show)


def _finish(out: Path, split: str, failed: Sequence[str]) -> None:
    """
    Print the table.

    :raise ValueError: rows failed
    """
    if finished_runs(out, split):
        print(_report(out, split))
    if failed:
        raise ValueError(f'these rows failed, see {LOG} in their folders: {", ".join(failed)}')


def _report(out: Path, split: str) -> str:
    """Write table and page of all finished rows; return the table."""
    runs = finished_runs(out, split)
    order = {scheme: index for index, scheme in enumerate(SCHEMES)}
    runs = dict(sorted(runs.items(), key=lambda item: order.get(item[0], len(order))))
    found, data = findings(runs, split), data_of(runs, split)
    write_page(table_paths(out, split)[2], found, runs, data)
    return write_table(out, found, data, split)
