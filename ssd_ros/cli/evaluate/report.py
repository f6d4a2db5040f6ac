# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What the command `evaluate` writes: JSON, Markdown, a page."""

from __future__ import annotations

import argparse
from collections.abc import Mapping, Sequence

from ssd_ros.evaluation.queries.protocol import TASKS
from ssd_ros.evaluation.scores.paired import compare_pairs, Comparison
from ssd_ros.evaluation.scores.results import (
    Evaluation,
    METHOD,
    read_evaluation,
    Result,
    select,
    write_evaluation,
)
from ssd_ros.evaluation.tables.papers import markdown
from ssd_ros.reports.document import Chart
from ssd_ros.targets import write_file, write_markdown


def write_reports(
    evaluation: Evaluation, charts: Sequence[Chart], arguments: argparse.Namespace
) -> list[str]:
    """
    Write the files that the arguments ask for.

    :param charts: for the page, beside those of recall
    :return: lines about wins and losses, to be printed
    """
    others: dict[str, tuple[str, Sequence[Result]]] = {}
    if arguments.reference:
        reference = read_evaluation(arguments.reference)
        path = arguments.reference.resolve()
        others[f'{path.parent.name}/{path.stem}'] = METHOD, reference.results
    comparisons = _comparisons(evaluation, others)
    if arguments.json:
        write_evaluation(arguments.json, evaluation)
    if arguments.markdown:
        write_markdown(arguments.markdown, markdown(evaluation, comparisons))
    if arguments.html:
        from ssd_ros.cli.common.recall_page import recall_page

        given = {name: value for name, value in vars(arguments).items() if value not in (None, [])}
        page = recall_page(
            'How well places are recognised',
            evaluation,
            comparisons,
            others,
            charts=charts,
            settings=given,
        )
        write_file(arguments.html, page.encode())
    return [
        f'against {title}: {one.wins} wins, {one.losses} losses of {one.num_queries}, R@1 '
        f'{one.difference:+.3f} [{one.low:+.3f}, {one.high:+.3f}], p {one.p_value:.2g}'
        for title, one in comparisons.items()
    ]


def _comparisons(
    evaluation: Evaluation, others: Mapping[str, tuple[str, Sequence[Result]]]
) -> dict[str, Comparison]:
    """Compare ours with every other method in every task that both have."""
    comparisons = {}
    for title, (method, results) in others.items():
        for task in TASKS:
            ours = select(evaluation.results, task, METHOD)
            if ours and (theirs := select(results, task, method)):
                name = f'{title}, {TASKS[task].title}'
                comparisons[name] = compare_pairs(ours, theirs, task)
    return comparisons
