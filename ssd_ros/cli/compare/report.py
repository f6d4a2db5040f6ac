# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The report of `compare`: every method, every drive, wins and losses, costs."""

from __future__ import annotations

from collections.abc import Sequence

from plotly.graph_objects import Figure
from ssd_ros.cli.common.recall_page import recall_page
from ssd_ros.cli.compare.rows import Comparing, costs_by_method, methods_there, rows_of
from ssd_ros.data_origin import radar_of
from ssd_ros.evaluation.queries.protocol import TASKS
from ssd_ros.evaluation.scores.paired import compare_pairs, Comparison, seed_mean
from ssd_ros.evaluation.scores.results import Evaluation, METHOD, Result, select
from ssd_ros.evaluation.tables.methods import (
    best_first,
    closures_table,
    costs_table,
    methods_of,
    recall_table,
    said,
    strongest_baseline,
    tasks_of,
)
from ssd_ros.evaluation.tables.papers import markdown
from ssd_ros.reports.charts import intervals, OURS, RIGHT, rows, THEIRS, UNSURE
from ssd_ros.reports.document import Chart, markdown_of, Section
from ssd_ros.targets import write_file, write_markdown

REPORTS = 'compare.md', 'compare.html'
_COLOURS = {'ours': OURS, 'repaired': RIGHT, 'as released': THEIRS, 'other models': UNSURE}
_ACCEPTED = """What the methods that close loops accept: how many queries / how many of these are
right by the radius / right ones of all queries that can be answered."""
_COSTS = """Time of one core of a CPU for a 4D query in a map of the spinning radar; a place is
one keyframe with all its views. `~`: reckoned from the largest map that fits into 1 GiB."""


def write_report(comparing: Comparing, known: Sequence[str]) -> str:
    """
    Write compare.md and compare.html.

    :param known: methods in the order of the tables; others that have rows come after them
    :return: the tables of recall and costs
    """
    methods = methods_there(comparing, known)
    evaluation = rows_of(comparing, methods)
    results = evaluation.results
    recall = Section(
        'Methods', ['AR@1 / AR@1%, means over drives; best first.', recall_table(results)]
    )
    costs = Section('Costs', [_COSTS, costs_table(costs_by_method(comparing, methods))])
    summaries = [recall, *_closures(results), costs]
    summary, comparisons = markdown_of(summaries), _comparisons(evaluation)
    write_markdown(comparing.out / REPORTS[0], f'{markdown(evaluation, comparisons)}\n{summary}')
    answerable = [result for result in results if result.is_answerable]
    charts = [
        Chart(
            f'{TASKS[task].title}: R@1, mean over drives, with its 95 % interval',
            methods_chart(answerable, task),
        )
        for task in tasks_of(answerable)
    ]
    strongest = {name for task in TASKS if (name := strongest_baseline(results, task)) is not None}
    page = recall_page(
        'Methods beside each other',
        evaluation,
        comparisons,
        {name: (name, results) for name in sorted(strongest)},
        first=[Section(recall.title, [*charts, *recall.parts]), *summaries[1:]],
        drawn=[METHOD, *strongest],
        settings={'cache': comparing.caches},
    )
    write_file(comparing.out / REPORTS[1], page.encode())
    return f'{radar_of(evaluation.origin)}\n\n{summary}'


def methods_chart(results: Sequence[Result], task: str) -> Figure:
    """Draw the mean R@1 of every method in a task with its interval, best first."""
    methods = [method for method in best_first(results, task) if select(results, task, method)]
    traces = []
    for kind, color in _COLOURS.items():
        there = [method for method in methods if _kind(method) == kind]
        means = [seed_mean([select(results, task, method)], task) for method in there]
        points = [(one.mean, one.low, one.high) for one in means]
        if points:
            traces.append(intervals(points, list(map(said, there)), kind, color))
    figure = rows('R@1', list(map(said, methods)), *traces)
    return figure.update_xaxes(range=[-0.02, 1.02])


def _closures(results: Sequence[Result]) -> list[Section]:
    """Return the section on what the methods that decide accept, none if there is none."""
    if all(result.records.accepted is None for result in results):
        return []
    return [Section('Closures', [_ACCEPTED, closures_table(results)])]


def _kind(method: str) -> str:
    if method == METHOD:
        return 'ours'
    ending = method.rpartition('_')[2]
    return {'released': 'as released', 'repaired': 'repaired'}.get(ending, 'other models')


def _comparisons(evaluation: Evaluation) -> dict[str, Comparison]:
    """Compare ours with every other method, query by query."""
    comparisons = {}
    for task, kind in TASKS.items():
        ours = select(evaluation.results, task, METHOD)
        for method in methods_of(evaluation.results):
            theirs = select(evaluation.results, task, method)
            if method != METHOD and ours and theirs:
                title = f'{said(method)}, {kind.title}'
                comparisons[title] = compare_pairs(ours, theirs, task)
    return comparisons
