# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What trained teachers and students find in other sessions, beside what the paper reports."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import chain
from pathlib import Path

import numpy as np
from ssd_ros.data_origin import radar_of
from ssd_ros.evaluation.bev_cache import CachedDrive, load_drives
from ssd_ros.evaluation.scores.paired import seed_mean
from ssd_ros.evaluation.scores.results import origin_of_drives, Result
from ssd_ros.evaluation.tables.published import (
    FOURDRAL,
    FOURDRAL_COLUMNS,
    FOURDRAL_PLAIN,
    FOURDRAL_SOURCE,
    FOURDRAL_TEACHER,
    FOURDRAL_WEATHER,
    FOURDRAL_WEATHERS,
)
from ssd_ros.reports.document import Table
from ssd_ros.training.fourdral.config import EVALUATED_AS, PROTOCOL
from ssd_ros.training.fourdral.trainer import FourdralRun, judged, trained_network

RUNS = {'teacher': 'LiDAR in LiDAR', 'r2r': '4D in 4D', 'r2l': '4D in LiDAR'}
_TASKS = {'teacher': 'l2l', 'r2r': 'r2r', 'r2l': 'r2l'}


def report_on(out: Path, cache: Path, splits: Sequence[str], radius_m: float) -> Iterator[str]:
    """
    Yield tables of all runs below a folder: every session, asked in the map of the first.

    :param splits: folders of the cache, taken together
    :raise ValueError: no run is trained, or the cache does not fit
    """
    runs = {
        name: FourdralRun(out / name) for name in RUNS if (out / name / 'config.yaml').exists()
    }
    if not runs:
        raise ValueError(f'{out} has none of the runs {", ".join(RUNS)}: train first')
    first = next(iter(runs.values())).config
    drives = [one for split in splits for one in load_drives(cache / split, first.preprocessing)]
    found = {name: _by_session(run, drives, radius_m) for name, run in runs.items()}
    yield f'{radar_of(origin_of_drives(drives)).capitalize()}, right within {radius_m:g} m:'
    yield _ours(found).markdown()
    yield f'{FOURDRAL_SOURCE}: R@1 / R@5 / R@10 in %, within {PROTOCOL.radius_m:g} m; R@1 of SNAIL'
    yield _theirs().markdown()


def _by_session(
    run: FourdralRun, drives: list[CachedDrive], radius_m: float
) -> dict[str, list[Result]]:
    """Return the results of all worlds by the name of the session that asks."""
    network, _ = trained_network(run)
    results = judged(network, drives, run.config, replace(PROTOCOL, radius_m=radius_m))
    found: dict[str, list[Result]] = {}
    for result in results:
        found.setdefault(result.query_drive.rpartition('/')[2], []).append(result)
    return found


def _ours(found: dict[str, dict[str, list[Result]]]) -> Table:
    sessions = list(dict.fromkeys(name for one in found.values() for name in one))
    rows = [
        [session, *(_cell(name, by_session.get(session)) for name, by_session in found.items())]
        for session in sessions
    ]
    whole = ['all', *(_cell(name, list(chain(*one.values()))) for name, one in found.items())]
    return Table(['session', *(f'{RUNS[name]}: R@1 [95 %], R@5, R@10' for name in found)],
                 [*rows, whole])  # fmt: skip


def _cell(name: str, results: Sequence[Result] | None) -> str:
    if not results:
        return '-'
    mean = seed_mean([results], EVALUATED_AS[_TASKS[name]])
    further = [
        np.mean([one.records.hits(k)[one.records.answerable].mean() for one in results])
        for k in (5, 10)
    ]
    shown = ', '.join(f'{share:.3f}' for share in further)
    return f'{mean.mean:.3f} [{mean.low:.3f}, {mean.high:.3f}], {shown}'


def _theirs() -> Table:
    heads = ['', *FOURDRAL_COLUMNS, *(f'SNAIL, {name}' for name in FOURDRAL_WEATHERS)]
    rows = [['teacher', *map(str, FOURDRAL_TEACHER), *map(str, FOURDRAL_WEATHER['l2l'])]]
    for task, recalls in FOURDRAL.items():
        rows += [
            [f'{task}, nothing distilled', *map(str, FOURDRAL_PLAIN[task]), '-', '-', '-'],
            [
                task,
                *(' / '.join(map(str, one)) for one in recalls),
                *map(str, FOURDRAL_WEATHER[task]),
            ],
        ]
    return Table(heads, rows)
