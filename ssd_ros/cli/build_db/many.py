# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""
Many drives to one map of squares, on the cores of this machine or of many, by Dask.

A drive is a task on one core, whose keyframes go to a file of their own; what was on a worker that
dies is done again elsewhere. The map is put together from these files in the order in which the
drives were named, whoever encoded them.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import partial
import logging
import os
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, NamedTuple

from ssd_ros.cli.build_db.encoding import encoder_of, map_of_drive
from ssd_ros.cli.common.drive_options import DriveOptions, options_of
from ssd_ros.cli.common.progress import progress_bar
from ssd_ros.encoders.network import OnnxEncoder
from ssd_ros.maps.cells.growth import Addition, change, Step
from ssd_ros.maps.cells.sources import plan_of

LOCAL = 'local'
_LOOPBACK = '127.0.0.1'  # whoever reaches a scheduler runs code on its workers
_MAX_DEATHS = 3  # of workers, by one drive


class Encoded(NamedTuple):
    """
    A drive as a map of one piece.

    :param path: of the map
    :param seconds: that encoding took
    """

    path: Path
    name: str
    num_keyframes: int
    seconds: float


def build_many(arguments: argparse.Namespace) -> tuple[list[Encoded], Step]:
    """
    Build the map of `build_db --drives`.

    :return: what was encoded, in order, and what became of the map
    :raise ValueError: a drive cannot be used, or two do not belong into one map
    """
    drives: Sequence[Path] = arguments.drives
    all_options = options_of(arguments, drives)
    encoder = encoder_of(arguments)  # is refused here, not on a worker
    output = arguments.output.absolute()
    with (
        TemporaryDirectory(prefix=f'.{output.name}.', dir=output.parent) as folder,
        _client(arguments) as client,
    ):
        one_core = argparse.Namespace(**{**vars(arguments), 'threads': 1})
        if isinstance(encoder, OnnxEncoder):
            one_core.device = encoder.device  # all encode alike, whatever is fastest where
        parts = [Path(folder) / f'{number:05d}.map' for number in range(len(drives))]
        tasks = client.map(
            encode, [one_core] * len(drives), drives, all_options, parts, pure=False
        )
        encoded = _results(tasks)
        first, *others = parts
        additions = [
            Addition(str(drive), partial(plan_of, part))
            for drive, part in zip(drives[1:], others, strict=True)
        ]
        with progress_bar(output.name, 'square') as progress:
            step = change(first, additions, output=output, progress=progress)
    return encoded, step


def encode(
    arguments: argparse.Namespace, drive: Path, options: DriveOptions, part: Path
) -> Encoded:
    """
    Encode a drive, on a worker.

    :param part: where its map goes
    """
    os.environ['TQDM_DISABLE'] = '1'  # the bar is that of all drives
    wanted = argparse.Namespace(**{**vars(arguments), 'input': drive})
    database, seconds = map_of_drive(wanted, encoder_of(wanted), options)
    database.save(part)
    return Encoded(part, database.info.source, len(database), seconds)


def _results(tasks: Sequence[Any]) -> list[Encoded]:
    from distributed import as_completed

    with progress_bar('encode', 'drive') as progress:
        for done, task in enumerate(as_completed(tasks), start=1):
            task.result()
            progress(done, len(tasks))
    return [task.result() for task in tasks]


@contextmanager
def _client(arguments: argparse.Namespace) -> Iterator[Any]:
    """Yield what gives tasks to workers: to those of a scheduler, or to processes of its own."""
    import dask
    from distributed import Client, LocalCluster

    with dask.config.set({'distributed.scheduler.allowed-failures': _MAX_DEATHS}):
        if arguments.scheduler != LOCAL:
            with _connected(arguments.scheduler) as client:
                yield client
            return
        num_workers = min(arguments.workers, len(arguments.drives))
        with (
            LocalCluster(
                n_workers=num_workers,
                threads_per_worker=1,
                host=_LOOPBACK,
                dashboard_address=f'{_LOOPBACK}:0',
                silence_logs=logging.CRITICAL,  # what a drive fails of is raised here
            ) as cluster,
            Client(cluster) as client,
        ):
            yield client


@contextmanager
def _connected(address: str) -> Iterator[Any]:
    from distributed import Client

    try:
        client = Client(address, timeout='5s')
    except (OSError, ValueError) as error:
        raise ValueError(
            f'no scheduler answers at {address} ({error}): start `dask scheduler` and workers, or '
            f'give --scheduler {LOCAL}'
        ) from error
    with client:
        if not client.scheduler_info()['workers']:
            raise ValueError(f'the scheduler at {address} has no worker: start `dask worker`')
        yield client
