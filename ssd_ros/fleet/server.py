# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""
A map served over HTTP: candidates for descriptors and clouds, and its squares; needs aiohttp.

One thread answers, for a map is searched by one at a time. Up to `max_waiting` requests are taken
in; who comes then is told at once to come again, and when (503, Retry-After). So the time of an
answer is bounded and nothing is taken in that is not answered.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass
import logging
import math
import os
import signal
import time
from typing import Any, BinaryIO, TypeVar

from aiohttp import web
from ssd_ros.fleet.asked import Ask, ask_of, cloud_of, descriptor_of, MAX_BODY_BYTES, reach_of
from ssd_ros.fleet.metrics import CONTENT_TYPE, Metrics
from ssd_ros.fleet.places import NoSuchSquareError, OpenSquare, ServedMap
from ssd_ros.maps.meta import MapError
from ssd_ros.records import json_text
from ssd_ros.view.address import ServerConfig
from ssd_ros.view.middleware import guarded, Handler, within_patience

_log = logging.getLogger(__name__)
_BODY_S = 10.0  # in which a request must have come
_CHUNK_BYTES = 1 << 18  # taken within the patience, or who asked is cut off
_HEADERS = {'Server': 'ssd_ros', 'X-Content-Type-Options': 'nosniff', 'Cache-Control': 'no-cache'}
Result = TypeVar('Result')


@dataclass(frozen=True, slots=True)
class Bounds:
    """
    How much is taken in.

    :param max_waiting: requests for candidates at a time, the one that is answered included
    :param max_downloads: squares sent at a time
    :param grace_s: at the end, for those that were taken in
    """

    max_waiting: int = 64
    max_downloads: int = 16
    grace_s: float = 30.0


class _Busy:
    """Requests of one kind in work, and how long those last."""

    def __init__(self, limit: int) -> None:
        self.limit, self._mean_s = limit, 0.1
        self.taken: dict[int, web.Request] = {}  # which have no hash

    def __len__(self) -> int:
        return len(self.taken)

    @property
    def retry_s(self) -> int:
        """Whole seconds after which there should be room."""
        return min(max(1, math.ceil(self._mean_s)), 60)

    @contextmanager
    def one_more(self, request: web.Request) -> Iterator[None]:
        """Take a request in; refuse it where there are too many."""
        if len(self) >= self.limit:
            raise web.HTTPServiceUnavailable(
                text=f'{self.limit} requests wait already: come again in {self.retry_s} s',
                headers={'Retry-After': str(self.retry_s)},
            )
        self.taken[id(request)] = request
        start_s = time.monotonic()
        try:
            yield
        finally:
            del self.taken[id(request)]
            self._mean_s += 0.1 * (time.monotonic() - start_s - self._mean_s)


