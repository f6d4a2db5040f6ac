# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Look at a page in a real browser, on a phone."""

from __future__ import annotations

import asyncio
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip('aiohttp')

from ssd_ros.reports.charts import dots, intervals, panels, plan, rows
from ssd_ros.reports.document import Chart, Section, Table
from ssd_ros.reports.page import Fact, html_of, Page
from support.view.browser import browser_program, opened_browser

PROGRAM = browser_program()
EVIL = '<img src=x onerror="document.title=\'taken\'">'
DRAWN = "document.querySelectorAll('.chart .main-svg').length"


@pytest.mark.skipif(PROGRAM is None, reason='no browser (apt install chromium)')
def test_charts_are_drawn_and_nothing_runs_that_a_name_holds(tmp_path: Path) -> None:
    row = rows('R@1', [EVIL], intervals([(0.5, 0.25, 1.0)], [EVIL], EVIL, 'blue'))
    place = plan(dots(np.array([[1.0, 2.0], [3.0, 4.0]]), EVIL, 'red', text=[EVIL, EVIL]))
    over_time = panels(['a', 'b'], 'time (s)', 300)
    over_time.add_trace(dots(np.array([[0.0, 1.0]]), EVIL, 'red'), 2, 1)
    parts = [Chart(EVIL, row), Chart(EVIL, place), Chart(EVIL, over_time), Chart(EVIL, 'none')]
    wide = Table(['word'] * 12, [[EVIL] * 12])
    page = Page('Report', EVIL, [Section(EVIL, [wide, *parts])], [Fact(EVIL, '1', EVIL)])
    file = tmp_path / 'page.html'
    file.write_text(html_of(page))

    async def look() -> None:
        async with opened_browser(str(PROGRAM)) as browser:
            await browser.open(file.as_uri(), 390, 844)
            await browser.wait(f'{DRAWN} >= 3')
            assert await browser.value('document.title') == 'Report'
            # Only the table is wider, and scrolls by itself.
            assert await browser.value('document.documentElement.scrollWidth') <= 390
            names = await browser.value(
                "[...document.querySelectorAll('.ytick text')].map(one => one.textContent)"
            )
            assert EVIL in names
            assert browser.faults == []

    asyncio.run(look())
