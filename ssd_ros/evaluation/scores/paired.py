# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Compare methods query by query: wins, losses, and whether the difference may be chance."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from ssd_ros.evaluation.metrics import crossed_bootstrap_interval, mcnemar_p_value
from ssd_ros.evaluation.scores.results import Result
from ssd_ros.evaluation.scores.summary import block_length


@dataclass(frozen=True, slots=True)
class Estimate:
    """A mean of R@1 over seeds and drives with its 95 % interval."""

    mean: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Comparison:
    """
    Ours against theirs on the same queries.

    :param difference: of R@1, mean over seeds and drives
    :param low: of the 95 % interval of the difference
    :param wins: queries that only ours answers right, over all seeds
    :param losses: queries that only theirs answers right
    :param num_queries: over all seeds
    :param p_value: of McNemar's exact test; it takes queries for independent, which neighbouring
        ones are not, so where it and the interval disagree, the interval is right
    """

    difference: float
    low: float
    high: float
    wins: int
    losses: int
    num_queries: int
    p_value: float


def seed_mean(runs: Sequence[Sequence[Result]], task: str) -> Estimate:
    """
    Average R@1 over the seeds of a method.

    :param runs: results of each seed, on the same drives
    """
    hits, lengths = _hits(runs, task)
    mean = float(np.mean([part.mean() for part in hits]))
    return Estimate(mean, *crossed_bootstrap_interval(hits, lengths))


def compare_seeds(
    ours: Sequence[Sequence[Result]], theirs: Sequence[Sequence[Result]], task: str
) -> Comparison:
    """
    Compare two methods over the same seeds, in the same order.

    :raise ValueError: the numbers of seeds, or the drives or queries, differ
    """
    if len(ours) != len(theirs):
        raise ValueError(f'{len(ours)} runs of ours but {len(theirs)} of theirs')
    hits, lengths = _hits([*ours, *theirs], task)
    num = len(ours)
    gains = [part[:num].astype(np.float64) - part[num:] for part in hits]
    low, high = crossed_bootstrap_interval(gains, lengths)
    wins = sum(int((gain > 0).sum()) for gain in gains)
    losses = sum(int((gain < 0).sum()) for gain in gains)
    return Comparison(
        difference=float(np.mean([gain.mean() for gain in gains])),
        low=low,
        high=high,
        wins=wins,
        losses=losses,
        num_queries=sum(gain.size for gain in gains),
        p_value=mcnemar_p_value(wins, losses),
    )


def compare_pairs(ours: Sequence[Result], theirs: Sequence[Result], task: str) -> Comparison:
    """Compare two single runs."""
    return compare_seeds([ours], [theirs], task)


def _hits(
    runs: Sequence[Sequence[Result]], task: str
) -> tuple[list[NDArray[np.bool_]], list[int]]:
    """Return for each drive which run answered which query right, (S, Q), and block lengths."""
    tables = [
        {
            (result.map_drive, result.query_drive): result
            for result in run
            if result.task == task and not result.variant
        }
        for run in runs
    ]
    if not tables or not tables[0]:
        raise ValueError(f'there is no result of task {task!r} to compare')
    hits, lengths = [], []
    for drives, first in tables[0].items():
        rows = []
        for table in tables:
            if table.keys() != tables[0].keys():
                raise ValueError(f'task {task!r} was run on other drives: evaluate them again')
            other = table[drives].records
            if not _is_same(first, table[drives]):
                raise ValueError(
                    f'{first.title} was asked other queries: evaluate both with the same spacing '
                    'and radius'
                )
            rows.append(other.hits()[first.records.answerable])
        if first.is_answerable:
            hits.append(np.stack(rows))
            lengths.append(block_length(first.records))
    if not hits:
        raise ValueError(f'no query of task {task!r} has a scan within the radius')
    return hits, lengths


def _is_same(first: Result, other: Result) -> bool:
    return np.array_equal(first.records.stamps_ns, other.records.stamps_ns) and np.array_equal(
        first.records.answerable, other.records.answerable
    )