class PlaceServer:
    """Answer until a signal comes (SIGTERM, SIGINT), then end what was taken in."""

    def __init__(
        self, places: ServedMap, config: ServerConfig, bounds: Bounds | None = None
    ) -> None:
        """Take over a map."""
        self._places, self._config, self._bounds = places, config, bounds or Bounds()
        self._waiting = _Busy(self._bounds.max_waiting)
        self._downloads = _Busy(self._bounds.max_downloads)
        self._metrics = Metrics()
        self._is_ending = False
        self._worker = ThreadPoolExecutor(1, 'places')

    def run(self, ready: Callable[[str], None]) -> None:
        """
        Serve, in the main thread.

        :param ready: is told the address once it is served
        :raise OSError: the address is not this machine's, or the port is taken
        """
        with self._worker:
            asyncio.run(self._serve(ready))

    async def _serve(self, ready: Callable[[str], None]) -> None:
        ended, loop = asyncio.Event(), asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, ended.set)
        runner = web.AppRunner(self._application(), access_log=None)
        await runner.setup()
        try:
            site = web.TCPSite(runner, self._config.host, self._config.port)
            try:
                await site.start()
            except (OSError, UnicodeError) as error:  # or no name that could be looked up
                raise self._config.refused(error) from error
            ready(self._config.url(runner.addresses[0][1]))
            await ended.wait()
            for number in (signal.SIGTERM, signal.SIGINT):  # the next one does not wait
                loop.remove_signal_handler(number)
            self._is_ending = True
            await site.stop()
            await self._wait_for_answers()
        finally:
            await runner.cleanup()

    async def _wait_for_answers(self) -> None:
        last_s = time.monotonic() + self._bounds.grace_s
        while (taken := self._waiting.taken | self._downloads.taken) and time.monotonic() < last_s:
            await asyncio.sleep(0.02)
        if taken:
            _log.warning('%d requests were not answered in %g s', len(taken), self._bounds.grace_s)
        for request in taken.values():
            if request.transport is not None:
                request.transport.abort()

    def _application(self) -> web.Application:
        application = web.Application(
            client_max_size=MAX_BODY_BYTES, middlewares=[self._counted(), guarded(self._config)]
        )
        add = application.router
        add.add_post('/v1/descriptor', self._find, name='descriptor')
        add.add_post('/v1/cloud', self._localize, name='cloud')
        add.add_get('/v1/map', self._describe, name='map')
        add.add_get('/v1/squares', self._list_squares, name='squares')
        add.add_get('/v1/squares/{name}', self._send_square, name='square', allow_head=False)
        add.add_get('/health', self._tell_health, name='health')
        add.add_get('/metrics', self._tell_metrics, name='metrics')
        return application

    def _counted(self) -> Any:
        @web.middleware
        async def count(request: web.Request, handler: Handler) -> web.StreamResponse:
            start_s, status = time.monotonic(), 500
            try:
                response = await handler(request)
                status = response.status
                return response
            except web.HTTPException as error:
                status = error.status
                raise
            finally:
                resource = request.match_info.route.name or 'other'
                self._metrics.count(resource, status, time.monotonic() - start_s)

        return count

    async def _find(self, request: web.Request) -> web.StreamResponse:
        return await self._candidates(request, descriptor_of, self._places.find)

    async def _localize(self, request: web.Request) -> web.StreamResponse:
        return await self._candidates(request, cloud_of, self._places.localize)

    async def _candidates(
        self,
        request: web.Request,
        read: Callable[[bytes], Result],
        answer: Callable[[Result, Ask], dict[str, Any]],
    ) -> web.StreamResponse:
        self._refuse_at_the_end()
        with self._waiting.one_more(request):
            body = await _body_of(request)
            try:
                ask, asked = ask_of(request.query.items()), read(body)
                return await self._json(lambda: answer(asked, ask))
            except ValueError as error:
                raise web.HTTPBadRequest(text=str(error)) from error

    async def _describe(self, request: web.Request) -> web.StreamResponse:
        self._refuse_at_the_end()
        with self._waiting.one_more(request):
            return await self._json(self._places.describe)

    async def _list_squares(self, request: web.Request) -> web.StreamResponse:
        self._refuse_at_the_end()
        with self._waiting.one_more(request):
            try:
                reach = reach_of(request.query.items())
                return await self._json(lambda: self._places.squares(reach))
            except NoSuchSquareError as error:
                raise web.HTTPNotFound(text=str(error)) from error
            except ValueError as error:
                raise web.HTTPBadRequest(text=str(error)) from error

    async def _send_square(self, request: web.Request) -> web.StreamResponse:
        self._refuse_at_the_end()
        name = request.match_info['name']
        with self._downloads.one_more(request):
            try:
                square = await self._worked(lambda: self._places.open_square(name))
            except NoSuchSquareError as error:
                raise web.HTTPNotFound(text=str(error)) from error
            except MapError as error:
                raise web.HTTPInternalServerError(text=str(error)) from error
            with square.file:
                tag = f'"{square.description.tag}"'
                if tag in _tags_of(request):
                    return web.Response(status=304, headers={'ETag': tag, **_HEADERS})
                return await self._sent(request, square, tag)

    async def _sent(
        self, request: web.Request, square: OpenSquare, tag: str
    ) -> web.StreamResponse:
        num_bytes = square.description.bytes
        response = web.StreamResponse(headers={'ETag': tag, **_HEADERS})
        response.content_type = 'application/octet-stream'
        response.content_length = num_bytes
        await response.prepare(request)
        loop = asyncio.get_running_loop()
        with suppress(ConnectionError):  # who asked has gone
            for offset in range(0, num_bytes, _CHUNK_BYTES):
                size = min(_CHUNK_BYTES, num_bytes - offset)
                chunk = await loop.run_in_executor(None, _read_at, square.file, size, offset)
                await within_patience(response.write(chunk), request)
                self._metrics.square_bytes += size
        return response

    async def _tell_health(self, request: web.Request) -> web.StreamResponse:
        problems = self._places.problems
        health = {
            'status': 'ending' if self._is_ending else 'damaged' if problems else 'serving',
            'revision': self._places.opened.revision,
            'problems': problems,
        }
        status = 503 if self._is_ending else 200
        return _json_response(json_text(health), status)

    async def _tell_metrics(self, request: web.Request) -> web.StreamResponse:
        opened = self._places.opened
        gauges = {
            'waiting': len(self._waiting),
            'waiting_limit': self._waiting.limit,
            'downloads': len(self._downloads),
            'map_rows': opened.database.num_rows,
            'map_keyframes': len(opened.database),
            'map_squares': len(opened.squares),
            'map_problems': len(self._places.problems),
        }
        text = self._metrics.text(gauges, opened.revision)
        return web.Response(body=text.encode(), headers={'Content-Type': CONTENT_TYPE, **_HEADERS})

    async def _json(self, answer: Callable[[], dict[str, Any]]) -> web.StreamResponse:
        """Answer in the thread of the map, which writes the JSON, too."""
        return _json_response(await self._worked(lambda: json_text(answer())))

    async def _worked(self, work: Callable[[], Result]) -> Result:
        return await asyncio.get_running_loop().run_in_executor(self._worker, work)

    def _refuse_at_the_end(self) -> None:
        if self._is_ending:
            raise web.HTTPServiceUnavailable(
                text='the server ends: ask another one, or this one later',
                headers={'Retry-After': '5', 'Connection': 'close'},
            )


