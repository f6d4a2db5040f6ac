# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Methods beside each other as Markdown: recall of every task, and what each costs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from ssd_ros.evaluation.judging.costs import Costs, MAP_SIZES
from ssd_ros.evaluation.queries.protocol import TASKS
from ssd_ros.evaluation.scores.results import METHOD, Result, select


def methods_of(results: Sequence[Result]) -> list[str]:
    """Return the methods that have results, in order of appearance."""
    return list(dict.fromkeys(result.method for result in results))


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


def recall_table(results: Sequence[Result]) -> str:
    """Return AR@1 / AR@1% of every method in every task: the means over its drives."""
    tasks = [task for task in TASKS if any(result.task == task for result in results)]
    lines = [f'| method | {" | ".join(TASKS[task].title for task in tasks)} |']
    lines.append('|---' + '|--:' * len(tasks) + '|')
    for method in methods_of(results):
        cells = [_cell(_answerable(results, task, method)) for task in tasks]
        lines.append(f'| {method} | {" | ".join(cells)} |')
    return '\n'.join(lines)


def costs_table(costs: Mapping[str, Costs]) -> str:
    """Return bytes and times of every method."""
    sizes = ' | '.join(f'search {size:,} (ms)' for size in MAP_SIZES)
    lines = [
        f'| method | bytes a place | describe (ms) | {sizes} | map of 1,000 (s) |',
        '|---|--:|--:|--:|--:|--:|',
    ]
    for method, one in costs.items():
        searches = ' | '.join(
            f'{"" if there == size else "~ "}{milliseconds:,.2f}'
            for milliseconds, there, size in zip(
                one.search_ms, one.searched_places, MAP_SIZES, strict=True
            )
        )
        lines.append(
            f'| {method} | {one.bytes_per_place:,} | {one.describe_ms:.2f} | {searches} '
            f'| {one.map_s:,.1f} |'
        )
    return '\n'.join(lines)


def _answerable(results: Sequence[Result], task: str, method: str) -> list[Result]:
    return [result for result in select(results, task, method) if result.is_answerable]


def _cell(results: Sequence[Result]) -> str:
    if not results:
        return '-'
    scores = [result.score() for result in results]
    first = np.mean([score.recall_at_1 for score in scores])
    return f'{first:.3f} / {np.mean([score.recall_at_1_percent for score in scores]):.3f}'
