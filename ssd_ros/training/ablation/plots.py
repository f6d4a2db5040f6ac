# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Pictures of an ablation: how its runs learned and what their masks let through."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure
import numpy as np
from ssd_ros.cli.common.pictures import write_figure
from ssd_ros.training.runs.folder import Run

PICTURES = 'curves.png', 'masks.png'
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


def plot_ablation(
    out: Path, runs: dict[str, dict[int, Path]], steps_per_epoch: dict[str, float]
) -> None:
    """
    Write curves.png and masks.png: means over the seeds of each label, against the epoch.

    :param steps_per_epoch: by label
    """
    metrics = {
        label: [Run(path).metrics() for path in seeds.values()] for label, seeds in runs.items()
    }
    for name, values in zip(PICTURES, (_LEARNING, _MASKS), strict=True):
        num_columns = (len(values) + 1) // 2
        figure = Figure(figsize=(4.5 * num_columns, 8), layout='constrained')
        for axes, value in zip(figure.subplots(2, num_columns).flat, values, strict=False):
            for label, logs in metrics.items():
                _plot_mean(axes, label, logs, value, steps_per_epoch[label])
            axes.set(xlabel='epoch', ylabel=value.replace('_', ' '))
        handles, labels = figure.axes[0].get_legend_handles_labels()
        figure.legend(handles, labels, loc='outside lower center', ncols=6, fontsize='small')
        write_figure(out / name, figure, 90)


def _plot_mean(
    axes: Axes,
    label: str,
    logs: Sequence[list[dict[str, Any]]],
    value: str,
    steps_per_epoch: float,
) -> None:
    """Draw the mean over the runs at the steps that all of them have."""
    by_step = [{line['step']: line[value] for line in log if value in line} for log in logs]
    steps = sorted(set.intersection(*(set(line) for line in by_step)))
    means = [np.mean([line[step] for line in by_step]) for step in steps]
    axes.plot(np.array(steps) / steps_per_epoch, means, linewidth=0.9, label=label)