def _json_response(text: str, status: int = 200) -> web.Response:
    body, kind = text.encode(), 'application/json'
    return web.Response(body=body, status=status, content_type=kind, headers=_HEADERS)


def _tags_of(request: web.Request) -> set[str]:
    given = request.headers.get('If-None-Match', '')
    return {tag.strip().removeprefix('W/') for tag in given.split(',')}


def _read_at(file: BinaryIO, size: int, offset: int) -> bytes:
    parts = []
    while size:
        part = os.pread(file.fileno(), size, offset)
        if not part:
            raise OSError('the file of a square became shorter while it was sent')
        parts.append(part)
        offset, size = offset + len(part), size - len(part)
    return b''.join(parts)


async def _body_of(request: web.Request) -> bytes:
    """Return what was sent, read within bounds of size and time."""
    if 'Content-Encoding' in request.headers:  # a little of which can be a lot
        raise web.HTTPUnsupportedMediaType(text='send the array as it is, without encoding')
    try:
        return await asyncio.wait_for(request.read(), _BODY_S)
    except web.HTTPRequestEntityTooLarge as error:
        raise web.HTTPRequestEntityTooLarge(
            MAX_BODY_BYTES,
            MAX_BODY_BYTES + 1,
            text=f'the body has more than {MAX_BODY_BYTES} bytes: send one descriptor or scan',
        ) from error
    except ConnectionError as error:
        raise web.HTTPBadRequest(text='who sent the body has gone') from error
    except asyncio.TimeoutError as error:
        raise web.HTTPRequestTimeout(text=f'the body did not come in {_BODY_S:g} s') from error
