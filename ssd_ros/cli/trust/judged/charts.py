# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Charts of how far accepted answers and their confidence can be trusted."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from plotly.graph_objects import Bar, Figure, Scatter
from ssd_ros.cli.trust.judged.acceptance import Answered, by_shift, curve_of
from ssd_ros.cli.trust.judged.curves import curve_values, reliability_by_world, sensors_of
from ssd_ros.cli.trust.judged.tables import grouped, Judged, OTHER_SESSION, reliability_of
from ssd_ros.confidence.model import Reliability
from ssd_ros.datasets.sequence import SENSORS
from ssd_ros.evaluation.metrics import least_share, most_share
from ssd_ros.evaluation.scores.selective import RiskCoverage
from ssd_ros.reports.charts import (
    bars,
    chart,
    line,
    OURS,
    RIGHT,
    shares_over,
    THEIRS,
    WRONG,
)
from ssd_ros.reports.document import Chart

_LEAST_ANSWERS = 5  # bins of fewer say nothing
_MAX_CURVES = 8  # besides that of all: the worst
_MAX_STEPS = 400  # of a distribution
_MAX_ERROR_M = 5.0


def sure_charts(judged: Sequence[Judged]) -> list[Chart]:
    """Return what is risked by answering, and how well confidence foretells it, by sensor."""
    charts = []
    for sensor in sensors_of(judged):
        groups = {shift: group for (shift, of), group in by_shift(judged).items() if of == sensor}
        where = f'maps of {SENSORS[sensor]}'
        charts += [
            Chart(
                f'Wrong among the answers, if the surest are given first: {where}; in '
                f'parentheses the mean; of more than {_MAX_CURVES} radars or maps the worst',
                _risk_chart(groups),
            ),
            Chart(
                f'Share right over confidence: {where}; in parentheses the expected calibration '
                'error; bars: 90 % intervals',
                _reliability_chart(judged, sensor),
            ),
        ]
    return charts


def group_charts(judged: Sequence[Judged]) -> list[Chart]:
    """Return what tells right from wrong in each group of drives."""
    charts = []
    for (sensor, kind), items in grouped(judged).items():
        which = f'maps of {SENSORS[sensor]}, {kind}'
        if kind == OTHER_SESSION:
            caption = f'Position error of the candidate that ranks first: {which}'
            charts.append(Chart(caption, _error_chart(items)))
        charts.append(Chart(f'Overlap of query and keyframe: {which}', _overlap_chart(items)))
    return charts


def _risk_chart(groups: Mapping[str, Answered]) -> Figure:
    pooled = curve_of([item for group in groups.values() for item in group.inside])
    traces = [_risk('all', pooled, {'color': '#22262b', 'width': 3})]
    curves = {shift: curve_of(group.inside) for shift, group in groups.items()}
    if len(curves) > 1:
        worst = sorted(curves, key=lambda shift: -curves[shift].area)[:_MAX_CURVES]
        traces += [_risk(shift, curves[shift], {'width': 1}) for shift in worst]
    figure = chart('share of the queries answered', 'wrong among them', *traces, height=460)
    figure.update_xaxes(range=[0, 1])
    return figure.update_yaxes(rangemode='tozero')


def _risk(name: str, curve: RiskCoverage, style: Mapping[str, object]) -> Scatter:
    values = curve_values(curve)
    return line(values['coverage'], values['risk'], f'{name} ({curve.area:.3f})', line=style)


def _reliability_chart(judged: Sequence[Judged], sensor: str) -> Figure | str:
    inside = [
        item
        for (_, of), group in by_shift(judged).items()
        for item in (group.inside if of == sensor else [])
    ]
    pooled = reliability_of(inside)
    if (pooled.counts < _LEAST_ANSWERS).all():
        return f'No tenth of the confidences has {_LEAST_ANSWERS} answers.'
    traces = [_diagonal(), _diagram('all', pooled, has_bars=True)]
    worlds = reliability_by_world(judged, sensor)
    if len(worlds) > 1:
        worst = sorted(worlds, key=lambda world: -worlds[world].calibration_error)
        traces += [_diagram(world, worlds[world]) for world in worst[:_MAX_CURVES]]
    figure = shares_over('confidence', 'share right', *traces)
    return figure.update_xaxes(range=[-0.02, 1.02])


def _diagonal() -> Scatter:
    style = {'color': THEIRS, 'dash': 'dash', 'width': 1}
    return line([0, 1], [0, 1], 'as it should be', line=style, hoverinfo='skip')


def _diagram(name: str, found: Reliability, has_bars: bool = False) -> Scatter:
    shown = found.counts >= _LEAST_ANSWERS
    counts = found.counts[shown].astype(int).tolist()
    shares = found.share_right[shown].tolist()
    more: dict[str, object] = {'visible': 'legendonly'}
    if has_bars:
        hits = [round(share * count) for share, count in zip(shares, counts, strict=True)]
        points = [
            (share, least_share(num, of), most_share(num, of))
            for share, num, of in zip(shares, hits, counts, strict=True)
        ]
        more = {'error_y': bars(points), 'line': {'color': OURS, 'width': 3}}
    return line(
        found.mean_confidence[shown],
        shares,
        f'{name} ({found.calibration_error:.3f})',
        mode='lines+markers',
        text=[f'{count} answers' for count in counts],
        **more,
    )


def _error_chart(items: Sequence[Judged]) -> Figure | str:
    traces = []
    for label, keep, color in (('accepted', True, RIGHT), ('all', False, THEIRS)):
        errors_m = np.concatenate(
            [
                item.of_first('error_m')[item.answerable & (item.accepted | (not keep))]
                for item in items
            ]
        )
        if len(errors_m):
            shares = np.linspace(0, 1, min(len(errors_m), _MAX_STEPS))
            name = f'{label} ({len(errors_m)})'
            traces.append(line(np.quantile(errors_m, shares), shares, name, line_color=color))
    if not traces:
        return 'No query has a keyframe of the map within reach.'
    figure = shares_over('position error (m)', 'share of the queries within it', *traces)
    return figure.update_xaxes(range=[0, _MAX_ERROR_M])


def _overlap_chart(items: Sequence[Judged]) -> Figure | str:
    overlap = np.concatenate([item.of_first('overlap') for item in items])
    right = np.concatenate([item.right for item in items])
    known = np.isfinite(overlap)
    if not known.any():
        return 'No candidate was verified.'
    edges = np.linspace(0, 1, 41)
    traces = [
        Bar(
            x=(edges[:-1] + edges[1:]) / 2,
            y=np.histogram(overlap[chosen & known], edges)[0],
            name=f'{label} ({int((chosen & known).sum())})',
            marker_color=color,
            opacity=0.7,
        )
        for label, chosen, color in (('right', right, RIGHT), ('wrong', ~right, WRONG))
    ]
    figure = chart('overlap', 'queries', *traces, height=320)
    return figure.update_layout(barmode='overlay', bargap=0)
