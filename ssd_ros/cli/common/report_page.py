# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What the reports share: one HTML file that needs no other, its tables, its pictures."""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
import html

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from ssd_ros.cli.common.pictures import png_of
from ssd_ros.targets import GENERATOR

_STYLE = """
body { font: 15px/1.5 sans-serif; max-width: 72em; margin: 2em auto; padding: 0 1em; color: #222 }
table { border-collapse: collapse; margin: 1em 0; font-size: 13px; display: block;
        overflow-x: auto }
th, td { border: 1px solid #ccc; padding: .2em .6em; text-align: left }
figure { display: inline-block; margin: 1em 1em 1em 0; max-width: 100% }
img { max-width: 100% }
figcaption { font-size: 13px; color: #555 }
"""


def page(title: str, body: str) -> str:
    """
    Return the document.

    :param body: HTML
    """
    return (
        f'<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8">'
        f'<meta name="generator" content="{GENERATOR}">'
        f'<title>{html.escape(title)}</title><style>{_STYLE}</style></head><body>\n'
        f'{body}\n</body></html>\n'
    )


def settings_table(settings: Mapping[str, object]) -> str:
    """Return a table of names and values."""
    rows = ''.join(
        f'<tr><th>{html.escape(name)}</th><td>{html.escape(str(value))}</td></tr>'
        for name, value in settings.items()
    )
    return f'<table>{rows}</table>'


def empty_figure(
    x_label: str, y_label: str, size: tuple[float, float] = (6.5, 4.5)
) -> tuple[Figure, Axes]:
    """Return a figure with one grid to draw on."""
    figure = Figure(figsize=size, layout='constrained')
    axes = figure.add_subplot()
    axes.set(xlabel=x_label, ylabel=y_label)
    axes.grid(alpha=0.3)
    return figure, axes


def pictures(figures: Mapping[str, Figure | None]) -> str:
    """Return figures with captions, those that are None left out; their data are inside."""
    parts = []
    for caption, figure in figures.items():
        if figure is not None:
            data, text = base64.b64encode(png_of(figure)).decode(), html.escape(caption)
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
