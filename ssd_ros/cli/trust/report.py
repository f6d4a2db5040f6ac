# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The report of `trust`: tables, reliability diagrams, what tells right from wrong."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from matplotlib.figure import Figure
import numpy as np
from ssd_ros.cli.common.report_page import empty_figure, html_of_markdown, page, pictures
from ssd_ros.cli.trust.judged.acceptance import acceptance_of, by_shift
from ssd_ros.cli.trust.judged.curves import curves_of, figures_of_curves
from ssd_ros.cli.trust.judged.tables import (
    figures_of,
    grouped,
    Judged,
    pooled_figures,
    reliability_of,
)
from ssd_ros.targets import write_file, write_json, write_markdown

_SUFFIXES = 'json', 'md', 'html'


def write_report(name: Path, judged: Sequence[Judged], data: str, tables: str) -> None:
    """
    Write NAME.json, NAME.md and NAME.html.

    :param data: what the drives are, in words
    :param tables: that were printed
    """
    title = f'Trust in accepted candidates: {data}'
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
    text = f'# {title}\n\n{tables}'
    figures = figures_of_curves(judged)
    for (sensor, kind), items in groups.items():
        which = f'map of {sensor}, {kind}'
        if kind == 'other session':
            figures[f'Reliability: {which}'] = _reliability_figure(items)
            figures[f'Position error of candidates ranked first: {which}'] = _error_figure(items)
        figures[f'Overlap: {which}'] = _overlap_figure(items)
    body = html_of_markdown(text) + pictures(figures)
    figures_path, text_path, page_path = report_paths(name)
    write_json(figures_path, content)
    write_markdown(text_path, text)
    write_file(page_path, page(title, body).encode())


def report_paths(name: Path) -> tuple[Path, Path, Path]:
    """Return where the figures, the text and the page of a report go."""
    figures, text, page = (name.with_name(f'{name.name}.{suffix}') for suffix in _SUFFIXES)
    return figures, text, page


def _reliability_figure(items: Sequence[Judged]) -> Figure:
    found = reliability_of(items)
    figure, axes = empty_figure('confidence', 'share right')
    axes.plot([0, 1], [0, 1], '--', color='gray', lw=1)
    axes.plot(found.mean_confidence, found.share_right, 'o-')
    for x, y, count in zip(
        found.mean_confidence, found.share_right, found.counts.tolist(), strict=True
    ):
        if count:
            axes.annotate(str(count), (x, y), textcoords='offset points', xytext=(6, -10))
    axes.set(title=f'expected calibration error {found.calibration_error:.3f}')
    return figure


def _error_figure(items: Sequence[Judged]) -> Figure:
    figure, axes = empty_figure('position error (m)', 'share of answerable queries')
    for label, keep in (('all', False), ('accepted', True)):
        errors_m = np.concatenate(
            [
                item.of_first('error_m')[item.answerable & (item.accepted | (not keep))]
                for item in items
            ]
        )
        if len(errors_m):
            axes.plot(np.sort(errors_m), np.linspace(0, 1, len(errors_m)), label=label)
    axes.set(xlim=(0, 5), ylim=(0, 1))
    axes.legend()
    return figure


def _overlap_figure(items: Sequence[Judged]) -> Figure:
    figure, axes = empty_figure('overlap', 'queries')
    overlap = np.concatenate([item.of_first('overlap') for item in items])
    right = np.concatenate([item.right for item in items])
    bins = np.linspace(0, 1, 41).tolist()
    axes.hist(overlap[right], bins, alpha=0.6, label='right')
    axes.hist(overlap[~right & np.isfinite(overlap)], bins, alpha=0.6, label='wrong')
    axes.legend()
    return figure
