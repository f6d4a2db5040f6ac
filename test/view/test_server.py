# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Look at the page as a browser's network does: files, socket, refusals, bounds."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
import json
import os
import socket
import threading
import time
from typing import Any

import pytest

if os.environ.get('SSD_ROS_REQUIRE_RCLPY') != '1':
    pytest.importorskip('aiohttp', reason='aiohttp is not installed (make test installs it)')

import aiohttp
from ssd_ros.view.address import ServerConfig
from ssd_ros.view.server import MAX_CLIENTS, ViewServer

LIMIT_S = 60.0
FILES = ('', 'index.html', 'style.css', 'icon.svg', 'main.js', 'map.js', 'canvas.js', 'query.js')


@pytest.fixture
def server() -> Iterator[ViewServer]:
    with ViewServer(ServerConfig(port=0)) as running:
        yield running


async def get(url: str, **headers: str) -> tuple[int, str, Any]:
    async with aiohttp.ClientSession() as session, session.get(url, headers=headers) as reply:
        return reply.status, await reply.text(), reply.headers


@asynccontextmanager
async def looking(server: ViewServer, **headers: str) -> AsyncIterator[Any]:
    address = f'{server.url}socket'
    async with (
        aiohttp.ClientSession() as session,
        session.ws_connect(address, headers=headers) as client,
    ):
        yield client


async def next_of(client: Any) -> Any:
    message = await asyncio.wait_for(client.receive(), LIMIT_S)
    return message.data


@pytest.mark.parametrize('name', [*FILES, 'panels.js'])
def test_the_page_comes_whole_and_asks_nobody_else(server: ViewServer, name: str) -> None:
    status, text, headers = asyncio.run(get(server.url + name))
    assert status == 200
    assert 'SPDX-License-Identifier' in text or name == 'icon.svg'
    outside = text.replace('http://www.w3.org/2000/svg', '')
    assert 'http://' not in outside
    assert 'https://' not in outside
    assert headers['Content-Security-Policy'].startswith("default-src 'self';")
    assert headers['X-Content-Type-Options'] == 'nosniff'


@pytest.mark.parametrize('path', ['server.py', '../server.py', '%2e%2e/server.py', 'page/', 'a/b'])
def test_nothing_else_is_served(server: ViewServer, path: str) -> None:
    assert asyncio.run(get(server.url + path))[0] == 404


def test_it_listens_on_this_machine_alone(server: ViewServer) -> None:
    assert server.url.startswith('http://127.0.0.1:')
    port = int(server.url.rsplit(':', 1)[1].strip('/'))
    with socket.socket() as other:
        other.bind(('127.0.0.2', port))  # all addresses would be taken by 0.0.0.0


@pytest.mark.parametrize('path', ['', 'main.js', 'socket'])
def test_a_name_that_is_not_of_this_machine_is_refused(server: ViewServer, path: str) -> None:
    status, text, _ = asyncio.run(get(server.url + path, Host='evil.example'))
    assert (status, text) == (
        403,
        "this machine is not called 'evil.example': --allow-host names it",
    )


def test_names_can_be_added() -> None:
    with ViewServer(ServerConfig(port=0, names=('Car.example',))) as server:
        assert asyncio.run(get(server.url, Host='car.example'))[0] == 200


def test_a_page_from_elsewhere_gets_no_socket(server: ViewServer) -> None:
    async def knock() -> int:
        with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
            async with looking(server, Origin='http://evil.example'):
                pass
        return refused.value.status

    assert asyncio.run(knock()) == 403


def test_who_comes_late_gets_the_newest_of_each_channel(server: ViewServer) -> None:
    async def look() -> dict[str, Any]:
        async with looking(server) as client:
            said = [json.loads(await next_of(client)) for _ in range(2)]
            return {each['channel']: each['number'] for each in said}

    for number in range(1000):
        server.publish('answer', json.dumps({'channel': 'answer', 'number': number}))
    server.publish('pose', json.dumps({'channel': 'pose', 'number': -1}))
    assert asyncio.run(look()) == {'answer': 999, 'pose': -1}
    assert server.wait_for_client(LIMIT_S)


