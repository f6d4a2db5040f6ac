# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Batches drawn in the background while the networks train."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from typing import TypeVar

_NUM_AHEAD = 3

Batch = TypeVar('Batch')


@contextmanager
def drawn_ahead(draw: Callable[[int], Batch], first: int) -> Iterator[Iterator[Batch]]:
    """
    Yield the batches draw(first), draw(first + 1), ... in this order, without end.

    :param draw: depends on its argument alone, so that it does not matter when it is called
    """
    pool = ThreadPoolExecutor(1)
    try:
        yield _in_order(pool, draw, first)
    finally:
        pool.shutdown(cancel_futures=True)


def _in_order(
    pool: ThreadPoolExecutor, draw: Callable[[int], Batch], first: int
) -> Iterator[Batch]:
    waiting: deque[Future[Batch]] = deque()
    step = first
    while True:
        while len(waiting) < _NUM_AHEAD:
            waiting.append(pool.submit(draw, step))
            step += 1
        yield waiting.popleft().result()
