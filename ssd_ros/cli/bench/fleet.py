# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""A place server under load: `serve` in a process of its own, many clients in another."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from io import BytesIO
import multiprocessing
import os
from pathlib import Path
import random
import subprocess
import sys
from tempfile import TemporaryDirectory
import time
from typing import Any

import aiohttp
import numpy as np
from numpy.typing import NDArray
from ssd_ros.cli.bench.inputs import NUM_VIEWS, random_database
from ssd_ros.encoders.network import OnnxEncoder
from ssd_ros.maps.cells.writing import converted
from ssd_ros.maps.files import read_map

_CLIENTS = 1, 16, 64, 256
_NUM_QUERIES = 500
_LEVEL_S = 10.0
_MAX_WAITING = 64
_NOISE = 0.02


@dataclass
class Tally:
    """
    What clients got.

    :param taken_ms: of each answer, from sending to reading it
    :param whole_ms: with the times before at which the server was full
    :param num_in_time: answers until clients ask no more
    """

    taken_ms: list[float] = field(default_factory=list)
    whole_ms: list[float] = field(default_factory=list)
    num_sent: int = 0
    num_refused: int = 0
    num_wrong: int = 0
    num_bytes: int = 0
    num_in_time: int = 0
    used_s: float = 0.0  # processor time of the server

    def line(self, name: str) -> str:
        """Return a row of the table."""
        taken, whole = (np.percentile(times, (50, 99)) for times in (self.taken_ms, self.whole_ms))
        lost = self.num_sent - len(self.taken_ms) - self.num_refused
        rate = self.num_in_time / _LEVEL_S
        line = f'{name:<14} {rate:>9.0f} {taken[0]:>7.1f} {taken[1]:>8.1f} {whole[1]:>10.1f}'
        line += f' {1e3 * self.used_s / len(self.taken_ms):>9.2f}'
        line += f' {self.num_refused:>8} {lost:>5} {self.num_wrong:>6}'
        megabytes = self.num_bytes / 1e6 / _LEVEL_S
        return f'{line}   {megabytes:.0f} MB/s' if self.num_bytes else line


def measured_server(num_rows: int, student_path: Path) -> Iterator[str]:
    """Yield lines about a server of a map of random descriptors."""
    student = OnnxEncoder(student_path)
    with TemporaryDirectory() as directory:
        flat, path = Path(directory, 'flat.map'), Path(directory, 'city.map')
        random_database(num_rows, student).save(flat)
        content = read_map(flat)
        converted(path, content)
        rows = np.random.default_rng(1).integers(0, len(content.descriptors), _NUM_QUERIES)
        queries = content.descriptors[rows]
        noise = np.random.default_rng(2).standard_normal(queries.shape, np.float32) * _NOISE
        queries = queries + noise
        queries = queries / np.linalg.norm(queries, axis=1, keepdims=True)
        del content
        yield f'{num_rows} rows, random; {_LEVEL_S:.0f} s a line, at most {_MAX_WAITING} taken in'
        yield (
            f'{"clients":<14} {"answers/s":>9} {"p50, ms":>7} {"p99, ms":>8} {"p99 in all":>10}'
            f' {"CPU, ms":>9} {"refused":>8} {"lost":>5} {"wrong":>6}'
        )
        context = multiprocessing.get_context('spawn')
        with _served(path) as (url, used_s), ProcessPoolExecutor(1, context) as apart:

            def line(name: str, *work: Any) -> str:
                before_s = used_s()
                tally: Tally = apart.submit(*work).result()
                tally.used_s = used_s() - before_s
                return tally.line(name)

            for num in _CLIENTS:
                yield line(f'{num}', _asked, url, num, queries, rows // NUM_VIEWS)
            yield line('8, of squares', _fetched, url, 8)


@contextmanager
def _served(path: Path) -> Iterator[tuple[str, Callable[[], float]]]:
    """Yield the address of a server, and what returns its processor time in seconds."""
    command = [sys.executable, '-m', 'ssd_ros', 'serve', str(path), '--port', '0']
    command += ['--max-waiting', str(_MAX_WAITING)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            for line in process.stdout:
                if line.startswith('serving '):
                    yield line.split()[1], lambda: _used_s(process.pid)
                    break
            else:
                raise ValueError('serve ended before it served')
        finally:
            process.terminate()
            process.communicate()


def _used_s(process: int) -> float:
    times = Path(f'/proc/{process}/stat').read_text().rpartition(')')[2].split()
    return (int(times[11]) + int(times[12])) / os.sysconf('SC_CLK_TCK')


def _asked(
    url: str, num_clients: int, queries: NDArray[np.float32], expected: NDArray[np.int64]
) -> Tally:
    """Ask as fast as answers come, in this process."""
    bodies = [_npy(query) for query in queries]
    tally = Tally()

    async def ask(session: aiohttp.ClientSession, generator: random.Random, last_s: float) -> None:
        while (start_s := time.perf_counter()) < last_s:
            number = generator.randrange(len(bodies))
            while True:
                sent_s = time.perf_counter()
                tally.num_sent += 1
                address = f'{url}v1/descriptor?k=5'
                async with session.post(address, data=bodies[number]) as reply:
                    if reply.status == 200:
                        answer = await reply.json()
                        break
                    assert reply.status == 503, await reply.text()
                    tally.num_refused += 1
                    again_s = int(reply.headers['Retry-After'])
                await asyncio.sleep(again_s * generator.uniform(0.5, 1.5))
            now_s = time.perf_counter()
            tally.taken_ms.append((now_s - sent_s) * 1e3)
            tally.whole_ms.append((now_s - start_s) * 1e3)
            tally.num_in_time += now_s < last_s
            tally.num_wrong += answer['candidates'][0]['keyframe_id'] != expected[number]

    async def all_of_them() -> None:
        connector = aiohttp.TCPConnector(limit=0)
        async with aiohttp.ClientSession(connector=connector) as session:
            last_s = time.perf_counter() + _LEVEL_S
            clients = (ask(session, random.Random(each), last_s) for each in range(num_clients))
            await asyncio.gather(*clients)

    asyncio.run(all_of_them())
    return tally


def _fetched(url: str, num_clients: int) -> Tally:
    """Fetch squares one after another."""
    tally = Tally()

    async def fetch(session: aiohttp.ClientSession, names: list[str], last_s: float) -> None:
        while (start_s := time.perf_counter()) < last_s:
            tally.num_sent += 1
            name = names[tally.num_sent % len(names)]
            async with session.get(f'{url}v1/squares/{name}') as reply:
                assert reply.status == 200, await reply.text()
                content = await reply.read()
            if time.perf_counter() < last_s:
                tally.num_in_time += 1
                tally.num_bytes += len(content)
            milliseconds = (time.perf_counter() - start_s) * 1e3
            tally.taken_ms.append(milliseconds)
            tally.whole_ms.append(milliseconds)

    async def all_of_them() -> None:
        async with aiohttp.ClientSession() as session:
            async with session.get(f'{url}v1/squares') as reply:
                names = [each['name'] for each in (await reply.json())['squares']]
            last_s = time.perf_counter() + _LEVEL_S
            clients = [fetch(session, names, last_s) for _ in range(num_clients)]
            await asyncio.gather(*clients)

    asyncio.run(all_of_them())
    return tally


def _npy(array: NDArray[np.float32]) -> bytes:
    file = BytesIO()
    np.save(file, array)
    return file.getvalue()
