# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Charts of a replay: where it was answered, when, and how long that took."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray
from plotly.graph_objects import Bar, Figure
from ssd_ros.cli.replay.log import ReplayLog
from ssd_ros.cli.replay.poses import Motion, Truth
from ssd_ros.cli.replay.summary import latencies_ms
from ssd_ros.recognition.candidates import DECISIONS
from ssd_ros.recognition.decision import AcceptLimits
from ssd_ros.reports.charts import (
    chart,
    dots,
    FAINT,
    links,
    OURS,
    panels,
    plan,
    RIGHT,
    THEIRS,
    UNSURE,
    WRONG,
)

_COLOURS = dict(zip(DECISIONS, (RIGHT, UNSURE, FAINT), strict=True))
_LEAST_M = 0.01  # on axes of logarithms
_BINS = 60


def map_chart(log: ReplayLog, keyframes_m: NDArray[np.float64], truth: Truth | None) -> Figure:
    """
    Draw the map and the accepted answers; what was not accepted is there to be switched on.

    :param keyframes_m: shape (K, 2) or (K, 3)
    """
    figure = plan(dots(keyframes_m[:, :2], 'map', '#dfe2e6', 9, hoverinfo='skip'), height=620)
    if truth is None:
        said = log.poses()[:, :2]
        for decision in reversed(DECISIONS):
            chosen = (log.decisions == decision) & log.has_candidate
            figure.add_trace(
                dots(
                    said[chosen],
                    f'{decision} ({int(chosen.sum())})',
                    _COLOURS[decision],
                    visible=True if decision == 'accepted' else 'legendonly',
                    text=_hover(log, chosen),
                )
            )
        return figure
    off = truth.errors_m > truth.radius_m
    said = log.poses()[truth.chosen, :2]
    wrong = truth.accepted & off
    figure.add_trace(links(truth.poses[wrong, :2], said[wrong], WRONG))
    for is_off, accepted, color, name, size in (
        (True, False, FAINT, 'not accepted, best guess wrong', 5),
        (False, False, THEIRS, 'not accepted, best guess right', 5),
        (False, True, RIGHT, f'accepted, within {truth.radius_m:g} m', 7),
        (True, True, WRONG, 'accepted, but wrong', 10),
    ):
        chosen = (off == is_off) & (truth.accepted == accepted)
        at = np.zeros(len(log), bool)
        at[truth.chosen[chosen]] = True
        figure.add_trace(
            dots(
                truth.poses[chosen, :2],
                f'{name} ({int(chosen.sum())})',
                color,
                size,
                visible=True if accepted else 'legendonly',
                text=_hover(log, at),
            )
        )
    return figure


def _hover(log: ReplayLog, chosen: NDArray[np.bool_]) -> list[str]:
    """Return what is said of each point under the pointer."""
    seconds, best = log.seconds[chosen], log.best[chosen]
    return [
        f'{second:.1f} s, confidence {confidence:.2f}, distance {distance:.3f}'
        for second, confidence, distance in zip(
            seconds, best['confidence'], best['distance'], strict=True
        )
    ]


def time_chart(log: ReplayLog, limits: AcceptLimits, truth: Truth | None) -> Figure | str:
    """Draw what is known of the best candidates over time, by decision; dashed: the limits."""
    known = {
        'confidence': limits.min_confidence,
        'distance': limits.max_distance,
        'ratio': limits.max_ratio,
        'support': limits.min_support or None,
    }
    known = {name: limit for name, limit in known.items() if np.isfinite(log.best[name]).any()}
    if not known:
        return 'No query found a candidate: nothing in the map comes near.'
    titles = [*known, 'error (m)'] if truth is not None else [*known]
    figure = panels(titles, 'time (s)', 90 + 170 * len(titles))
    for row, (name, limit) in enumerate(known.items(), 1):
        for decision in reversed(DECISIONS):
            chosen = (log.decisions == decision) & log.has_candidate
            _add(figure, row, log.seconds[chosen], log.best[name][chosen], decision, chosen)
        if limit is not None and np.isfinite(limit):
            figure.add_hline(limit, line_dash='dash', line_width=1, row=row, col=1)
    if truth is not None:
        row, decisions = len(titles), log.decisions[truth.chosen]
        for decision in reversed(DECISIONS):
            chosen = decisions == decision
            errors_m = np.maximum(truth.errors_m[chosen], _LEAST_M)
            _add(figure, row, log.seconds[truth.chosen[chosen]], errors_m, decision, chosen)
        figure.update_yaxes(type='log', row=row, col=1)
        figure.add_hline(truth.radius_m, line_dash='dash', line_width=1, row=row, col=1)
    return figure


def _add(
    figure: Figure,
    row: int,
    seconds: NDArray[np.float64],
    values: NDArray[np.float64],
    decision: str,
    chosen: NDArray[np.bool_],
) -> None:
    """Draw one decision in one panel; the legend has it once."""
    name = f'{decision} ({int(chosen.sum())})'
    more = {'legendgroup': decision, 'showlegend': row == 1}
    points = np.column_stack([seconds, values])
    figure.add_trace(dots(points, name, _COLOURS[decision], 4, **more), row, 1)


def motion_chart(motion: Motion) -> Figure | str:
    """Draw how far it is from one accepted answer to the next, by the map and by odometry."""
    if not len(motion.by_map_m):
        return 'No two accepted answers in a row lie in one map and one piece of odometry.'
    traces = []
    for agrees, color, label in ((True, RIGHT, 'agree'), (False, WRONG, 'differ')):
        chosen = motion.agrees == agrees
        ways_m = np.column_stack([motion.by_odometry_m, motion.by_map_m])[chosen]
        traces.append(dots(np.maximum(ways_m, _LEAST_M), f'{label} ({int(chosen.sum())})', color))
    figure = chart('by odometry (m)', 'by the map (m)', *traces, height=460)
    figure.update_xaxes(type='log')
    return figure.update_yaxes(type='log')


def latency_chart(log: ReplayLog) -> Figure:
    """Draw how often the recogniser took how long."""
    times_ms = latencies_ms(log)
    counts, edges = np.histogram(times_ms, _BINS)
    bars = Bar(x=(edges[:-1] + edges[1:]) / 2, y=counts, marker_color=OURS, showlegend=False)
    figure = chart('time (ms)', 'queries', bars, height=320)
    figure.update_layout(bargap=0)
    for share in (50, 99):
        value = float(np.percentile(times_ms, share))
        text = f'p{share}: {value:.1f} ms'
        figure.add_vline(value, line_dash='dash', line_width=1, annotation_text=text)
    return figure


def stages_chart(stages: Mapping[str, NDArray[np.float64]]) -> Figure:
    """Draw median and 99th percentile of each stage, the longest first."""
    names = sorted(stages, key=lambda name: float(np.median(stages[name])))
    traces = [
        Bar(
            x=[float(np.percentile(stages[name], share)) for name in names],
            y=[name.replace('_', ' ') for name in names],
            name=label,
            marker_color=color,
            orientation='h',
        )
        for share, label, color in ((50, 'median', OURS), (99, '99 of 100 within', FAINT))
    ]
    return chart('time (ms)', '', *traces, height=100 + 44 * len(names))
