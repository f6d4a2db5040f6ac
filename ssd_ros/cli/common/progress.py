# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""A progress bar with rate and time left, on stderr."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
import sys

from tqdm import tqdm
from tqdm.contrib.logging import logging_redirect_tqdm

# A file or a pipe gets a line now and then, not ten a second.
_SECONDS_BETWEEN = 0.2 if sys.stderr.isatty() else 15.0


@contextmanager
def progress_bar(title: str, unit: str) -> Iterator[Callable[[int, int], None]]:
    """Yield a function that shows how many of how many are done; warnings pass above it."""
    with (
        logging_redirect_tqdm(),
        tqdm(desc=title, unit=unit, mininterval=_SECONDS_BETWEEN, dynamic_ncols=True) as bar,
    ):

        def show(done: int, total: int) -> None:
            bar.total = total
            bar.update(done - bar.n)

        yield show
