# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Methods beside each other: recall of every task, and what each costs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from ssd_ros.evaluation.judging.costs import Costs, MAP_SIZES
from ssd_ros.evaluation.queries.protocol import TASKS
from ssd_ros.evaluation.scores.results import METHOD, Result, select
from ssd_ros.reports.document import Table

_NAMES = {
    METHOD: 'SSD (ours)',
    'ring_key': 'Ring Key',
    'scan_context': 'Scan Context',
    'scan_context_ring_key': 'Scan Context by Ring Key',
    'intensity_scan_context': 'Intensity Scan Context',
    'raplace': 'RaPlace',
    'radvlad': 'RadVLAD',
    'fft_radvlad': 'FFT-RadVLAD',
    'referee': 'ReFeree',
    'dr_pogo': 'Dr-PoGO',
    'map_closures': 'MapClosures',
}
_VARIANTS = {'_released': ', as released', '_repaired': ', repaired'}


def methods_of(results: Sequence[Result]) -> list[str]:
    """Return the methods that have results, in order of appearance."""
    return list(dict.fromkeys(result.method for result in results))


def said(method: str) -> str:
    """Return the name of a method as its authors write it; of one that is not known, as it is."""
    for ending, variant in _VARIANTS.items():
        if (stem := method.removesuffix(ending)) != method:
            return _NAMES.get(stem, stem) + variant
    return _NAMES.get(method, method)


def best_first(results: Sequence[Result], task: str) -> list[str]:
    """Return the methods by their mean R@1 in a task; those that have none come last."""
    means = {method: mean_recall_at_1(results, task, method) for method in methods_of(results)}
    return sorted(means, key=lambda name: -1 if (mean := means[name]) is None else mean)[::-1]


def mean_recall_at_1(results: Sequence[Result], task: str, method: str) -> float | None:
    """Return the mean R@1 over the drives of a task, None if there is none."""
    values = [result.recall_at_1 for result in _answerable(results, task, method)]
    return float(np.mean(values)) if values else None


def strongest_baseline(results: Sequence[Result], task: str) -> str | None:
    """Return the method other than ours with the highest mean R@1 in a task."""
    means = {
        method: mean
        for method in methods_of(results)
        if method != METHOD and (mean := mean_recall_at_1(results, task, method)) is not None
    }
    return max(means, key=lambda name: means[name]) if means else None


def recall_table(results: Sequence[Result]) -> Table:
    """Return AR@1 / AR@1% of every method in every task, the means over its drives; best first."""
    tasks = tasks_of(results)
    rows = [
        [said(method), *(_cell(_answerable(results, task, method)) for task in tasks)]
        for method in best_first(results, main_task(results))
    ]
    return Table(['method', *(TASKS[task].title for task in tasks)], rows)


def closures_table(results: Sequence[Result]) -> Table:
    """Return what the methods that close loops accept in every task: share, precision, recall."""
    deciding = [result for result in results if result.records.accepted is not None]
    tasks = tasks_of(deciding)
    rows = [
        [said(method), *(_closures_cell(select(deciding, task, method)) for task in tasks)]
        for method in methods_of(deciding)
    ]
    return Table(['method', *(TASKS[task].title for task in tasks)], rows)


def tasks_of(results: Sequence[Result]) -> list[str]:
    """Return the tasks that have results, in the order of TASKS."""
    return [task for task in TASKS if any(result.task == task for result in results)]


def main_task(results: Sequence[Result]) -> str:
    """Return the task that methods are ranked by: multi, if it is there."""
    tasks = tasks_of(results)
    return 'multi' if 'multi' in tasks else tasks[0]


def costs_table(costs: Mapping[str, Costs]) -> Table:
    """Return bytes and times of every method."""
    sizes = [f'search {size:,} (ms)' for size in MAP_SIZES]
    rows = []
    for method, one in costs.items():
        searches = [
            f'{"" if there == size else "~ "}{milliseconds:,.2f}'
            for milliseconds, there, size in zip(
                one.search_ms, one.searched_places, MAP_SIZES, strict=True
            )
        ]
        rows.append(
            [
                said(method),
                f'{one.bytes_per_place:,}',
                f'{one.describe_ms:.2f}',
                *searches,
                f'{one.map_s:,.1f}',
            ]
        )
    heads = ['method', 'bytes a place', 'describe (ms)', *sizes, 'map of 1,000 (s)']
    return Table(heads, rows)


def _answerable(results: Sequence[Result], task: str, method: str) -> list[Result]:
    return [result for result in select(results, task, method) if result.is_answerable]


def _cell(results: Sequence[Result]) -> str:
    if not results:
        return '-'
    scores = [result.score() for result in results]
    first = np.mean([score.recall_at_1 for score in scores])
    return f'{first:.3f} / {np.mean([score.recall_at_1_percent for score in scores]):.3f}'


def _closures_cell(results: Sequence[Result]) -> str:
    """Return the share of all queries that is accepted, how many of these are right, recall."""
    if not results:
        return '-'
    accepted = np.concatenate([result.records.accepted for result in results])
    hits = np.concatenate([result.records.hits() for result in results])
    answerable = np.concatenate([result.records.answerable for result in results])
    num_accepted, num_right = int(accepted.sum()), int((accepted & hits).sum())
    precision = f'{num_right / num_accepted:.3f}' if num_accepted else '-'
    recall = num_right / max(int(answerable.sum()), 1)
    return f'{num_accepted} of {len(accepted)} / {precision} / {recall:.3f}'
