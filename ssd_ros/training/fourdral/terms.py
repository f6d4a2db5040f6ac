# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What each part of 4DRaL adds: students that have none, one, and more of them, seed by seed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from ssd_ros.evaluation.scores.paired import compare_seeds, seed_mean
from ssd_ros.evaluation.scores.results import read_evaluation, Result
from ssd_ros.evaluation.tables.published import FOURDRAL_PARTS
from ssd_ros.reports.document import Table
from ssd_ros.training.export.models import EVALUATION
from ssd_ros.training.fourdral.config import EVALUATED_AS, FourdralConfig
from ssd_ros.training.runs.overrides import with_settings

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


@dataclass(frozen=True, slots=True)
class Row:
    """
    One run.

    :param parts: what it has, one of PARTS
    """

    parts: str
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
            parts,
            with_settings(config, [*settings, f'seed={seed}']),
            out / f'{config.task}_{parts}_{seed}',
        )
        for seed in seeds
        for parts, settings in PARTS[config.task].items()
    ]


def table_of(rows: Sequence[Row]) -> Table:
    """
    Return R@1 of the rows that are evaluated, differences between them, and the paper's numbers.

    Differences are paired: the same seeds and queries.
    """
    task = rows[0].config.task
    found: dict[str, dict[int, list[Result]]] = {}
    for row in rows:
        if (path := row.directory / EVALUATION).exists():
            found.setdefault(row.parts, {})[row.config.seed] = read_evaluation(path).results
    before = ''
    lines = []
    for parts, seeds in found.items():
        mean = seed_mean(list(seeds.values()), EVALUATED_AS[task])
        lines.append(
            [
                parts,
                ' '.join(map(str, seeds)),
                f'{mean.mean:.3f} [{mean.low:.3f}, {mean.high:.3f}]',
                _difference(seeds, found.get(NONE, {}), task),
                _difference(seeds, found.get(before, {}), task),
                f'{FOURDRAL_PARTS[task][parts]:.1f}',
            ]
        )
        before = parts
    heads = ['parts', 'seeds', 'R@1 [95 %]', f'minus {NONE}, points', 'minus the row above']
    return Table([*heads, 'theirs on NTU4D, real, %'], lines, 2)


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
