# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The page of an ablation: what schemes reach, how their runs learned, what masks let through."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from plotly.colors import qualitative
from plotly.graph_objects import Figure
from ssd_ros.evaluation.queries.protocol import TASKS as TITLES
from ssd_ros.reports.charts import intervals, line, OURS, panels, rows, UNSURE
from ssd_ros.reports.document import Chart, Section
from ssd_ros.reports.page import Fact, html_of, Page
from ssd_ros.targets import write_file
from ssd_ros.training.ablation.table import Finding, REFERENCES, table_of
from ssd_ros.training.runs.evaluate_run import TASKS
from ssd_ros.training.runs.folder import Run

_LEARNING = ('loss', 'metric_loss', 'accuracy', 'loading_share')
_MASKS = (
    'teacher_share',
    'joint_share',
    'gap_share',
    'teacher_distance',
    'joint_distance',
    'gap_distance',
    'feature_loss',
    'covariance_loss',
)
_COLOURS = qualitative.Safe + qualitative.Dark24


def write_page(
    path: Path, found: Sequence[Finding], runs: Mapping[str, Mapping[int, Path]], data: str
) -> None:
    """
    Write the page.

    :param found: one for each label of the runs
    :param data: which radar and split, in words
    """
    logs = {label: [Run(one).metrics() for one in seeds.values()] for label, seeds in runs.items()}
    steps = {label: Run(next(iter(seeds.values()))).steps_per_epoch
             for label, seeds in runs.items()}  # fmt: skip
    explained, table = table_of(found)
    sections = [
        Section(
            'What each reaches',
            [
                Chart(
                    'R@1 with its 95 % interval over seeds and drives, best first',
                    _recall_chart(found),
                ),
                *(
                    Chart(
                        f'Difference of R@1 to {name}, in points, on the same seeds and queries',
                        _difference_chart(found, name),
                    )
                    for name in REFERENCES
                ),
                explained[:1].upper() + explained[1:],
                table,
            ],
        ),
        Section(
            'How they learned', [Chart('Means over the seeds', _curves(logs, steps, _LEARNING))]
        ),
        Section(
            'What the masks let through',
            [Chart('Means over the seeds', _curves(logs, steps, _MASKS))],
        ),
    ]
    best = max(found, key=lambda one: one.recall['multi'].mean)
    mean = best.recall['multi']
    fact = Fact(
        f'best in another session: {best.label}',
        f'{mean.mean:.3f}',
        f'R@1, {mean.low:.3f} .. {mean.high:.3f}; {len(best.seeds)} seeds',
    )
    page = Page('Schemes of distillation beside each other', f'{data}.', sections, [fact])
    write_file(path, html_of(page).encode())


def _recall_chart(found: Sequence[Finding]) -> Figure:
    ordered = sorted(found, key=lambda one: -one.recall['multi'].mean)
    labels = [one.label for one in ordered]
    traces = []
    for task, color in zip(TASKS, (UNSURE, OURS), strict=True):
        estimates = [one.recall[task] for one in ordered]
        points = [(one.mean, one.low, one.high) for one in estimates]
        traces.append(intervals(points, labels, TITLES[task].title, color))
    return rows('R@1', labels, *traces)


def _difference_chart(found: Sequence[Finding], reference: str) -> Figure | str:
    versus = {one.label: one.against[reference] for one in found if reference in one.against}
    if not versus:
        return f'No other finished row shares a seed with one of the scheme {reference}.'
    labels = sorted(versus, key=lambda label: -versus[label]['multi'].difference)
    traces = []
    for task, color in zip(TASKS, (UNSURE, OURS), strict=True):
        gains = [versus[label][task] for label in labels]
        points = [(100 * one.difference, 100 * one.low, 100 * one.high) for one in gains]
        traces.append(intervals(points, labels, TITLES[task].title, color))
    return rows('points of R@1', labels, *traces).add_vline(0, line_width=1)


def _curves(
    logs: Mapping[str, Sequence[list[dict[str, Any]]]],
    steps_per_epoch: Mapping[str, float],
    names: Sequence[str],
) -> Figure | str:
    """Draw the mean over the runs of each label at the steps that all of them have."""
    names = [name for name in names if any(name in one for log in logs.values() for run in log
                                           for one in run)]  # fmt: skip
    if not names:
        return 'No run has any of it.'
    figure = panels([name.replace('_', ' ') for name in names], 'epoch', 90 + 170 * len(names))
    for label, color in zip(logs, _COLOURS * (1 + len(logs) // len(_COLOURS)), strict=False):
        for row, name in enumerate(names, 1):
            by_step = [{one['step']: one[name] for one in log if name in one}
                       for log in logs[label]]  # fmt: skip
            steps = sorted(set.intersection(*map(set, by_step)))
            means = [float(np.mean([values[step] for values in by_step])) for step in steps]
            epochs = (np.array(steps) / steps_per_epoch[label]).tolist()
            mode = 'lines' if len(steps) > 1 else 'markers'
            shared = {
                'mode': mode,
                'legendgroup': label,
                'showlegend': row == 1,
                'line_color': color,
            }
            figure.add_trace(line(epochs, means, label, line_width=1, **shared), row, 1)
    return figure
