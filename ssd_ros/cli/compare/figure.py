# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""A picture of all methods in all tasks."""

from __future__ import annotations

from matplotlib.figure import Figure
from ssd_ros.data_origin import radar_of
from ssd_ros.evaluation.queries.protocol import TASKS
from ssd_ros.evaluation.scores.results import Evaluation
from ssd_ros.evaluation.tables.methods import mean_recall_at_1, methods_of

_TRAINED, _REPAIRED, _RELEASED = '#06c', '#2a7', '#bbb'


def methods_figure(evaluation: Evaluation) -> Figure:
    """Draw the mean R@1 of every method, a panel for each task."""
    results = evaluation.results
    methods = methods_of(results)
    tasks = [task for task in TASKS if any(result.task == task for result in results)]
    figure = Figure(figsize=(3.2 * len(tasks) + 2, 0.28 * len(methods) + 1), layout='constrained')
    panels = figure.subplots(1, len(tasks), sharey=True, squeeze=False)[0]
    places = range(len(methods))
    for axes, task in zip(panels, tasks, strict=True):
        for place, method in zip(places, methods, strict=True):
            mean = mean_recall_at_1(results, task, method)
            if mean is not None:
                axes.barh(place, mean, color=_colour(method))
                axes.text(mean + 0.01, place, f'{mean:.2f}', va='center', fontsize='small')
        axes.set(xlim=(0, 1.12), title=TASKS[task].title, xlabel='R@1, mean over drives')
        axes.set_yticks(places, methods)
        axes.grid(axis='x', alpha=0.3)
    panels[0].invert_yaxis()
    figure.suptitle(
        f'{radar_of(evaluation.origin)}; blue: trained, green: repaired, grey: as released'
    )
    return figure


def _colour(method: str) -> str:
    if method.endswith('_released'):
        return _RELEASED
    return _REPAIRED if method.endswith('_repaired') else _TRAINED
