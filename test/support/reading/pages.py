# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Read the pages that commands write, as a browser does."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from dataclasses import dataclass
from html.parser import HTMLParser
import json
from pathlib import Path
from typing import Any

import numpy as np


@dataclass(frozen=True)
class ReadPage:
    """
    What a page holds.

    :param facts: each as one line: name, value, note
    :param charts: figures by their captions; those with nothing to draw are the sentence why
    """

    text: str
    facts: list[str]
    charts: Mapping[str, Any]

    def says(self, text: str) -> bool:
        return text in self.text


class _Reader(HTMLParser):
    """Collects facts and charts; HTML refuses nothing, so that it asks for no other file here."""

    def __init__(self) -> None:
        super().__init__()
        self.stack: list[tuple[str, dict[str, str | None]]] = []
        self.facts: list[str] = []
        self.charts: dict[str, Any] = {}
        self.caption = ''

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        assert {'src', 'href'} & given.keys() == set(), f'{tag} asks for another file'
        if tag not in ('meta', 'br'):
            self.stack.append((tag, given))
        if tag == 'dt':
            self.facts.append('')
        if tag == 'figcaption':
            self.caption = ''

    def handle_endtag(self, tag: str) -> None:
        opened, _ = self.stack.pop()
        assert opened == tag

    def handle_data(self, data: str) -> None:
        tags = [tag for tag, _ in self.stack]
        if {'dt', 'dd'} & set(tags):
            self.facts[-1] = f'{self.facts[-1]} {" ".join(data.split())}'.strip()
        elif 'figcaption' in tags:
            self.caption += data
        elif tags[-2:] == ['figure', 'p']:
            self.charts[self.caption] = data
        elif tags and self.stack[-1][1].get('type') == 'application/json':
            self.charts[self.caption] = json.loads(data)


def page_of(path: Path) -> ReadPage:
    """Read a page; every element of it is closed, and it asks for no other file."""
    text = path.read_text()
    reader = _Reader()
    reader.feed(text)
    reader.close()
    assert reader.stack == []
    assert "default-src 'none'" in text
    return ReadPage(text, reader.facts, reader.charts)


def numbers(values: Any) -> list[float]:
    """Return the numbers of a trace, which Plotly may have packed."""
    if isinstance(values, dict):
        return np.frombuffer(base64.b64decode(values['bdata']), values['dtype']).tolist()
    return [float('nan') if value is None else value for value in values]
