# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Look at the page in a real browser."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
import json
import math
import os
from typing import Any

import numpy as np
import pytest

if os.environ.get('SSD_ROS_REQUIRE_RCLPY') != '1':
    pytest.importorskip('aiohttp', reason='aiohttp is not installed (make test installs it)')

from ssd_ros.recognition.candidates import DTYPE, Flag
from ssd_ros.view import messages
from ssd_ros.view.address import ServerConfig
from ssd_ros.view.messages import Status
from ssd_ros.view.server import ViewServer
from support.view.browser import browser_program, opened_browser, Page

PROGRAM = browser_program()
pytestmark = pytest.mark.skipif(PROGRAM is None, reason='no browser (apt install chromium)')
ORIGIN_M = np.array([500_000.0, 5_400_000.0])
EVIL = '<img src=x onerror="document.title=\'taken\'">'
# Pixels of a canvas that are not as its corner.
DRAWN = """(() => {{
  const canvas = document.getElementById('{name}');
  const all = new Uint32Array(
    canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height).data.buffer);
  return all.reduce((sum, each) => sum + (each !== all[0]), 0);
}})()"""


def fill(server: ViewServer, has_map: bool = True) -> None:
    """Publish a circle of keyframes, a vehicle in its corner and what it found."""
    angles_rad = np.linspace(0, 2 * math.pi, 200, endpoint=False)
    places_m = ORIGIN_M + 80 * np.stack([np.cos(angles_rad), np.sin(angles_rad)], axis=-1)
    rows = np.zeros(3, DTYPE)
    rows['keyframe_id'] = 12, 13, 170
    rows['map_x'], rows['map_y'] = places_m[[12, 13, 170]].T
    rows['qw'] = 1
    rows['confidence'] = 0.987, 0.5, math.nan
    rows['flags'] = Flag.ACCEPTED, Flag.AMBIGUOUS, 0
    image = np.zeros((96, 48), np.uint8)
    image[40:60, 10:40] = 200
    summary = {
        'maps': [{'source': EVIL, 'keyframes': 200, 'origin': 'simulated'}],
        'query_image': {'max_range_m': 100.0, 'fov_deg': 120.0},
    }
    server.publish('places', messages.places_text(places_m if has_map else places_m[:0], 'map'))
    server.publish('maps', messages.maps_text(summary))
    server.publish('image', messages.image_bytes(image))
    if has_map:
        server.publish('path', messages.path_text(places_m[:13]))
        pose = np.append(places_m[12], 2.0)
        server.publish('pose', messages.pose_text(0, pose, 4 * np.eye(2)))
    status = Status('input', 1, EVIL, {'rate_hz': '19.9'})
    server.publish('health', messages.health_text([status]))
    server.publish('answer', messages.answer_text(10**9, 'map', rows))


def seen(
    look: Callable[[Page, ViewServer], Awaitable[Any]],
    width: int = 1440,
    height: int = 900,
    is_dark: bool = False,
    has_map: bool = True,
    before: str = '',
) -> Any:
    """Open the page, filled, and return what a look at it finds; nothing may go wrong there."""

    async def visit() -> Any:
        assert PROGRAM is not None
        with ViewServer(ServerConfig(port=0)) as server:
            fill(server, has_map)
            async with opened_browser(PROGRAM) as page:
                await page.ask('Page.addScriptToEvaluateOnNewDocument', source=before)
                await page.open(server.url, width, height, is_dark)
                await page.wait("document.getElementById('link').textContent === 'live'")
                found = await look(page, server)
                assert page.faults == []
                return found

    return asyncio.run(visit())


def text_of(name: str) -> str:
    return f"document.getElementById('{name}').innerText"


def test_the_page_says_what_was_found() -> None:
    async def look(page: Page, server: ViewServer) -> list[Any]:
        rows = "[...document.querySelectorAll('#candidates tr')].map((row) => row.innerText)"
        names = ('confidence', 'decision', 'source', 'origin', 'statuses', 'scale')
        return [*[await page.value(text_of(name)) for name in names], await page.value(rows)]

    confidence, decision, source, origin, statuses, scale, rows = seen(look)
    assert (confidence, decision, origin) == ('99 %', 'accepted', 'simulated')
    assert source == f'{EVIL} · 200 keyframes'  # text, whatever a map is called
    assert statuses.split() == ['input', *EVIL.split()]
    assert scale == '120° to 100 m, the vehicle below'
    assert [row.split() for row in rows] == [
        ['accepted', '12', '99', '%', '0.00', '0', '%'],
        ['ambiguous', '13', '50', '%', '0.00', '0', '%'],
        ['rejected', '170', '\u2013', '0.00', '0', '%'],
    ]


@pytest.mark.parametrize('name', ['view', 'image', 'history'])
def test_every_picture_is_drawn(name: str) -> None:
    async def look(page: Page, server: ViewServer) -> int:
        return await page.wait(DRAWN.format(name=name))

    assert seen(look) > 100


