# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What a report is made of: sections of paragraphs, tables and charts; and Markdown of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import PurePath
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from plotly.graph_objects import Figure


@dataclass(frozen=True, slots=True)
class Table:
    """
    Rows of text under their heads.

    :param num_words: how many columns, the first ones, hold words; the others hold numbers
    """

    heads: Sequence[str]
    rows: Sequence[Sequence[str]]
    num_words: int = 1

    def markdown(self) -> str:
        """Return lines of Markdown."""
        rule = ['---'] * self.num_words + ['--:'] * (len(self.heads) - self.num_words)
        lines = [_line(self.heads), f'|{"|".join(rule)}|', *map(_line, self.rows)]
        return '\n'.join(lines)


@dataclass(frozen=True, slots=True, eq=False)
class Chart:
    """
    A figure on a page; Markdown has none.

    :param figure: of Plotly, or a sentence that says why there is nothing to draw
    """

    caption: str
    figure: Figure | str


@dataclass(frozen=True, slots=True, eq=False)
class Section:
    """
    What stands under one title.

    :param parts: paragraphs, tables and charts
    :param level: of the title; 2 is the highest within a report
    """

    title: str
    parts: Sequence[str | Table | Chart]
    level: int = 2


def markdown_of(sections: Sequence[Section]) -> str:
    """Return sections as Markdown, without their charts."""
    blocks = []
    for section in sections:
        texts = [
            part.markdown() if isinstance(part, Table) else part
            for part in section.parts
            if not isinstance(part, Chart)
        ]
        title = [f'{"#" * section.level} {section.title}'] if section.title else []
        blocks += title + texts
    return '\n\n'.join(blocks) + '\n'


def shown(value: object) -> str:
    """Return a setting as text: of a path that begins at the root, its last two parts."""
    if isinstance(value, list | tuple):
        return ', '.join(map(shown, value))
    path = PurePath(str(value))
    return str(PurePath(*path.parts[1:][-2:])) if path.is_absolute() else str(value)


def _line(cells: Sequence[str]) -> str:
    texts = (cell.replace('|', r'\|') for cell in cells)
    return f'| {" | ".join(texts)} |'
