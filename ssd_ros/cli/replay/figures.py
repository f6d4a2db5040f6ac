# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Plots of a replay."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure
import numpy as np
from numpy.typing import NDArray
from ssd_ros.cli.common.report_page import empty_figure
from ssd_ros.cli.replay.log import ReplayLog
from ssd_ros.cli.replay.poses import Motion, Truth
from ssd_ros.cli.replay.summary import latencies_ms
from ssd_ros.recognition.candidates import DECISIONS

# As in ~/markers: green accepted, orange ambiguous, grey rejected.
_COLOURS = dict(zip(DECISIONS, ('tab:green', 'tab:orange', '0.6'), strict=True))
_WIDE = (11.0, 3.0)
_BESIDE: dict[str, Any] = {'fontsize': 'small', 'loc': 'upper left', 'bbox_to_anchor': (1.0, 1.0)}


def map_figure(log: ReplayLog, keyframes_m: NDArray[np.float64], truth: Truth | None) -> Figure:
    """
    Draw the keyframes and where the accepted answers put the vehicle.

    :param keyframes_m: shape (K, 2) or (K, 3)
    """
    figure, axes = empty_figure('x (m)', 'y (m)', (9.0, 7.0))
    axes.plot(*keyframes_m[:, :2].T, '.', color='0.8', markersize=8, label='keyframes of the map')
    if truth is None:
        x, y = log.poses()[log.accepted, :2].T
        colours = log.best['distance'][log.accepted]
        points = axes.scatter(x, y, c=colours, s=8, label=f'accepted ({len(x)})', zorder=3)
        if len(x):
            figure.colorbar(points, label='distance of the descriptors', shrink=0.7)
    else:
        _draw_truth(axes, log, truth)
    axes.set(aspect='equal')
    axes.legend(**_BESIDE, markerscale=2)
    return figure


def _draw_truth(axes: Axes, log: ReplayLog, truth: Truth) -> None:
    said = log.poses()[truth.chosen]
    wrong = truth.accepted & ~truth.right
    for start, end in zip(truth.poses[wrong], said[wrong], strict=True):
        axes.plot(*np.stack([start, end])[:, :2].T, color='tab:red', linewidth=0.4)
    for right, accepted, colour, label in (
        (True, False, 'tab:olive', 'right, not accepted'),
        (False, False, '0.5', 'wrong, not accepted'),
        (True, True, 'tab:green', 'right and accepted'),
        (False, True, 'tab:red', 'wrong but accepted'),
    ):
        shown = truth.poses[(truth.right == right) & (truth.accepted == accepted)]
        axes.plot(
            *shown[:, :2].T, '.', color=colour, markersize=3, label=f'{label} ({len(shown)})'
        )


def time_figure(log: ReplayLog, column: str, limit: float | None) -> Figure | None:
    """
    Draw a column of the best candidates over time, by decision; None if nothing is known.

    :param limit: drawn as a line: what is accepted by; None or infinite = no limit
    """
    if not np.isfinite(log.best[column]).any():
        return None
    figure, axes = empty_figure('time (s)', column, _WIDE)
    for decision in reversed(DECISIONS):
        chosen = log.decisions == decision
        label = f'{decision} ({int(chosen.sum())})'
        axes.plot(
            log.seconds[chosen],
            log.best[column][chosen],
            '.',
            color=_COLOURS[decision],
            markersize=3,
            label=label,
        )
    axes.set(xlim=(0, max(log.seconds[-1], 1e-3)))
    if limit is not None and np.isfinite(limit):
        axes.axhline(limit, color='0.3', linewidth=0.8, linestyle='--', label=f'limit {limit:.3g}')
    axes.legend(**_BESIDE)
    return figure


def error_figure(log: ReplayLog, truth: Truth) -> Figure:
    """Draw how far the best answers are off, over time."""
    figure, axes = empty_figure('time (s)', 'error of the position (m)', _WIDE)
    seconds = log.seconds[truth.chosen]
    for accepted, decision in ((False, 'rejected'), (True, 'accepted')):
        chosen = truth.accepted == accepted
        label = 'accepted' if accepted else 'not accepted'
        axes.plot(
            seconds[chosen],
            np.maximum(truth.errors_m[chosen], 0.01),
            '.',
            color=_COLOURS[decision],
            markersize=3,
            label=label,
        )
    axes.axhline(truth.radius_m, color='0.3', linewidth=0.8, linestyle='--')
    axes.set(yscale='log', xlim=(0, max(log.seconds[-1], 1e-3)))
    axes.legend(**_BESIDE)
    return figure


def motion_figure(motion: Motion) -> Figure:
    """Draw how far it is from one accepted answer to the next, by the map and by odometry."""
    figure, axes = empty_figure('by odometry (m)', 'by the map (m)', (6.0, 6.0))
    for agrees, colour, label in ((True, 'tab:green', 'agree'), (False, 'tab:red', 'differ')):
        chosen = motion.agrees == agrees
        axes.plot(
            np.maximum(motion.by_odometry_m[chosen], 0.01),
            np.maximum(motion.by_map_m[chosen], 0.01),
            '.',
            color=colour,
            label=f'{label} ({int(chosen.sum())})',
        )
    axes.set(xscale='log', yscale='log')
    axes.legend(fontsize='small')
    return figure


def latency_figure(log: ReplayLog) -> Figure:
    """Draw how often the recogniser took how long."""
    figure, axes = empty_figure('time of the recogniser (ms)', 'queries', (6.5, 3.5))
    times_ms = latencies_ms(log)
    axes.hist(times_ms, bins=60, color='tab:blue')
    for share, style in ((50, '-'), (99, '--')):
        value = float(np.percentile(times_ms, share))
        label = f'p{share}: {value:.1f} ms'
        axes.axvline(value, color='0.2', linewidth=0.8, linestyle=style, label=label)
    axes.legend(fontsize='small')
    return figure


def stages_figure(stages: Mapping[str, NDArray[np.float64]]) -> Figure:
    """Draw median and 99th percentile of each stage."""
    figure, axes = empty_figure('time (ms)', '', (6.5, 3.5))
    names = list(stages)
    for share, colour in ((99, 'tab:cyan'), (50, 'tab:blue')):
        values = [float(np.percentile(times, share)) for times in stages.values()]
        axes.barh(names, values, color=colour, label=f'p{share}')
    axes.invert_yaxis()
    axes.legend(fontsize='small')
    return figure
