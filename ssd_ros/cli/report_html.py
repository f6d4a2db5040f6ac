# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The evaluation as one HTML file that needs nothing else: tables and pictures inside."""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
import html
import io

from matplotlib.figure import Figure
from ssd_ros.cli.report_figures import (
    distance_figure,
    map_figure,
    precision_figure,
    recall_figure,
    returns_figure,
    same_queries,
    views_figure,
)
from ssd_ros.evaluation.results import Evaluation, METHOD, Result, select

_STYLE = """
body { font: 15px/1.5 sans-serif; max-width: 72em; margin: 2em auto; padding: 0 1em; color: #222 }
table { border-collapse: collapse; margin: 1em 0; font-size: 13px; display: block;
        overflow-x: auto }
th, td { border: 1px solid #ccc; padding: .2em .6em; text-align: left }
figure { display: inline-block; margin: 1em 1em 1em 0; max-width: 100% }
img { max-width: 100% }
figcaption { font-size: 13px; color: #555 }
"""


def html_report(
    evaluation: Evaluation,
    text: str,
    others: Mapping[str, tuple[str, Sequence[Result]]],
    masks: Figure | None,
) -> str:
    """
    Return the document.

    :param text: the Markdown report
    :param others: what to draw wins and losses against: under its title, the method and results
    :param masks: one place as both radars see it
    """
    results = [result for result in evaluation.results if result.is_answerable]
    curves = {
        'Recall over the answers looked at': recall_figure(results),
        'Precision and recall of a threshold on the distance': precision_figure(results),
        'R@1 over the distance to the map; bars: one standard error': distance_figure(results),
        'R@1 over the returns in the query': returns_figure(results),
        'R@1 over the views of the map': views_figure(results),
        'Blocks of the image in which both radars, or one, have returns': masks,
    }
    maps = {}
    for result in select(results, 'multi', METHOD):
        maps[f'{result.title}: right and wrong'] = map_figure(result)
        for title, (method, theirs) in others.items():
            if other := same_queries(result, theirs, method):
                maps[f'{result.title}: ours against {title}'] = map_figure(result, other)
    title = 'Evaluation, simulated radar' if evaluation.is_simulated else 'Evaluation'
    settings = ''.join(
        f'<tr><th>{html.escape(name)}</th><td>{html.escape(value)}</td></tr>'
        for name, value in evaluation.settings.items()
    )
    return (
        f'<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8"><title>{title}</title>'
        f'<style>{_STYLE}</style></head><body>\n{html_of_markdown(text)}\n'
        f'<h2>Curves</h2>\n{_pictures(curves)}\n<h2>Where</h2>\n{_pictures(maps)}\n'
        f'<h2>Made with</h2>\n<table>{settings}</table>\n</body></html>\n'
    )


def _pictures(figures: Mapping[str, Figure | None]) -> str:
    parts = []
    for caption, figure in figures.items():
        if figure is not None:
            file = io.BytesIO()
            figure.savefig(file, format='png', dpi=100)
            data, text = base64.b64encode(file.getvalue()).decode(), html.escape(caption)
            parts.append(
                f'<figure><img alt="{text}" src="data:image/png;base64,{data}">'
                f'<figcaption>{text}</figcaption></figure>'
            )
    return '\n'.join(parts)


def html_of_markdown(text: str) -> str:
    """Convert what the tables' Markdown uses: headings, paragraphs, tables, bold."""
    return '\n'.join(_block(block) for block in text.strip().split('\n\n'))


def _block(block: str) -> str:
    lines = block.splitlines()
    if lines[0].startswith('#'):
        level = len(lines[0]) - len(lines[0].lstrip('#'))
        return f'<h{level}>{_inline(lines[0].lstrip("# "))}</h{level}>'
    if lines[0].startswith('|'):
        head, *rows = (line.strip('|').split('|') for line in lines if line[:4] != '|---')
        return f'<table>{_row(head, "th")}{"".join(_row(row, "td") for row in rows)}</table>'
    return f'<p>{_inline(block)}</p>'


def _row(cells: Sequence[str], kind: str) -> str:
    texts = ''.join(f'<{kind}>{_inline(cell.strip())}</{kind}>' for cell in cells)
    return f'<tr>{texts}</tr>'


def _inline(text: str) -> str:
    parts = html.escape(text, quote=False).split('**')
    return ''.join(f'<b>{part}</b>' if number % 2 else part for number, part in enumerate(parts))
