# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The report of `compare`: every method, every drive, wins and losses, costs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from ssd_ros.cli.common.pictures import write_figure
from ssd_ros.cli.common.report_html import html_report
from ssd_ros.cli.compare.figure import methods_figure
from ssd_ros.cli.compare.rows import Comparing, costs_by_method, methods_there, rows_of
from ssd_ros.data_origin import radar_of
from ssd_ros.evaluation.queries.protocol import TASKS
from ssd_ros.evaluation.scores.paired import compare_pairs, Comparison
from ssd_ros.evaluation.scores.results import Evaluation, METHOD, select
from ssd_ros.evaluation.tables.methods import (
    costs_table,
    methods_of,
    recall_table,
    strongest_baseline,
)
from ssd_ros.evaluation.tables.papers import markdown
from ssd_ros.targets import write_file, write_markdown

REPORTS = 'compare.md', 'compare.html', 'compare.png'
_COSTS = """Time of one core of a CPU for a 4D query in a map of the spinning radar; a place is
one keyframe with all its views. `~`: reckoned from the largest map that fits into 1 GiB."""


def write_report(comparing: Comparing, known: Sequence[str]) -> str:
    """
    Write compare.md, compare.html and compare.png.

    :param known: methods in the order of the tables; others that have rows come after them
    :return: the tables of recall and costs
    """
    methods = methods_there(comparing, known)
    evaluation = rows_of(comparing, methods)
    recall = (
        f'## Methods\n\nAR@1 / AR@1%, means over drives.\n\n{recall_table(evaluation.results)}'
    )
    costs = costs_table(costs_by_method(comparing, methods))
    summary = f'{recall}\n\n## Costs\n\n{_COSTS}\n\n{costs}'
    text = f'{markdown(evaluation, _comparisons(evaluation))}\n{summary}\n'
    write_markdown(comparing.out / REPORTS[0], text)
    page = _page(evaluation, text)
    write_file(comparing.out / REPORTS[1], page.encode())
    write_figure(comparing.out / REPORTS[2], methods_figure(evaluation), 110)
    return f'{radar_of(evaluation.origin)}\n\n{summary}'


def _page(evaluation: Evaluation, text: str) -> str:
    """Return the HTML report, whose curves are of ours and of the strongest others."""
    results = evaluation.results
    strongest = {name for task in TASKS if (name := strongest_baseline(results, task)) is not None}
    shown = [result for result in results if result.method in {METHOD, *strongest}]
    others = {name: (name, results) for name in sorted(strongest)}
    drawn = replace(evaluation, results=shown)
    return html_report(drawn, text, others, {'All methods': methods_figure(evaluation)})


def _comparisons(evaluation: Evaluation) -> dict[str, Comparison]:
    """Compare ours with every other method, query by query."""
    comparisons = {}
    for task, kind in TASKS.items():
        ours = select(evaluation.results, task, METHOD)
        for method in methods_of(evaluation.results):
            theirs = select(evaluation.results, task, method)
            if method != METHOD and ours and theirs:
                title = f'{method}, {kind.title}'
                comparisons[title] = compare_pairs(ours, theirs, task)
    return comparisons