@pytest.mark.parametrize(('width', 'height'), [(390, 844), (820, 1180), (1100, 760), (1920, 1080)])
def test_nothing_lies_outside_of_a_screen_of_any_width(width: int, height: int) -> None:
    async def look(page: Page, server: ViewServer) -> list[float]:
        return await page.value(
            "[document.documentElement.scrollWidth, document.querySelector('table').scrollWidth - "
            "document.querySelector('.scroll').clientWidth, "
            "document.getElementById('view').getBoundingClientRect().height]"
        )

    wide, table_over, map_height = seen(look, width, height)
    assert wide <= width
    assert table_over <= 0
    assert map_height >= 300


@pytest.mark.parametrize('is_dark', [True, False])
def test_it_is_as_dark_as_the_system_until_somebody_chooses(is_dark: bool) -> None:
    async def look(page: Page, server: ViewServer) -> list[Any]:
        brightness = 'getComputedStyle(document.body).backgroundColor.match(/\\d+/)[0]'
        before = int(await page.value(brightness))
        await page.value("document.getElementById('theme').click()")
        return [before, int(await page.value(brightness))]

    before, after = seen(look, is_dark=is_dark)
    assert (before < 60, after < 60) == (is_dark, not is_dark)


def test_a_new_answer_replaces_the_old_one() -> None:
    async def look(page: Page, server: ViewServer) -> Any:
        server.publish('answer', messages.answer_text(2 * 10**9, 'map', np.zeros(0, DTYPE)))
        await page.wait(f"{text_of('decision')} === 'nothing found'")
        return await page.value("document.querySelectorAll('#candidates tr').length")

    assert seen(look) == 0


async def middle(page: Page) -> list[float]:
    """Return what lies in the middle of the map."""
    over = "document.getElementById('view').dispatchEvent(new PointerEvent('pointermove', "
    await page.value(
        "box = document.getElementById('view').getBoundingClientRect();"
        f'{over}{{clientX: box.x + box.width / 2, clientY: box.y + box.height / 2}}))'
    )
    x, y = (await page.value(text_of('where'))).replace('m', '').split(',')
    return [float(x.split()[-1]), float(y.split()[-1])]


def test_without_a_map_an_accepted_place_is_followed() -> None:
    async def look(page: Page, server: ViewServer) -> list[float]:
        assert await page.wait(DRAWN.format(name='view')) > 100
        return await middle(page)

    vehicle = ORIGIN_M + 80 * np.array([math.cos(0.12 * math.pi), math.sin(0.12 * math.pi)])
    assert seen(look, has_map=False) == pytest.approx(vehicle.tolist(), abs=0.5)


# The browser tells sizes late on a busy machine: here so late that messages come first.
SIZES_ARE_TOLD_LATE = """
globalThis.ResizeObserver = class {
  constructor(called) { this.called = called; }
  observe() { setTimeout(this.called, 5000); }
};
"""


@pytest.mark.parametrize('before', ['', SIZES_ARE_TOLD_LATE], ids=['in time', 'late'])
def test_the_map_is_moved_followed_and_shown_whole(before: str) -> None:
    async def look(page: Page, server: ViewServer) -> list[list[float]]:
        found = [await middle(page)]
        await page.value("document.getElementById('follow').click()")
        found.append(await middle(page))
        await page.value("document.getElementById('fit').click()")
        found.append(await middle(page))
        return found

    first, following, whole = seen(look, before=before)
    vehicle = ORIGIN_M + 80 * np.array([math.cos(0.12 * math.pi), math.sin(0.12 * math.pi)])
    assert first == pytest.approx(ORIGIN_M.tolist(), abs=2)
    assert following == pytest.approx(vehicle.tolist(), abs=2)
    assert whole == pytest.approx(first, abs=0.1)


def test_a_lost_connection_is_said_and_found_again() -> None:
    async def visit() -> list[str]:
        assert PROGRAM is not None
        link = text_of('link')
        async with opened_browser(PROGRAM) as page:
            with ViewServer(ServerConfig(port=0)) as server:
                fill(server)
                port = int(json.loads(server.url.rsplit(':', 1)[1].strip('/')))
                await page.open(server.url, 1440, 900)
                found = [await page.wait(f"{link} === 'live' && {link}")]
            lost = 'not connected, trying again'
            found.append(await page.wait(f"{link} === '{lost}' && {link}"))
            with ViewServer(ServerConfig(port=port)) as server:
                fill(server)
                found.append(await page.wait(f"{link} === 'live' && {link}"))
            return found

    assert asyncio.run(visit()) == ['live', 'not connected, trying again', 'live']


def test_places_beyond_all_measure_do_not_hang_it() -> None:
    async def look(page: Page, server: ViewServer) -> Any:
        far = np.array([[1e22, -1e22], [1e300, 1e300], [math.nan, 0.0]])
        server.publish('places', messages.places_text(far, 'map'))
        server.publish('pose', messages.pose_text(0, np.array([1e22, 1e22, 0.0]), np.eye(2)))
        server.publish('maps', messages.maps_text({'maps': [{'source': 'the last'}]}))
        await page.wait(f"{text_of('source')}.startsWith('the last')")
        await page.value("document.getElementById('follow').click()")
        await page.value('requestAnimationFrame(() => { window.drawn = true; }); 0')
        return await page.wait('window.drawn')

    assert seen(look)
