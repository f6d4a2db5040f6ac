# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""A picture of a run's metrics."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from ssd_ros.cli.common.pictures import write_figure
from ssd_ros.training.runs.folder import RunFolder
from ssd_ros.training.runs.learning import learning_report, RECALLS

_LOSSES = (
    *('loss', 'metric_loss', 'feature_loss', 'covariance_loss', 'relational_loss'),
    *('enhancement_loss', 'imitation_loss'),
)
_SHARES = ('teacher_share', 'joint_share', 'gap_share', 'joint_distance', 'gap_distance')


def plot_curves(run: RunFolder[Any]) -> None:
    """Write curves.png into the run folder: losses, recall and, where distilled, the masks."""
    metrics = run.metrics()
    figure = Figure(figsize=(15, 4))
    figure.subplots_adjust(left=0.05, right=0.99, bottom=0.12, top=0.92, wspace=0.15)
    left, middle, right = figure.subplots(1, 3)
    _plot(left, metrics, _LOSSES)
    left.set(ylabel='loss', yscale='log')
    _plot(middle, metrics, ['accuracy'], label='accuracy in the batch')
    _plot(middle, metrics, RECALLS, marker='o', label='validation R@1, {}')
    middle.set(ylim=(0, 1))
    figure.suptitle(learning_report(metrics), fontsize='small')
    _plot(right, metrics, _SHARES)
    for axes in (left, middle, right):
        axes.set(xlabel='step')
        if axes.lines:
            axes.legend()
    write_figure(run.directory / 'curves.png', figure)


def _plot(
    axes: Axes,
    metrics: Sequence[dict[str, Any]],
    names: Sequence[str],
    label: str = '{}',
    marker: str = '',
) -> None:
    """Draw those values that were logged."""
    for name in names:
        lines = [line for line in metrics if name in line]
        if lines:
            axes.plot(
                [line['step'] for line in lines],
                [line[name] for line in lines],
                linewidth=0.8,
                marker=marker,
                label=label.format(name.replace('_', ' ')),
            )
