# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""
What each part of 4DRaL adds, and what its choices are worth, seed by seed.

Students that have none, one, and more of the parts; then the whole method with one choice undone.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from ssd_ros.evaluation.scores.paired import compare_seeds, seed_mean
from ssd_ros.evaluation.scores.results import read_evaluation, Result
from ssd_ros.evaluation.tables.published import FOURDRAL_CHOICES, FOURDRAL_PARTS
from ssd_ros.reports.document import Table
from ssd_ros.training.export.models import EVALUATION
from ssd_ros.training.fourdral.config import EVALUATED_AS, FourdralConfig
from ssd_ros.training.runs.overrides import with_settings

# Results by row and seed.
_Found = dict[str, dict[int, list[Result]]]

NONE = 'none'
_PLAIN = ('network.imitates=[]', 'loss.relational=0')
PARTS: Mapping[str, Mapping[str, Sequence[str]]] = {
    'r2r': {
        NONE: ('network.enhances=false', *_PLAIN),
        'LIE': _PLAIN,
        'LIE+FDD': ('loss.relational=0',),
        'LIE+FDD+RD': (),
    },
    'r2l': {
        NONE: ('network.enhances=false', *_PLAIN),
        'LIE': _PLAIN,
        'LIE+FDD': ('network.imitates=[r2l]', 'loss.relational=0'),
        'LIE+RD': (),
    },
}
"""Settings of each row, by task, in the order of the paper's Table IV; the last is its method."""
_EVERYWHERE = ('loss.is_local=false',)
_NO_MARGIN = ('loss.relational_margin=0',)
CHOICES: Mapping[str, Mapping[str, Sequence[str]]] = {
    'r2r': {
        'LIE global': _EVERYWHERE,
        'one branch': ('network.branch=single',),
        'RD without margin': _NO_MARGIN,
        'FDD by MSE': ('loss.divergence=mse',),
    },
    'r2l': {'LIE global': _EVERYWHERE, 'RD without margin': _NO_MARGIN},
}
"""The method but for one choice, by task: the paper's Tables V and VI and its Fig. 4."""


@dataclass(frozen=True, slots=True)
class Row:
    """
    One run.

    :param name: one of PARTS or CHOICES
    """

    name: str
    config: FourdralConfig
    directory: Path


def planned_rows(config: FourdralConfig, out: Path, seeds: Sequence[int]) -> list[Row]:
    """
    Return a run for every row and seed, all rows of a seed together.

    :raise ValueError: the task is none of a student
    """
    if config.task not in PARTS:
        raise ValueError(f'--ablate is for a student: task {config.task} has no such parts')
    return [
        Row(
            name,
            with_settings(config, [*settings, f'seed={seed}']),
            out / f'{config.task}_{name.replace(" ", "_")}_{seed}',
        )
        for seed in seeds
        for name, settings in {**PARTS[config.task], **CHOICES[config.task]}.items()
    ]


def tables_of(rows: Sequence[Row]) -> list[Table]:
    """
    Return R@1 of the rows that are evaluated, differences between them, and the paper's numbers.

    Differences are paired: the same seeds and queries. The second table, of the choices, is left
    out where none is evaluated.
    """
    task = rows[0].config.task
    found: _Found = {}
    for row in rows:
        if (path := row.directory / EVALUATION).exists():
            found.setdefault(row.name, {})[row.config.seed] = read_evaluation(path).results
    tables = [_parts_table({name: found[name] for name in PARTS[task] if name in found}, task)]
    method = list(PARTS[task])[-1]
    if choices := [name for name in CHOICES[task] if name in found]:
        theirs = FOURDRAL_CHOICES[task]
        lines = [
            [
                *_recall(name, found[name], task),
                _difference(found[name], found.get(method, {}), task),
                f'{theirs[name]:+.1f}' if name in theirs else '',
            ]
            for name in choices
        ]
        heads = [f'{method} but', 'seeds', 'R@1 [95 %]', f'minus {method}, points']
        tables.append(Table([*heads, 'theirs on NTU4D, real, points'], lines, 2))
    return tables


def _parts_table(found: _Found, task: str) -> Table:
    lines, before = [], ''
    for name, seeds in found.items():
        lines.append(
            [
                *_recall(name, seeds, task),
                _difference(seeds, found.get(NONE, {}), task),
                _difference(seeds, found.get(before, {}), task),
                f'{FOURDRAL_PARTS[task][name]:.1f}',
            ]
        )
        before = name
    heads = ['parts', 'seeds', 'R@1 [95 %]', f'minus {NONE}, points', 'minus the row above']
    return Table([*heads, 'theirs on NTU4D, real, %'], lines, 2)


def _recall(name: str, seeds: Mapping[int, list[Result]], task: str) -> list[str]:
    mean = seed_mean(list(seeds.values()), EVALUATED_AS[task])
    return [
        name,
        ' '.join(map(str, seeds)),
        f'{mean.mean:.3f} [{mean.low:.3f}, {mean.high:.3f}]',
    ]


def _difference(
    ours: Mapping[int, Sequence[Result]], theirs: Mapping[int, Sequence[Result]], task: str
) -> str:
    """Return the difference over the seeds that both have, '' if it is of a row to itself."""
    seeds = sorted(ours.keys() & theirs.keys())
    if not seeds or ours is theirs:
        return ''
    gain = compare_seeds(
        [ours[seed] for seed in seeds], [theirs[seed] for seed in seeds], EVALUATED_AS[task]
    )
    return f'{100 * gain.difference:+.1f} [{100 * gain.low:+.1f}, {100 * gain.high:+.1f}]'
