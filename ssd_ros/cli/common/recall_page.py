# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The page of an evaluation, as `evaluate` and `compare` write it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from ssd_ros.cli.common.recall_charts import places_chart, recall_charts, same_queries
from ssd_ros.evaluation.queries.protocol import TASKS
from ssd_ros.evaluation.scores.paired import Comparison, seed_mean
from ssd_ros.evaluation.scores.results import Evaluation, METHOD, Result, select
from ssd_ros.evaluation.tables.methods import tasks_of
from ssd_ros.evaluation.tables.papers import lead_of, protocol_of, sections_of
from ssd_ros.reports.document import Chart, Section
from ssd_ros.reports.page import Fact, html_of, Page


def recall_page(
    title: str,
    evaluation: Evaluation,
    comparisons: Mapping[str, Comparison],
    others: Mapping[str, tuple[str, Sequence[Result]]],
    *,
    first: Sequence[Section] = (),
    charts: Sequence[Chart] = (),
    drawn: Sequence[str] | None = None,
    settings: Mapping[str, object],
) -> str:
    """
    Return the document.

    :param comparisons: under their title, ours against another method
    :param others: what to draw wins and losses against: under its title, the method and results
    :param first: sections that come before all others
    :param charts: further ones
    :param drawn: the methods that have curves; None = all
    """
    results = [result for result in evaluation.results if result.is_answerable]
    shown = [result for result in results if drawn is None or result.method in drawn]
    places: list[str | Chart] = []
    for task in tasks_of(results):
        for result in select(results, task, METHOD) if TASKS[task].is_multi_session else []:
            places.append(places_chart(result))
            for method, theirs in others.values():
                if other := same_queries(result, theirs, method):
                    places.append(places_chart(result, other))
    page = Page(
        title,
        lead_of(evaluation),
        [
            *first,
            Section('Where', places or ['No drive was asked of the map of another one.']),
            Section('How often', [*recall_charts(shown), *charts]),
            Section('What was asked', [protocol_of(evaluation)]),
            *sections_of(evaluation, comparisons),
        ],
        [_fact(results, task) for task in tasks_of(_ours(results))],
        settings=settings,
    )
    return html_of(page)


def _ours(results: Sequence[Result]) -> list[Result]:
    """Return our results under the evaluation's protocol."""
    return [result for result in results if (result.method, result.variant) == (METHOD, '')]


def _fact(results: Sequence[Result], task: str) -> Fact:
    ours = select(results, task, METHOD)
    mean = seed_mean([ours], task)
    num = sum(int(result.records.answerable.sum()) for result in ours)
    return Fact(
        f'R@1, {TASKS[task].title}',
        f'{mean.mean:.3f}',
        f'{mean.low:.3f} .. {mean.high:.3f}; {num} queries, pairs of drives: {len(ours)}',
    )
