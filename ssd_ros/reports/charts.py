# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""How charts look: one style, and what the traces of all reports share."""

from __future__ import annotations

from collections.abc import Sequence
import html
from typing import Any

import numpy as np
from numpy.typing import NDArray
import plotly.graph_objects as go
from plotly.subplots import make_subplots

# Okabe and Ito's, which the colour-blind tell apart.
RIGHT, WRONG, UNSURE, OURS, THEIRS = '#009e73', '#d55e00', '#e69f00', '#0072b2', '#8a8f98'
FAINT = '#c9cdd3'
_FRAME_PIXELS, _ROW_PIXELS = 130, 28
SERIES = (OURS, UNSURE, RIGHT, WRONG, '#56b4e9', '#cc79a7', '#7a6a00', '#444444')
_GRID = {'gridcolor': '#e8eaed', 'zeroline': False, 'linecolor': '#c9cdd3', 'automargin': True}
_LAYOUT: dict[str, Any] = {
    'template': 'none',
    'font': {'family': 'system-ui, sans-serif', 'size': 13, 'color': '#22262b'},
    'margin': {'l': 56, 'r': 16, 't': 16, 'b': 48},
    'colorway': SERIES,
    'legend': {'orientation': 'h', 'yanchor': 'bottom', 'y': 1.02, 'x': 0},
    'hovermode': 'closest',
    'showlegend': True,
}


def words(text: str) -> str:
    """Return a name as it is: Plotly reads some tags, and names of drives may hold any."""
    return html.escape(text, quote=False)


def chart(
    x_label: str, y_label: str, *traces: go.Scatter | go.Bar, height: int = 380
) -> go.Figure:
    """
    Return a figure with one pair of axes.

    :param height: in pixels; its width is that of the page
    """
    figure = go.Figure(list(traces), go.Layout(**_LAYOUT, height=height))
    figure.update_xaxes(title_text=x_label, **_GRID)
    figure.update_yaxes(title_text=y_label, **_GRID)
    return figure


def panels(
    titles: Sequence[str], x_label: str, height: int, columns: bool = False, **more: Any
) -> go.Figure:
    """
    Return a figure of several pairs of axes that share one, which is labelled once.

    :param titles: of the panels: labels of the vertical axes, or titles of columns
    :param columns: the panels stand side by side and share the vertical axis
    :param more: for plotly.subplots.make_subplots
    """
    num = len(titles)
    if columns:
        shape = {'rows': 1, 'cols': num, 'shared_yaxes': True, 'column_titles': list(titles)}
    else:
        shape = {'rows': num, 'cols': 1, 'shared_xaxes': True, 'vertical_spacing': 0.04}
    figure = make_subplots(**shape, **more)
    figure.update_layout(**_LAYOUT, height=height)
    figure.update_xaxes(**_GRID)
    figure.update_yaxes(**_GRID)
    if columns:
        figure.update_layout(margin_t=64, showlegend=False)
        figure.update_xaxes(title_text=x_label)
    else:
        figure.update_xaxes(title_text=x_label, row=num, col=1)
        for row, title in enumerate(titles, 1):
            figure.update_yaxes(title_text=title, row=row, col=1)
    return figure


def dots(points: NDArray[Any], name: str, color: str, size: float = 6, **more: Any) -> go.Scatter:
    """
    Return points under one name.

    :param points: shape (N, 2)
    :param more: for plotly.graph_objects.Scatter
    """
    x, y = np.reshape(points, (-1, 2)).T
    marker = {'color': color, 'size': size, **more.pop('marker', {})}
    return line(x, y, name, mode='markers', marker=marker, **more)


def line(
    x: Sequence[Any] | NDArray[Any], y: Sequence[Any] | NDArray[Any], name: str, **more: Any
) -> go.Scatter:
    """Return a line under one name; `more` is for plotly.graph_objects.Scatter."""
    return go.Scatter(x=x, y=y, name=words(name), **{'mode': 'lines', **more})


def links(starts: NDArray[np.float64], ends: NDArray[np.float64], color: str) -> go.Scatter:
    """Return thin lines from point to point, shapes (N, 2), as one trace without a name."""
    gaps = np.full_like(starts, np.nan)
    x, y = np.stack([starts, ends, gaps], axis=1).reshape(-1, 2).T
    style = {'color': color, 'width': 1}
    return go.Scatter(x=x, y=y, mode='lines', line=style, hoverinfo='skip', showlegend=False)


def bars(points: Sequence[tuple[float, float, float]]) -> dict[str, Any]:
    """Return error bars: of each value the lower and the upper end of its interval."""
    values, lows, highs = np.reshape(points, (-1, 3)).T
    return {
        'type': 'data',
        'symmetric': False,
        'array': np.maximum(highs - values, 0).tolist(),
        'arrayminus': np.maximum(values - lows, 0).tolist(),
        'thickness': 1.5,
        'width': 3,
    }


def intervals(
    points: Sequence[tuple[float, float, float]],
    labels: Sequence[str],
    name: str,
    color: str,
    **more: Any,
) -> go.Scatter:
    """
    Return a row for each label: a value and its interval.

    :param points: of each row the value, the lower and the upper end
    :param more: for plotly.graph_objects.Scatter
    """
    values, names = [value for value, *_ in points], list(map(words, labels))
    style = {'color': color, 'size': 9}
    more = {'mode': 'markers', 'marker': style, 'error_x': bars(points), **more}
    return line(values, names, name, **more)


def rows(x_label: str, labels: Sequence[str], *traces: go.Scatter) -> go.Figure:
    """
    Return a chart with a row for each label.

    :param labels: from top to bottom
    """
    figure = chart(x_label, '', *traces, height=_FRAME_PIXELS + _ROW_PIXELS * len(labels))
    ordered = [words(label) for label in reversed(labels)]
    return figure.update_yaxes(categoryorder='array', categoryarray=ordered)


def shares_over(x_label: str, y_label: str, *traces: go.Scatter | go.Bar) -> go.Figure:
    """Return a chart whose vertical axis runs from none to all."""
    figure = chart(x_label, y_label, *traces)
    figure.update_yaxes(range=[-0.02, 1.02])
    return figure


def plan(*traces: go.Scatter, height: int = 560) -> go.Figure:
    """Return a chart of a map in metres, as wide as it is high."""
    figure = chart('x (m)', 'y (m)', *traces, height=height)
    figure.update_yaxes(scaleanchor='x', scaleratio=1)
    figure.update_layout(legend_itemsizing='constant')
    return figure
