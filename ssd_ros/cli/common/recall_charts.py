# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Charts of an evaluation: where and when places are recognised."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from plotly.graph_objects import Figure, Scatter
from ssd_ros.evaluation.queries.protocol import TASKS
from ssd_ros.evaluation.scores.breakdown import (
    Bin,
    MAX_RANK,
    precision_recall_curve,
    recall_by_distance,
    recall_by_occupied_cells,
    recall_curve,
)
from ssd_ros.evaluation.scores.results import METHOD, Result, select
from ssd_ros.evaluation.tables.methods import said, tasks_of
from ssd_ros.reports.charts import (
    bars,
    dots,
    FAINT,
    intervals,
    line,
    OURS,
    plan,
    RIGHT,
    rows,
    SERIES,
    shares_over,
    THEIRS,
    UNSURE,
    WRONG,
)
from ssd_ros.reports.document import Chart


def recall_charts(results: Sequence[Result]) -> list[Chart]:
    """Return what explains recall, one line for each task and method; variants are left out."""
    return [
        Chart('R@1 of every drive, with its 95 % interval', drives_chart(results)),
        Chart('Recall, if more answers than the first are looked at', _ranks_chart(results)),
        Chart('Precision and recall of a threshold on the distance', _precision_chart(results)),
        Chart('R@1 over the way from the query to the nearest scan of the map; bars: one standard '
              'error', _distance_chart(results)),
        Chart('R@1 over the returns in the query; bars: one standard error',
              _returns_chart(results)),
        Chart('R@1 over the views that the map has of each scan', _views_chart(results)),
    ]  # fmt: skip


def drives_chart(results: Sequence[Result]) -> Figure:
    """Draw R@1 of every drive with its interval, best first."""
    shown = sorted((one for one in results if not one.variant), key=lambda one: -one.recall_at_1)
    traces = []
    for number, (name, group) in enumerate(_groups(shown).items()):
        scores = [result.score() for result in group]
        points = [(score.recall_at_1, *score.recall_at_1_interval) for score in scores]
        titles = [result.title for result in group]
        traces.append(intervals(points, titles, name, SERIES[number % len(SERIES)]))
    figure = rows('R@1', list(dict.fromkeys(result.title for result in shown)), *traces)
    return figure.update_xaxes(range=[-0.02, 1.02])


def _ranks_chart(results: Sequence[Result]) -> Figure:
    ranks = list(range(1, MAX_RANK + 1))
    traces = [
        line(ranks, recall_curve(group).tolist(), name, mode='lines+markers')
        for name, group in _groups(results).items()
    ]
    return shares_over('answers looked at', 'recall', *traces)


def _precision_chart(results: Sequence[Result]) -> Figure:
    curves = {name: precision_recall_curve(group) for name, group in _groups(results).items()}
    traces = [line(curve.recall, curve.precision, name) for name, curve in curves.items()]
    figure = shares_over('recall', 'precision', *traces)
    return figure.update_xaxes(range=[0, 1])


def _distance_chart(results: Sequence[Result]) -> Figure:
    traces = [_binned(recall_by_distance(group), name) for name, group in _groups(results).items()]
    return shares_over('distance (m)', 'R@1', *traces)


def _returns_chart(results: Sequence[Result]) -> Figure | str:
    traces = [
        _binned(recall_by_occupied_cells(group), name)
        for name, group in _groups(results).items()
        if TASKS[group[0].task].query_sensor == '4d'
    ]
    if not traces:
        return 'No query is of a 4D radar.'
    return shares_over('occupied cells of the 4D image', 'R@1', *traces)


def _views_chart(results: Sequence[Result]) -> Figure | str:
    numbers: set[int] = set()
    traces = []
    for task in ('single', 'multi'):
        means: dict[int, list[float]] = {}
        for result in results:
            is_plain = result.variant in ('', f'{result.num_views} views')
            if result.task == task and result.method == METHOD and is_plain:
                means.setdefault(result.num_views, []).append(result.recall_at_1)
        numbers.update(means)
        if means:
            views = sorted(means)
            values = [float(np.mean(means[number])) for number in views]
            traces.append(line(views, values, TASKS[task].title, mode='lines+markers'))
    if len(numbers) < 2:
        return 'One number of views was tried: --views 36 18 12 6 compares several on a cache.'
    return shares_over('views of each scan', 'R@1, mean over drives', *traces)


def places_chart(result: Result, other: Result | None = None) -> Chart:
    """
    Draw where a drive's queries are answered right.

    :param other: of another method on the same queries: then wins and losses against it
    """
    records = result.records
    hits, counts = records.hits(), records.answerable
    task = TASKS[result.task].title
    if other is None:
        caption = f'{result.title} ({task}): R@1 {result.recall_at_1:.3f}'
        kinds = [(hits, 'right', RIGHT, 5), (~hits, 'wrong', WRONG, 7)]
    else:
        caption = f'{result.title} ({task}): ours beside {said(other.method)}'
        theirs = other.records.hits()
        kinds = [
            (hits & theirs, 'both right', FAINT, 5),
            (~hits & ~theirs, 'both wrong', THEIRS, 5),
            (hits & ~theirs, 'only ours right', OURS, 7),
            (~hits & theirs, 'only theirs right', UNSURE, 7),
        ]
    traces = []
    if not counts.all():
        outside = records.positions_m[~counts]
        name = f'no scan of the map in reach ({len(outside)})'
        traces.append(dots(outside[:, :2], name, FAINT, marker={'symbol': 'x-thin-open'}))
    for chosen, label, colour, size in kinds:
        shown = records.positions_m[chosen & counts]
        traces.append(dots(shown[:, :2], f'{label} ({len(shown)})', colour, size))
    return Chart(caption, plan(*traces))


def same_queries(result: Result, others: Sequence[Result], method: str) -> Result | None:
    """Return another method's answers to the same queries, None if there are none."""
    for other in select(others, result.task, method):
        if other.title == result.title and np.array_equal(
            other.records.stamps_ns, result.records.stamps_ns
        ):
            return other
    return None


def _groups(results: Sequence[Result]) -> dict[str, list[Result]]:
    """Return results of one task and method together, under their name; no variants."""
    named: dict[str, list[Result]] = {}
    has_one_method = len({result.method for result in results}) == 1
    for task in tasks_of(results):
        for result in results:
            if result.task == task and not result.variant:
                title = TASKS[task].title
                name = title if has_one_method else f'{said(result.method)}, {title}'
                named.setdefault(name, []).append(result)
    return named


def _binned(bins: Sequence[Bin], name: str) -> Scatter:
    """Return each bin at its centre, with the standard error of a share."""
    centres = [(one.low + one.high) / 2 for one in bins]
    shares = np.array([one.recall for one in bins])
    errors = np.sqrt(shares * (1 - shares) / [one.num_queries for one in bins])
    points = list(zip(shares, shares - errors, shares + errors, strict=True))
    return line(centres, shares.tolist(), name, mode='lines+markers', error_y=bars(points))
