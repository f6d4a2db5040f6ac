# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The page of the command `replay`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ssd_ros.cli.replay.charts import (
    latency_chart,
    map_chart,
    motion_chart,
    stages_chart,
    time_chart,
)
from ssd_ros.cli.replay.log import ReplayLog
from ssd_ros.cli.replay.poses import Motion, Truth
from ssd_ros.cli.replay.run import Replay
from ssd_ros.cli.replay.summary import number, rows_of
from ssd_ros.data_origin import radar_of
from ssd_ros.evaluation.metrics import least_share
from ssd_ros.reports.document import Chart, Section, Table
from ssd_ros.reports.page import Fact, html_of, Page
from ssd_ros.ros.parameters.node import OPTIONS, value_of


def html_report(
    replay: Replay, log: ReplayLog, judged: Truth | Motion | None, summary: Mapping[str, Any]
) -> str:
    """Return the document."""
    truth = judged if isinstance(judged, Truth) else None
    settings = {
        option.name: value_of(replay.parameters, option.name)
        for option in OPTIONS
        if value_of(replay.parameters, option.name) != option.default
    }
    sections = [
        Section('Where', _places(replay, log, judged)),
        Section(
            'When',
            [Chart('The best candidate of each query; dashed: what it is accepted by',
                   time_chart(log, replay.limits(), truth))],
        ),
        Section(
            'How long',
            [
                Chart('The recogniser, without reading', latency_chart(log)),
                Chart('Its stages', stages_chart(log.times_ms)),
            ],
        ),
        Section('In figures', [Table(['', ''], rows_of(summary), 2)]),
    ]  # fmt: skip
    page = Page(
        f'Replay of {summary["recording"]}',
        f'{radar_of(summary["origin"]).capitalize()}.',
        sections,
        _facts(log, truth, summary),
        summary['warnings'],
        settings,
    )
    return html_of(page)


def _places(replay: Replay, log: ReplayLog, judged: Truth | Motion | None) -> list[str | Chart]:
    truth = judged if isinstance(judged, Truth) else None
    caption = 'The map and the accepted answers; the legend switches the others on'
    figure: Any = map_chart(log, replay.keyframes_m(), truth)
    if not log.has_candidate.any():
        figure = 'No query found a candidate: is it a drive in the place of the map?'
    places: list[str | Chart] = [Chart(caption, figure)]
    if log.has_candidate.any() and not log.accepted.any():
        places.insert(0, 'Nothing was accepted; "When" shows which limit the candidates miss.')
    if isinstance(judged, Motion):
        caption = 'From one accepted answer to the next: by the map and by odometry'
        places.append(Chart(caption, motion_chart(judged)))
    return places


def _facts(log: ReplayLog, truth: Truth | None, summary: Mapping[str, Any]) -> list[Fact]:
    accepted, queries = summary['accepted'], summary['queries']
    facts = [Fact('accepted', f'{accepted} of {queries}', f'{summary["accept_rate"]:.1%}')]
    if truth is not None:
        figures = summary['truth']
        within = truth.accepted & (truth.errors_m <= truth.radius_m)
        good, num = int(within.sum()), int(truth.accepted.sum())
        radius = f'within {figures["radius_m"]:g} m'
        asked = f'{figures["queries_in_map"]} queries {radius} of the map'
        precision = number(figures['accepted_precision'], '.3f')
        facts += [
            Fact(
                f'accepted poses {radius}',
                f'{good} of {num}',
                f'at least {least_share(good, num):.1%}; keyframes {radius}: {precision}',
            ),
            Fact('accepted and right', number(figures['accepted_recall'], '.3f'), f'of {asked}'),
            Fact('R@1', number(figures['recall_at_1'], '.3f'), asked),
            Fact(
                'median error',
                f'{number(figures["median_error_m"], ".2f")} m',
                f'{number(figures["median_yaw_error_deg"], ".2f")} degrees',
            ),
        ]
    elif odometry := summary['odometry']:
        share = number(odometry['agreeing'], '.3f')
        facts.append(Fact('agree with odometry', share, f'of {odometry["pairs"]} accepted pairs'))
    times = summary['latency_ms']['recogniser']
    facts.append(Fact('time of a query', f'{times["p50"]:.1f} ms', f'p99 {times["p99"]:.1f} ms'))
    return facts
