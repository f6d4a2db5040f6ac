# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Which drives `trust` asks: of the simulated benchmark or recorded ones."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from ssd_ros.cli.cache.drives import benchmark_drives, RecordedDrive
from ssd_ros.cli.trust.jobs import Drive


def drives_of_benchmark(splits: Sequence[str]) -> list[Drive]:
    """
    Return the drives of splits of the shipped benchmark; sessions 01 make the maps.

    :raise ValueError: there is no such split
    """
    return [
        Drive(job.directory, job.source, job.directory.endswith('_0'))
        for split in splits
        for job in benchmark_drives(split)
    ]


def recorded_drives(
    mapping: Path, queries: Sequence[Path], strangers: Sequence[Path], dataset: str
) -> list[Drive]:
    """
    Return recorded drives.

    :param mapping: makes the map
    :param queries: through the same place, in the same map frame
    :param strangers: somewhere else
    :raise ValueError: two drives have the same name
    """
    paths = [mapping, *queries, *strangers]
    # HeRCULES and others number the drives of a place: Library/01.
    names = ['_'.join(path.resolve().with_suffix('').parts[-2:]) for path in paths]
    if len(set(names)) < len(names):
        raise ValueError(f'the drives are named {names}: rename one')
    worlds = ['here'] * (1 + len(queries)) + ['elsewhere'] * len(strangers)
    return [
        Drive(
            f'recorded/{name}',
            RecordedDrive(path, f'{world}/{name}', dataset, 'file'),
            path == mapping,
        )
        for path, name, world in zip(paths, names, worlds, strict=True)
    ]
