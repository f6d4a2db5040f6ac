# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Check pages: names are shown as they are, nothing is loaded, charts arrive whole."""

from __future__ import annotations

import base64
import gzip
import json
from pathlib import Path
import re

import numpy as np
from plotly.offline import get_plotlyjs
import pytest
from ssd_ros.reports.charts import bars, dots, line, links, panels, plan, rows
from ssd_ros.reports.document import Chart, markdown_of, Section, shown, Table
from ssd_ros.reports.page import Fact, html_of, Page
from support.reading.pages import numbers, page_of, ReadPage

HOSTILE = '</script><img src="http://x/y.png" onerror=alert(1)>&amp;'


def read(page: Page, folder: Path) -> ReadPage:
    (folder / 'page.html').write_text(html_of(page))
    return page_of(folder / 'page.html')


def test_names_are_shown_as_they_are_whatever_they_hold(tmp_path: Path) -> None:
    figure = plan(dots(np.array([[1.0, 2.0]]), HOSTILE, 'red', text=[HOSTILE]))
    page = Page(
        HOSTILE,
        HOSTILE,
        [
            Section(HOSTILE, [HOSTILE, Table([HOSTILE], [[HOSTILE]]), Chart(HOSTILE, figure)]),
            Section('', [Chart('empty', HOSTILE)]),
        ],
        [Fact(HOSTILE, HOSTILE, HOSTILE)],
        [HOSTILE],
        {HOSTILE: HOSTILE},
    )
    found = read(page, tmp_path)  # which refuses elements that ask for another file
    assert '<img' not in found.text
    assert found.facts == [' '.join([HOSTILE] * 3)]
    assert found.charts['empty'] == HOSTILE
    (trace,) = found.charts[HOSTILE]['data']
    assert trace['text'] == [HOSTILE]
    # Plotly reads some tags in names, so they are escaped once more.
    assert trace['name'].startswith('&lt;/script&gt;&lt;img src=')


def test_a_page_holds_plotly_once_and_one_without_charts_none(tmp_path: Path) -> None:
    figure = rows('x', ['a'], line([1], ['a'], 'one'))
    charts = [Chart('first', figure), Chart('second', figure)]
    found = read(Page('t', 'l', [Section('s', charts)]), tmp_path)
    (packed,) = re.findall(r'id="plotly">([^<]*)<', found.text)
    assert gzip.decompress(base64.b64decode(packed)).decode() == get_plotlyjs()
    assert len(found.text) < 2_500_000
    without = read(Page('t', 'l', [Section('s', [Chart('first', 'Nothing.')])]), tmp_path)
    assert '<script' not in without.text
    assert without.charts == {'first': 'Nothing.'}


def test_of_paths_from_the_root_the_end_is_shown() -> None:
    assert shown(Path('/home/me/runs/cache/test')) == 'cache/test'
    assert shown(['/home/me/a map/x', Path('runs/b')]) == 'a map/x, runs/b'
    assert shown(0.4) == '0.4'


def test_rows_stand_from_top_to_bottom_and_bars_reach_their_ends() -> None:
    figure = json.loads(rows('R@1', ['best', 'worst']).to_json())
    assert figure['layout']['yaxis']['categoryarray'] == ['worst', 'best']
    found = bars([(0.5, 0.25, 1.0), (0.5, 0.5, 0.5)])
    assert (found['array'], found['arrayminus']) == ([0.5, 0.0], [0.25, 0.0])


def test_links_are_one_trace_with_gaps() -> None:
    starts, ends = np.array([[0.0, 1.0], [2.0, 3.0]]), np.array([[4.0, 5.0], [6.0, 7.0]])
    trace = json.loads(plan(links(starts, ends, 'red')).to_json())['data'][0]
    assert np.array_equal(numbers(trace['x']), [0, 4, np.nan, 2, 6, np.nan], equal_nan=True)


@pytest.mark.parametrize('columns', [False, True])
def test_panels_share_an_axis_that_is_labelled_once(columns: bool) -> None:
    layout = json.loads(panels(['a', 'b', 'c'], 'time (s)', 300, columns).to_json())['layout']
    titles = [axis.get('title', {}).get('text') for name, axis in layout.items() if 'axis' in name]
    if columns:
        assert [one['text'] for one in layout['annotations']] == ['a', 'b', 'c']
        assert titles.count('time (s)') == 3  # of its own each, under its own panel
    else:
        assert titles.count('time (s)') == 1
        assert {'a', 'b', 'c'} <= set(titles)


def test_markdown_has_text_and_tables_and_no_charts() -> None:
    table = Table(['name', 'R@1'], [['a|b', '0.5']])
    sections = [Section('Title', ['Text.', table, Chart('none', 'nothing')], 3)]
    assert markdown_of(sections) == (
        '### Title\n\nText.\n\n| name | R@1 |\n|---|--:|\n| a\\|b | 0.5 |\n'
    )
