# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""A report as one HTML file that needs nothing else: template, tables, Plotly and its charts."""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
import gzip

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup
from plotly.graph_objects import Figure
from plotly.offline import get_plotlyjs
from ssd_ros.reports.document import Chart, Section, shown, Table
from ssd_ros.targets import GENERATOR


@dataclass(frozen=True, slots=True)
class Fact:
    """
    A figure that stands at the top.

    :param value: with its unit
    :param note: its interval, or what it is of
    """

    name: str
    value: str
    note: str = ''


@dataclass(frozen=True, slots=True, eq=False)
class Page:
    """
    A report.

    :param lead: what the data are, in a sentence
    :param warnings: what to know before trusting the figures
    :param settings: what it was made with; of paths that begin at the root the end is shown
    """

    title: str
    lead: str
    sections: Sequence[Section]
    facts: Sequence[Fact] = ()
    warnings: Sequence[str] = ()
    settings: Mapping[str, object] = field(default_factory=dict)


def html_of(page: Page) -> str:
    """Return the document. Names in it are shown as they are, whatever they hold."""
    settings = {name: shown(value) for name, value in page.settings.items()}
    has_charts = any(
        isinstance(part, Chart) and not isinstance(part.figure, str)
        for section in page.sections
        for part in section.parts
    )
    return _environment().get_template('page.html').render(
        page=page, settings=settings, has_charts=has_charts, generator=GENERATOR
    ) + '\n'  # fmt: skip


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=PackageLoader('ssd_ros.reports'),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.tests |= {
        'table': lambda part: isinstance(part, Table),
        'chart': lambda part: isinstance(part, Chart),
    }
    environment.filters['json'] = _json
    environment.globals['plotly'] = _plotly
    return environment


def _json(figure: Figure) -> Markup:
    """Return a figure as JSON that ends no element of the page."""
    return Markup(figure.to_json().replace('<', r'\u003c'))


@cache
def _plotly() -> str:
    """Return Plotly's script, packed: a page is 1.9 MB instead of 4.8."""
    return base64.b64encode(gzip.compress(get_plotlyjs().encode(), mtime=0)).decode()
