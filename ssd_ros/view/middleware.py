# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What every server of this package does before it answers; needs aiohttp."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any

from aiohttp import web
from ssd_ros.view.address import ServerConfig
from ssd_ros.view.guard import own_names, refusal

PATIENCE_S = 5.0  # with somebody who takes nothing
Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


def guarded(config: ServerConfig) -> Any:
    """Return a middleware that refuses requests which come from elsewhere, see guard."""
    names = own_names() | {name.lower() for name in config.names}

    @web.middleware
    async def check(request: web.Request, handler: Handler) -> web.StreamResponse:
        headers = request.headers
        reason = refusal(headers.get('Host'), headers.get('Origin'), names)
        if reason is not None:
            raise web.HTTPForbidden(text=reason)
        return await handler(request)

    return check


async def within_patience(work: Coroutine[None, None, object], request: web.Request) -> None:
    """Send something; cut off who does not take it in time."""
    sending = asyncio.ensure_future(work)
    try:
        # Not wait_for: what aiohttp waits for is shared, and so may be cancelled by another.
        await asyncio.wait({sending}, timeout=PATIENCE_S)
        if sending.done() and not sending.cancelled():
            sending.result()
        elif request.transport is not None:
            request.transport.abort()
    finally:
        sending.cancel()
