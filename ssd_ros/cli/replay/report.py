# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The report of the command `replay`: summary and plots in one HTML file."""

from __future__ import annotations

from collections.abc import Mapping
import html
from typing import Any

from matplotlib.figure import Figure
from ssd_ros.cli.common.report_page import page, pictures, settings_table
from ssd_ros.cli.replay.figures import (
    error_figure,
    latency_figure,
    map_figure,
    motion_figure,
    stages_figure,
    time_figure,
)
from ssd_ros.cli.replay.log import ReplayLog
from ssd_ros.cli.replay.poses import Motion, Truth
from ssd_ros.cli.replay.run import Replay
from ssd_ros.cli.replay.summary import text_of
from ssd_ros.data_origin import radar_of
from ssd_ros.ros.parameters.node import OPTIONS, value_of


def html_report(
    replay: Replay, log: ReplayLog, judged: Truth | Motion | None, summary: Mapping[str, Any]
) -> str:
    """Return the document."""
    truth = judged if isinstance(judged, Truth) else None
    places = {'The map and the accepted answers': map_figure(log, replay.keyframes_m(), truth)}
    if isinstance(judged, Motion):
        places['From one accepted answer to the next: by the map, by odometry'] = motion_figure(
            judged
        )
    settings = {
        option.name: value_of(replay.parameters, option.name)
        for option in OPTIONS
        if value_of(replay.parameters, option.name) != option.default
    }
    title = f'Replay of {summary["recording"]}, {radar_of(summary["origin"])}'
    return page(
        title,
        f'<h1>{html.escape(title)}</h1>\n<pre>{html.escape(text_of(summary))}</pre>\n'
        f'<h2>Where</h2>\n{pictures(places)}\n'
        f'<h2>When</h2>\n{pictures(_over_time(replay, log, truth))}\n'
        f'<h2>How long</h2>\n{pictures(_durations(log))}\n'
        f'<h2>Parameters that are not at their default</h2>\n{settings_table(settings)}',
    )


def _over_time(replay: Replay, log: ReplayLog, truth: Truth | None) -> dict[str, Figure | None]:
    limits = replay.limits()
    figures = {
        'Distance of the best candidate': time_figure(log, 'distance', limits.max_distance),
        'Ratio of its distance to that of the best other place': time_figure(
            log, 'ratio', limits.max_ratio
        ),
        'Confidence': time_figure(log, 'confidence', limits.min_confidence),
        'Support: share of the recent queries that agree': time_figure(
            log, 'support', limits.min_support or None
        ),
    }
    if truth is not None:
        figures['Error of the position by the best candidate'] = error_figure(log, truth)
    return figures


def _durations(log: ReplayLog) -> dict[str, Figure]:
    return {
        'The recogniser, without reading': latency_figure(log),
        'Its stages': stages_figure(log.times_ms),
    }
