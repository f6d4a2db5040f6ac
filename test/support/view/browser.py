# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""A real browser without a window, asked over its DevTools protocol."""

from __future__ import annotations

import asyncio
import base64
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
import itertools
from pathlib import Path
import shutil
import subprocess
import tempfile
from typing import Any

import aiohttp

LIMIT_S = 60.0  # generous: a loaded machine must not fail a test
NAMES = ('chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable')
_OPTIONS = [
    '--headless=new',
    '--no-sandbox',  # root, as in containers, cannot have one
    '--disable-gpu',
    '--disable-dev-shm-usage',
    '--no-first-run',
    '--remote-debugging-port=0',
]


def browser_program() -> str | None:
    """Return the path of a browser, if there is one."""
    return next(filter(None, map(shutil.which, NAMES)), None)


class Page:
    """One page of the browser."""

    def __init__(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        self._socket, self._numbers = socket, itertools.count(1)
        self.faults: list[str] = []

    async def ask(self, method: str, **parameters: Any) -> dict[str, Any]:
        """Send a command and return its result."""
        number = next(self._numbers)
        await self._socket.send_json({'id': number, 'method': method, 'params': parameters})
        while True:
            message = await asyncio.wait_for(self._socket.receive_json(), LIMIT_S)
            if message.get('id') == number:
                assert 'error' not in message, message
                return message['result']
            if message.get('method') in ('Runtime.exceptionThrown', 'Log.entryAdded'):
                self.faults.append(str(message['params']))

    async def open(self, url: str, width: int, height: int, is_dark: bool = False) -> None:
        """Go to an address in a window of this size."""
        for domain in ('Runtime', 'Log', 'Page'):
            await self.ask(f'{domain}.enable')
        await self.ask(
            'Emulation.setDeviceMetricsOverride',
            width=width,
            height=height,
            deviceScaleFactor=1,
            mobile=width < 600,
        )
        theme = {'name': 'prefers-color-scheme', 'value': 'dark' if is_dark else 'light'}
        await self.ask('Emulation.setEmulatedMedia', features=[theme])
        await self.ask('Page.navigate', url=url)
        await self.wait(f'location.href === "{url}" && document.readyState === "complete"')

    async def value(self, expression: str) -> Any:
        """Return what JavaScript says."""
        found = await self.ask('Runtime.evaluate', expression=expression, returnByValue=True)
        assert 'exceptionDetails' not in found, found
        return found['result'].get('value')

    async def wait(self, expression: str) -> Any:
        """Return the first true value."""
        deadline = asyncio.get_running_loop().time() + LIMIT_S
        while not (value := await self.value(expression)):
            assert asyncio.get_running_loop().time() < deadline, f'waited for {expression}'
            await asyncio.sleep(0.1)
        return value

    async def picture(self, path: Path) -> None:
        """Write what is to be seen as PNG."""
        shot = await self.ask('Page.captureScreenshot', format='png')
        path.write_bytes(base64.b64decode(shot['data']))


@asynccontextmanager
async def opened_browser(program: str) -> AsyncIterator[Page]:
    """Run a browser with a profile of its own and give its one page."""
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        command = [program, *_OPTIONS, f'--user-data-dir={folder}', 'about:blank']
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            address = await _address(Path(folder, 'DevToolsActivePort'))
            async with aiohttp.ClientSession() as session:
                async with session.get(f'{address}/json/list') as reply:
                    targets = await reply.json()
                url = next(each for each in targets if each['type'] == 'page')
                async with session.ws_connect(
                    url['webSocketDebuggerUrl'], max_msg_size=1 << 26
                ) as socket:
                    yield Page(socket)
        finally:
            process.terminate()
            process.wait(LIMIT_S)


async def _address(file: Path) -> str:
    for _ in range(int(LIMIT_S / 0.1)):
        if file.exists() and (lines := file.read_text().splitlines()):
            return f'http://127.0.0.1:{lines[0]}'
        await asyncio.sleep(0.1)
    raise AssertionError('the browser does not start')
