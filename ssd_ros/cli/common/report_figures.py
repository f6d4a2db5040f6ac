# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Pictures of an evaluation: where and when places are recognised."""

from __future__ import annotations

from collections.abc import Sequence

from matplotlib.axes import Axes
from matplotlib.figure import Figure
import numpy as np
from ssd_ros.cli.common.report_page import empty_figure
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

_RIGHT, _WRONG, _WIN, _LOSS, _BOTH = '#2a7', '#d33', '#06c', '#f80', '#bbb'


def recall_figure(results: Sequence[Result]) -> Figure:
    """Draw recall over how many answers are looked at."""
    figure, axes = empty_figure('answers looked at, K', 'recall@K')
    for name, group in _groups(results).items():
        axes.plot(np.arange(1, MAX_RANK + 1), recall_curve(group), '.-', label=name)
    return _finished(figure, axes)


def precision_figure(results: Sequence[Result]) -> Figure:
    """Draw precision over recall of a threshold on the distance, one line per task and method."""
    figure, axes = empty_figure('recall', 'precision')
    for name, group in _groups(results).items():
        curve = precision_recall_curve(group)
        axes.plot(curve.recall, curve.precision, label=name)
    axes.set(xlim=(0, 1))
    return _finished(figure, axes)


def distance_figure(results: Sequence[Result]) -> Figure:
    """Draw R@1 over the distance between query and map."""
    figure, axes = empty_figure('distance from the query to the nearest scan (m)', 'R@1')
    for name, group in _groups(results).items():
        _draw_bins(axes, recall_by_distance(group), name)
    return _finished(figure, axes)


def returns_figure(results: Sequence[Result]) -> Figure:
    """Draw R@1 over the returns in the query's image."""
    figure, axes = empty_figure('occupied cells of the 4D image', 'R@1')
    for name, group in _groups(results).items():
        if TASKS[group[0].task].query_sensor == '4d':
            _draw_bins(axes, recall_by_occupied_cells(group), name)
    return _finished(figure, axes)


def views_figure(results: Sequence[Result]) -> Figure | None:
    """Draw R@1 over the number of views of the map, None if there is only one number."""
    figure, axes = empty_figure('views of each scan', 'R@1, mean over drives')
    numbers: set[int] = set()
    for task in ('single', 'multi'):
        means: dict[int, list[float]] = {}
        for result in results:
            is_plain = result.variant in ('', f'{result.num_views} views')
            if result.task == task and result.method == METHOD and is_plain:
                means.setdefault(result.num_views, []).append(result.recall_at_1)
        numbers.update(means)
        points = sorted((number, float(np.mean(values))) for number, values in means.items())
        if points:
            axes.plot(*np.transpose(points), '.-', label=TASKS[task].title)
    return _finished(figure, axes) if len(numbers) > 1 else None


def map_figure(result: Result, other: Result | None = None) -> Figure:
    """
    Draw where a drive's queries are answered right.

    :param other: of another method on the same queries: then wins and losses against it
    """
    records = result.records
    figure, axes = empty_figure('x (m)', 'y (m)', (6.5, 5.5))
    hits, counts = records.hits(), records.answerable
    kinds = [(hits, 'right', _RIGHT), (~hits, 'wrong', _WRONG)]
    if other is not None:
        theirs = other.records.hits()
        kinds = [
            (hits & theirs, 'both right', _BOTH),
            (~hits & ~theirs, 'both wrong', _WRONG),
            (hits & ~theirs, 'only ours right', _WIN),
            (~hits & theirs, 'only theirs right', _LOSS),
        ]
    for chosen, label, colour in kinds:
        shown = records.positions_m[chosen & counts]
        axes.plot(*shown.T, '.', color=colour, label=f'{label} ({len(shown)})')
    outside = records.positions_m[~counts]
    if len(outside):
        axes.plot(*outside.T, 'x', color='0.8', label=f'no scan in reach ({len(outside)})')
    axes.set(aspect='equal', title=f'{result.title}: R@1 {result.recall_at_1:.3f}')
    axes.legend(fontsize='small')
    return figure


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
    for result in results:
        if not result.variant:
            name = f'{TASKS[result.task].title}, {result.method}'
            named.setdefault(name, []).append(result)
    return named


def _draw_bins(axes: Axes, bins: Sequence[Bin], name: str) -> None:
    """Draw each bin at its centre, with the standard error of a share."""
    centres = [(one.low + one.high) / 2 for one in bins]
    shares = np.array([one.recall for one in bins])
    errors = np.sqrt(shares * (1 - shares) / [one.num_queries for one in bins])
    axes.errorbar(centres, shares, errors, fmt='.-', capsize=2, label=name)


def _finished(figure: Figure, axes: Axes) -> Figure:
    """Show shares from 0 to 1 and the names of the lines, if there are any."""
    axes.set(ylim=(0, 1.02))
    if axes.get_legend_handles_labels()[0]:
        axes.legend(fontsize='small')
    return figure