def test_what_is_new_is_sent_once_text_and_bytes(server: ViewServer) -> None:
    async def look() -> list[Any]:
        async with looking(server) as client:
            server.publish('image', b'\x01\x00\x01\x00\xff')
            heard = [await next_of(client)]
            server.publish('answer', '{"channel": "answer"}')
            return [*heard, await next_of(client)]

    assert asyncio.run(look()) == [b'\x01\x00\x01\x00\xff', '{"channel": "answer"}']


def test_a_slow_browser_misses_what_was_replaced(server: ViewServer) -> None:
    """Nothing piles up for it: of a thousand images of a megabyte it gets a few."""

    async def look() -> int:
        async with looking(server) as client:
            for number in range(1000):
                server.publish('image', number.to_bytes(2, 'little') * 500_000)
            heard = 0
            while int.from_bytes((await next_of(client))[:2], 'little') != 999:
                heard += 1
            return heard

    assert asyncio.run(look()) < 1000 / 2


@pytest.mark.parametrize('said', ['hello', 'x' * 100_000])
def test_who_says_anything_is_let_go(server: ViewServer, said: str) -> None:
    async def talk() -> bool:
        async with looking(server) as client:
            await client.send_str(said)
            message = await asyncio.wait_for(client.receive(), LIMIT_S)
            return message.type in (aiohttp.WSMsgType.CLOSE, aiohttp.WSMsgType.CLOSED)

    assert asyncio.run(talk())


def test_no_more_browsers_than_some_may_look(server: ViewServer) -> None:
    async def crowd() -> tuple[int, str]:
        server.publish('answer', '{}')
        async with aiohttp.ClientSession() as session:
            sockets = [await session.ws_connect(f'{server.url}socket') for _ in range(MAX_CLIENTS)]
            for each in sockets:
                assert await next_of(each) == '{}'
            status, text, _ = await get(
                f'{server.url}socket', Upgrade='websocket', Connection='Upgrade'
            )
            await sockets[0].close()
            return status, text

    assert asyncio.run(crowd()) == (503, f'{MAX_CLIENTS} look already')

    async def after() -> Any:
        async with looking(server) as client:
            return await next_of(client)

    assert asyncio.run(after()) == '{}'


def test_a_port_that_is_taken_is_named(server: ViewServer) -> None:
    port = int(server.url.rsplit(':', 1)[1].strip('/'))
    reason = f'cannot serve at 127.0.0.1:{port}: '
    with pytest.raises(OSError, match=reason), ViewServer(ServerConfig(port=port)):
        pass


def test_whoever_looks_is_let_go_at_the_end() -> None:
    async def look() -> bool:
        with ViewServer(ServerConfig(port=0)) as server:
            session = aiohttp.ClientSession()
            client = await session.ws_connect(f'{server.url}socket')
        message = await asyncio.wait_for(client.receive(), LIMIT_S)
        await session.close()
        return message.type in (aiohttp.WSMsgType.CLOSE, aiohttp.WSMsgType.CLOSED)

    assert asyncio.run(look())


def ask_and_read_nothing(server: ViewServer) -> socket.socket:
    """Open the socket as a browser does that then hangs."""
    port = int(server.url.rsplit(':', 1)[1].strip('/'))
    client = socket.socket()
    client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    client.connect(('127.0.0.1', port))
    headers = (
        f'Host: 127.0.0.1:{port}',
        'Upgrade: websocket',
        'Connection: Upgrade',
        'Sec-WebSocket-Version: 13',
        'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==',
    )
    client.sendall('\r\n'.join(('GET /socket HTTP/1.1', *headers, '', '')).encode())
    return client


def test_a_browser_that_hangs_holds_up_nothing() -> None:
    ended = threading.Event()

    def serve() -> None:
        with ViewServer(ServerConfig(port=0)) as server:
            hanging = [ask_and_read_nothing(server) for _ in range(3)]
            assert server.wait_for_client(LIMIT_S)
            for _ in range(20):  # more than sockets hold
                server.publish('image', bytes(1 << 20))
                time.sleep(0.15)
        ended.set()
        for client in hanging:
            client.close()

    threading.Thread(target=serve, daemon=True).start()
    assert ended.wait(LIMIT_S)  # for good, if the end waits for them


@pytest.mark.parametrize('host', ['no such name', 'a' * 300])
def test_a_name_of_no_machine_is_named(host: str) -> None:
    with (
        pytest.raises(OSError, match=f'cannot serve at {host[:100]}:0: '),
        ViewServer(ServerConfig(host, port=0)),
    ):
        pass
