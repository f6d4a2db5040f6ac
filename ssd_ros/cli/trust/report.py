# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The report of `trust`: tables, reliability diagrams, what tells right from wrong."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from ssd_ros.cli.trust.judged.acceptance import acceptance_of, by_shift
from ssd_ros.cli.trust.judged.charts import group_charts, sure_charts
from ssd_ros.cli.trust.judged.curves import curves_of
from ssd_ros.cli.trust.judged.tables import (
    figures_of,
    grouped,
    Judged,
    pooled_figures,
    text_of,
)
from ssd_ros.datasets.sequence import SENSORS
from ssd_ros.reports.document import markdown_of, Section, Table
from ssd_ros.reports.page import Fact, html_of, Page
from ssd_ros.targets import write_file, write_json, write_markdown

_SUFFIXES = 'json', 'md', 'html'
_COLUMNS = (
    'At least, at most: bounds that hold with 95 % certainty, were the queries independent. '
    'Strangers: queries in maps of other places. ECE: the expected calibration error of the '
    'confidence. AUROC: how often a right answer has the higher confidence than a wrong one.'
)


def write_report(
    name: Path, judged: Sequence[Judged], data: str, tables: Sequence[str | Table]
) -> None:
    """
    Write NAME.json, NAME.md and NAME.html.

    :param data: what the drives are, in words
    :param tables: that were printed
    """
    groups = grouped(judged)
    content = {
        'data': data,
        'drives': [figures_of(item) for item in judged],
        'pooled': {' / '.join(key): pooled_figures(items) for key, items in groups.items()},
        'acceptance': [
            {'shift': shift, 'sensor': sensor, **acceptance_of(group)}
            for (shift, sensor), group in by_shift(judged).items()
        ],
        **curves_of(judged),
    }
    page = Page(
        'How far accepted candidates can be trusted',
        f'{data[:1].upper()}{data[1:]}.',
        [
            Section('How sure', sure_charts(judged)),
            Section('What tells right from wrong', group_charts(judged)),
            Section('What is accepted, in figures', [*tables, _COLUMNS]),
        ],
        _facts(judged),
    )
    figures_path, text_path, page_path = report_paths(name)
    write_json(figures_path, content)
    title = f'Trust in accepted candidates: {data}'
    write_markdown(text_path, markdown_of([Section(title, tables, 1)]))
    write_file(page_path, html_of(page).encode())


def report_paths(name: Path) -> tuple[Path, Path, Path]:
    """Return where the figures, the text and the page of a report go."""
    figures, text, page = (name.with_name(f'{name.name}.{suffix}') for suffix in _SUFFIXES)
    return figures, text, page


def _facts(judged: Sequence[Judged]) -> list[Fact]:
    """Return what is accepted in the maps of each sensor, all radars and worlds together."""
    facts = []
    for sensor in dict.fromkeys(sensor for _, sensor in by_shift(judged)):
        groups = [group for (_, of), group in by_shift(judged).items() if of == sensor]
        inside, strangers = (
            [item for group in groups for item in group[part]] for part in range(2)
        )
        figures, where = acceptance_of(type(groups[0])(inside, strangers)), SENSORS[sensor]
        facts += [
            Fact(
                f'right among accepted, {where} map',
                text_of(figures['accepted_precision']) or '-',
                f'at least {figures["precision_bound"]:.3f}; {figures["num_accepted"]} of '
                f'{figures["num_queries"]} accepted',
            ),
            Fact(f'found, {where} map', text_of(figures['accepted_recall']) or '-', 'of queries '
                 'that have a keyframe in reach'),
            Fact(
                f'strangers accepted, {where} map',
                f'{figures["num_strangers_accepted"]} of {figures["num_strangers"]}',
                f'at most {figures["stranger_bound"]:.2%}',
            ),
        ]  # fmt: skip
    return facts
