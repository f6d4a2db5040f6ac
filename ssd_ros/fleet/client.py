# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Requests to a place server, bounded in size and time; needs aiohttp."""

from __future__ import annotations

import asyncio
from io import BytesIO
import json
from typing import Any
from urllib.parse import urlsplit

import aiohttp
import numpy as np
from numpy.typing import NDArray
from ssd_ros.fleet.asked import Ask
from ssd_ros.records import shortened

MAX_REPLY_BYTES = 1 << 22
_MAX_PAUSE_S = 60.0
_WHAT = 'expected what the command serve answers'


class PlaceServerError(OSError):
    """
    A place server that does not answer, or not as one does, and why.

    :param pause_s: for which it asks to be left alone, None if it did not say
    """

    def __init__(self, reason: str, pause_s: float | None = None) -> None:
        super().__init__(reason)
        self.pause_s = pause_s


class PlaceClient:
    """Ask one place server; each request has a connection of its own, which nothing outlives."""

    def __init__(self, address: str, limit_s: float = 2.0) -> None:
        """
        Note where it is; nothing is sent.

        :param address: such as http://127.0.0.1:8766; https checks the certificate of the server
        :param limit_s: of a request as a whole
        :raise ValueError: the address cannot be
        """
        self.address = address.rstrip('/')
        self._limit = aiohttp.ClientTimeout(total=limit_s)
        if not _is_address(self.address):
            raise ValueError(
                f'{shortened(address)} is no address of a place server: expected one such as '
                'http://127.0.0.1:8766'
            )

    def describe(self) -> dict[str, Any]:
        """
        Return what the map says of itself.

        :raise PlaceServerError: it cannot be had
        """
        return self._asked('GET', '/v1/map', {}, b'')

    def find(self, descriptor: NDArray[np.float32], ask: Ask) -> dict[str, Any]:
        """
        Return the keyframes with the nearest descriptors.

        :param descriptor: shape (D,), or (V, D) of a whole turn
        :raise PlaceServerError: they cannot be had
        """
        values: dict[str, float] = {
            'k': ask.num,
            'first': ask.first,
            'elsewhere': ask.elsewhere,
            'returns': ask.num_returns,
        }
        if (prior := ask.prior) is not None:
            values |= {'x': prior.x_m, 'y': prior.y_m, 'radius': prior.radius_m}
        file = BytesIO()
        np.save(file, np.ascontiguousarray(descriptor, '<f4'), allow_pickle=False)
        return self._asked('POST', '/v1/descriptor', values, file.getvalue())

    def _asked(
        self, method: str, path: str, values: dict[str, float], body: bytes
    ) -> dict[str, Any]:
        try:
            reply = json.loads(asyncio.run(self._content(method, path, values, body)))
        except PlaceServerError:
            raise
        except asyncio.TimeoutError as error:
            raise PlaceServerError(f'nothing came in {self._limit.total:g} s') from error
        except (OSError, aiohttp.ClientError) as error:
            raise PlaceServerError(f'{error or type(error).__name__}') from error
        except (ValueError, RecursionError) as error:
            raise PlaceServerError(f'its answer is no JSON, {_WHAT}') from error
        if not isinstance(reply, dict):
            raise PlaceServerError(f'it answers {shortened(reply)}, {_WHAT}')
        return reply

    async def _content(
        self, method: str, path: str, values: dict[str, float], body: bytes
    ) -> bytes:
        named = {name: repr(value) for name, value in values.items()}
        # Not decompressed: a little can become a lot.
        async with (
            aiohttp.ClientSession(timeout=self._limit, auto_decompress=False) as session,
            session.request(
                method, self.address + path, params=named, data=body, allow_redirects=False
            ) as response,
        ):
            content = await _read(response.content)
            if response.status != 200:
                text = shortened(content[:200].decode(errors='replace'))
                raise PlaceServerError(f'it answers {response.status}: {text}', _pause_s(response))
            return content


async def _read(stream: aiohttp.StreamReader) -> bytes:
    content = bytearray()
    while part := await stream.readany():
        content += part
        if len(content) > MAX_REPLY_BYTES:
            raise PlaceServerError(f'its answer has more than {MAX_REPLY_BYTES} bytes, {_WHAT}')
    return bytes(content)


def _pause_s(response: aiohttp.ClientResponse) -> float | None:
    """Return the seconds that a server names after which it can be asked again."""
    text = response.headers.get('Retry-After', '')
    if not (text.isascii() and text.isdigit() and len(text) < 9):
        return None
    return min(float(text), _MAX_PAUSE_S)


def _is_address(address: str) -> bool:
    try:
        parts = urlsplit(address)
        return bool(
            parts.scheme in ('http', 'https')
            and parts.hostname
            and (parts.port is None or parts.port > 0)
            and not (parts.query or parts.fragment or parts.username)
        )
    except ValueError:
        return False
