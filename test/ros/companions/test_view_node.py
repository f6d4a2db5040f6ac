# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The page beside the running localizer: what is published comes to whoever looks."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
import json
import os
import signal
import struct
from typing import Any

import pytest

if os.environ.get('SSD_ROS_REQUIRE_RCLPY') != '1':
    pytest.importorskip('aiohttp', reason='aiohttp is not installed (make test installs it)')

import aiohttp
from sensor_msgs.msg import PointCloud2
from std_msgs.msg import String
from support.localizer import LATCHED, Localizer, NODE, running_localizer
from support.posts import SMALL
from support.ros import LIMIT_S, Peer, Processes, Running

CHANNELS = {'places', 'maps', 'answer', 'pose', 'path', 'health', 'image'}


@pytest.fixture(scope='module')
def localizer(peer: Peer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Localizer]:
    with running_localizer(peer, tmp_path_factory.mktemp('view')) as running:
        yield running


@pytest.fixture
def view(localizer: Localizer, processes: Processes) -> Iterator[Running]:
    started = processes.start_command('view', '--port', '0')
    started.wait_for_text('is shown at')
    node = localizer.peer.node
    localizer.peer.wait(lambda: node.count_subscribers(f'{NODE}/path'), 'the view')
    localizer.peer.wait(lambda: node.count_subscribers(f'{NODE}/bev'), 'the view')
    yield started
    assert started.end(signal.SIGINT) == 0, started.text()


def url_of(view: Running) -> str:
    (line,) = [line for line in view.text().splitlines() if 'is shown at' in line]
    return line.split()[-1]


async def heard(url: str, wanted: set[str]) -> dict[str, Any]:
    """Look until something has come in each of these channels."""
    found: dict[str, Any] = {}
    async with aiohttp.ClientSession() as session, session.ws_connect(f'{url}socket') as socket:
        while wanted - set(found):
            message = await asyncio.wait_for(socket.receive(), LIMIT_S)
            if message.type == aiohttp.WSMsgType.BINARY:
                found['image'] = message.data
            else:
                said = json.loads(message.data)
                found[said['channel']] = said
    return found


def told_of_all(localizer: Localizer, view: Running) -> tuple[int, list[float], dict[str, Any]]:
    """
    Send scans until the page has heard in every channel; return the last one and what was heard.

    The node makes path and image while somebody listens, which it learns later than others do.
    """
    poses_m: list[float] = []
    for index in range(4, 28):
        stamp_ns = localizer.send(index)
        localizer.answer_to(stamp_ns)
        pose = localizer.answer_to(stamp_ns, localizer.poses).pose.pose.position
        poses_m += [pose.x, pose.y]
        try:
            said = asyncio.run(asyncio.wait_for(heard(url_of(view), CHANNELS), 5))
        except asyncio.TimeoutError:
            continue
        return index, poses_m, said
    raise AssertionError('the page did not hear in every channel')


def test_the_page_is_told_what_the_node_publishes(localizer: Localizer, view: Running) -> None:
    index, poses_m, said = told_of_all(localizer, view)

    assert said['places']['xy'][:4] == [0.0, 0.0, 10.0, 0.0]
    assert (said['places']['total'], said['places']['frame']) == (30, 'map')
    (database,) = said['maps']['maps']
    assert database['keyframes'] == 30
    grid = SMALL.grid
    assert said['maps']['image'] == {'max_range_m': grid.max_range_m, 'fov_deg': grid.fov_deg}
    best = said['answer']['candidates'][0]
    assert best['keyframe_id'] == index
    assert best['decision'] == 'accepted'
    assert said['pose']['pose'][:2] == pytest.approx(poses_m[-2:], abs=0.01)
    # At most one path a second.
    assert said['path']['xy'][:2] in [
        pytest.approx(poses_m[n : n + 2], abs=0.01) for n in range(0, len(poses_m), 2)
    ]
    width, height = struct.unpack('<HH', said['image'][:4])
    assert (height, width) == (grid.num_ranges, grid.num_azimuths)
    assert len(said['image']) == 4 + width * height
    assert sum(said['image'][4:]) > 0
    names = {status['name'] for status in said['health']['statuses']}
    assert {'input', 'inference', 'matching'} <= names


def test_what_is_no_message_of_ours_is_said_and_left_out(
    localizer: Localizer, view: Running
) -> None:
    rows = localizer.peer.speak(PointCloud2, f'{NODE}/candidates')
    infos = localizer.peer.speak(String, f'{NODE}/map_info', LATCHED)
    rows.publish(PointCloud2(width=3, height=1))
    view.wait_for_text("candidates cannot be shown: not a candidate list: field 'x' is absent")
    infos.publish(String(data='[' * 100_000))
    view.wait_for_text('map_info cannot be shown: maximum recursion depth exceeded')
    infos.publish(String(data='7'))
    view.wait_for_text('map_info cannot be shown: 1 characters are not the JSON')
    for publisher in (rows, infos):
        localizer.peer.node.destroy_publisher(publisher)
    localizer.answer_to(localizer.send(7))
    said = asyncio.run(heard(url_of(view), {'answer', 'health'}))
    assert said['answer']['candidates'][0]['keyframe_id'] == 7


def test_a_port_that_is_taken_ends_it_with_a_line(view: Running, processes: Processes) -> None:
    port = url_of(view).rstrip('/').rpartition(':')[2]
    second = processes.start_command('view', '--port', port)
    assert second.end() == 1
    assert f'view: cannot serve at 127.0.0.1:{port}: ' in second.text()
