# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The evaluation as one HTML file that needs nothing else: tables and pictures inside."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from matplotlib.figure import Figure
from ssd_ros.cli.common.report_figures import (
    distance_figure,
    map_figure,
    precision_figure,
    recall_figure,
    returns_figure,
    same_queries,
    views_figure,
)
from ssd_ros.cli.common.report_page import html_of_markdown, page, pictures, settings_table
from ssd_ros.data_origin import radar_of
from ssd_ros.evaluation.scores.results import Evaluation, METHOD, Result, select


def html_report(
    evaluation: Evaluation,
    text: str,
    others: Mapping[str, tuple[str, Sequence[Result]]],
    further: Mapping[str, Figure | None],
) -> str:
    """
    Return the document.

    :param text: the Markdown report
    :param others: what to draw wins and losses against: under its title, the method and results
    :param further: pictures by their captions
    """
    results = [result for result in evaluation.results if result.is_answerable]
    curves = {
        'Recall over the answers looked at': recall_figure(results),
        'Precision and recall of a threshold on the distance': precision_figure(results),
        'R@1 over the distance to the map; bars: one standard error': distance_figure(results),
        'R@1 over the returns in the query': returns_figure(results),
        'R@1 over the views of the map': views_figure(results),
        **further,
    }
    maps = {}
    for result in select(results, 'multi', METHOD):
        maps[f'{result.title}: right and wrong'] = map_figure(result)
        for title, (method, theirs) in others.items():
            if other := same_queries(result, theirs, method):
                maps[f'{result.title}: ours against {title}'] = map_figure(result, other)
    title = f'Evaluation, {radar_of(evaluation.origin)}'
    return page(
        title,
        f'{html_of_markdown(text)}\n<h2>Curves</h2>\n{pictures(curves)}\n'
        f'<h2>Where</h2>\n{pictures(maps)}\n'
        f'<h2>Made with</h2>\n{settings_table(evaluation.settings)}',
    )
