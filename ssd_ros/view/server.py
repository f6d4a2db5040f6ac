# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""
The page and what it shows, served to browsers; needs aiohttp.

Of each channel the newest message is kept and sent to whoever looks, at most `RATE_HZ` times a
second: a browser that is slow, or comes late, misses what has been replaced in the meantime, and
nothing piles up. The page says nothing; who sends anything is let go, and who takes nothing, too.
"""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from contextlib import suppress
from importlib import resources
import threading
from types import TracebackType

from aiohttp import web
from ssd_ros.view.address import ServerConfig
from ssd_ros.view.middleware import guarded, within_patience

RATE_HZ = 10.0
MAX_CLIENTS = 8
_HEARTBEAT_S = 15.0
_MAX_RECEIVED = 256  # bytes
_KINDS = {'html': 'text/html', 'css': 'text/css', 'js': 'text/javascript', 'svg': 'image/svg+xml'}
_HEADERS = {
    'Content-Security-Policy': "default-src 'self'; base-uri 'none'; form-action 'none'; "
    "frame-ancestors 'none'",
    'X-Content-Type-Options': 'nosniff',
    'Referrer-Policy': 'no-referrer',
    'Cross-Origin-Resource-Policy': 'same-origin',
    'Cache-Control': 'no-cache',
}


class ViewServer:
    """Serves in a thread of its own while the block lasts; any thread may call `publish`."""

    def __init__(self, config: ServerConfig) -> None:
        self._config = config
        self._files = _page_files()
        self._newest: dict[str, str | bytes] = {}
        self._replacing = threading.Lock()
        self._clients: dict[web.WebSocketResponse, web.Request] = {}
        self._has_client = threading.Event()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name='view', daemon=True)
        self._port = config.port

    def __enter__(self) -> ViewServer:
        """
        Begin to serve.

        :raise OSError: the address is not this machine's, or the port is taken
        """
        self._thread.start()
        self._runner = web.AppRunner(self._application(), access_log=None)
        try:
            self._run(self._start())
        except (OSError, UnicodeError) as error:  # or no name that could be looked up
            self._stop()
            raise self._config.refused(error) from error
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Let everybody go."""
        self._stop()

    @property
    def url(self) -> str:
        """What to type into the browser, on this machine."""
        return self._config.url(self._port)

    def publish(self, channel: str, message: str | bytes) -> None:
        """Replace what is shown in a channel."""
        with self._replacing:
            self._newest[channel] = message

    def wait_for_client(self, limit_s: float) -> bool:
        """Return whether somebody has looked, after waiting for that."""
        return self._has_client.wait(limit_s)

    def _run(self, work: Coroutine[None, None, None]) -> None:
        asyncio.run_coroutine_threadsafe(work, self._loop).result()

    async def _start(self) -> None:
        await self._runner.setup()
        site = web.TCPSite(self._runner, self._config.host, self._config.port)
        await site.start()
        self._port = self._runner.addresses[0][1]

    def _stop(self) -> None:
        self._run(self._runner.cleanup())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def _application(self) -> web.Application:
        application = web.Application(
            client_max_size=_MAX_RECEIVED, middlewares=[guarded(self._config)]
        )
        application.router.add_get('/', self._send_file)
        application.router.add_get('/socket', self._serve_client)
        application.router.add_get('/{name}', self._send_file)
        application.on_shutdown.append(self._let_go)
        return application

    async def _send_file(self, request: web.Request) -> web.Response:
        name = request.match_info.get('name', 'index.html')
        if name not in self._files:
            raise web.HTTPNotFound
        return web.Response(
            body=self._files[name],
            content_type=_kind_of(name),
            charset='utf-8',
            headers=_HEADERS,
        )

    async def _serve_client(self, request: web.Request) -> web.WebSocketResponse:
        if len(self._clients) >= MAX_CLIENTS:
            raise web.HTTPServiceUnavailable(text=f'{MAX_CLIENTS} look already')
        socket = web.WebSocketResponse(heartbeat=_HEARTBEAT_S, max_msg_size=_MAX_RECEIVED)
        self._clients[socket] = request
        try:
            await socket.prepare(request)
            self._has_client.set()
            sender = asyncio.ensure_future(self._send_news(socket, request))
            try:
                await socket.receive()  # that it closes, or what it should not have said
            finally:
                sender.cancel()
            await within_patience(socket.close(), request)
        finally:
            self._clients.pop(socket, None)
        return socket

    async def _send_news(self, socket: web.WebSocketResponse, request: web.Request) -> None:
        sent: dict[str, str | bytes] = {}
        with suppress(ConnectionError):  # whoever looked has gone
            while True:
                with self._replacing:
                    newest = dict(self._newest)
                for channel, message in newest.items():
                    if sent.get(channel) is not message:
                        sent[channel] = message
                        await within_patience(_send(socket, message), request)
                await asyncio.sleep(1 / RATE_HZ)

    async def _let_go(self, application: web.Application) -> None:
        clients = list(self._clients.items())
        farewells = [within_patience(socket.close(), request) for socket, request in clients]
        await asyncio.gather(*farewells, return_exceptions=True)


async def _send(socket: web.WebSocketResponse, message: str | bytes) -> None:
    if isinstance(message, bytes):
        await socket.send_bytes(message)
    else:
        await socket.send_str(message)


def _page_files() -> dict[str, bytes]:
    folder = resources.files('ssd_ros.view').joinpath('page')
    return {path.name: path.read_bytes() for path in folder.iterdir() if _kind_of(path.name)}


def _kind_of(name: str) -> str | None:
    return _KINDS.get(name.rpartition('.')[2])
