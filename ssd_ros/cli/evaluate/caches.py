# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Evaluation on cached drives: all tasks, all places, every image encoded once."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from ssd_ros.bev.preprocessing import PreprocessingConfig
from ssd_ros.cli.common.progress import progress_bar
from ssd_ros.encoders.place_encoder import PlaceEncoder
from ssd_ros.evaluation.bev_cache import CachedDrive, load_drives
from ssd_ros.evaluation.judging.encoders import evaluate
from ssd_ros.evaluation.queries.descriptors import Descriptors, Encoders
from ssd_ros.evaluation.queries.pairs import (
    Pair,
    pairs_of,
    query_seed,
    setting_of,
    yaw_seed,
)
from ssd_ros.evaluation.queries.protocol import Protocol, TASKS
from ssd_ros.evaluation.scores.results import Result
from ssd_ros.evaluation.tables.papers import RANDOM_YAW_VARIANT

DEFAULT_TASKS = ('single', 'multi', '4d', 'spinning')
_WITH_VIEWS = ('single', 'multi')


def cached_drives(
    directories: Sequence[Path], preprocessing: PreprocessingConfig
) -> list[CachedDrive]:
    """
    Map the drives of one or more splits into memory.

    :raise ValueError: two of them have one name
    """
    drives = [one for path in directories for one in load_drives(path, preprocessing)]
    names = [drive.name for drive in drives]
    if twice := sorted({name for name in names if names.count(name) > 1}):
        raise ValueError(f'{twice[0]} is in two of the caches: give each drive once')
    return drives


def run_on_caches(
    drives: Sequence[CachedDrive],
    student: PlaceEncoder,
    teacher: PlaceEncoder,
    protocol: Protocol,
    arguments: argparse.Namespace,
) -> list[Result]:
    """
    Run the tasks that the arguments ask for, and their variants.

    :raise ValueError: no task can be run on these drives
    """
    tasks = arguments.tasks or DEFAULT_TASKS
    pairs = [pair for task in tasks for pair in pairs_of(drives, task)]
    if not pairs:
        raise ValueError(
            f'tasks {", ".join(tasks)} ask for images that none of the {len(drives)} cached '
            'drives has'
        )
    variants = _variants(protocol, arguments)
    total = _num_images(pairs, [protocol, *variants.values()])
    with progress_bar('encode', 'image') as progress:
        encoders = _counting(student, teacher, total, progress)
        descriptors = Descriptors(encoders, teacher.contract.preprocessing.grid)
        results = evaluate(drives, descriptors, protocol, tasks)
        for variant, changed in variants.items():
            asked = [task for task in tasks if task in _WITH_VIEWS]
            more = evaluate(drives, descriptors, changed, asked)
            results += [replace(result, variant=variant) for result in more]
    return results


def _variants(protocol: Protocol, arguments: argparse.Namespace) -> dict[str, Protocol]:
    """Return the protocols that differ in one thing, under their name."""
    variants = {
        f'{num_views} views': replace(protocol, num_views=num_views)
        for num_views in arguments.views[1:]
    }
    if arguments.random_yaw is not None:
        variants[RANDOM_YAW_VARIANT] = replace(protocol, random_yaw_seed=arguments.random_yaw)
    if arguments.opposite_lane:
        name = f'opposite lane at {arguments.opposite_lane:g} m'
        variants[name] = replace(protocol, opposite_lane_m=arguments.opposite_lane)
    return variants


def _num_images(pairs: Iterable[Pair], protocols: Sequence[Protocol]) -> int:
    """Return how many images will be encoded."""
    images: set[tuple[str, str, int | None, int, float]] = set()
    for pair in pairs:
        task = TASKS[pair.task]
        asked, mapped = pair.query_drive.name, pair.map_drive.name
        for protocol in protocols:
            seed, setting = yaw_seed(task, protocol), setting_of(pair, protocol)
            seen = zip(setting.scans.tolist(), setting.lanes_m.tolist(), strict=True)
            images |= {(mapped, task.map_sensor, seed, *one) for one in seen}
            of_query = query_seed(task)
            images |= {
                (asked, task.query_sensor, of_query, int(row), 0) for row in setting.queries
            }
    return len(images)


def _counting(
    student: PlaceEncoder,
    teacher: PlaceEncoder,
    total: int,
    progress: Callable[[int, int], None],
) -> Encoders:
    """Return both encoders as functions that report each image."""
    done = 0

    def count(num: int) -> None:
        nonlocal done
        done += num
        progress(done, total)

    def encode_clouds(bevs: NDArray[np.uint8]) -> NDArray[np.float32]:
        descriptors = student.encode_batch(bevs)
        count(len(bevs))
        return descriptors

    def encode_panorama(panorama: NDArray[np.uint8]) -> NDArray[np.float32]:
        views = teacher.encode_panorama(panorama)
        count(1)
        return views

    return Encoders(encode_clouds, encode_panorama)
