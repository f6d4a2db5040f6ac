# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Judge any method on cached drives: same maps, same queries, same rules as ours."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from functools import partial

import numpy as np
from numpy.typing import NDArray
from ssd_ros.baselines.method import Descriptors, Matches, Method
from ssd_ros.baselines.polar_image import Passed, PolarImage
from ssd_ros.bev.polar_bev import PolarGrid
from ssd_ros.evaluation.bev_cache import CachedDrive
from ssd_ros.evaluation.judging.encoders import result_of
from ssd_ros.evaluation.queries.answers import Answers
from ssd_ros.evaluation.queries.descriptors import panorama_of, random_yaws_rad
from ssd_ros.evaluation.queries.pairs import (
    Pair,
    pairs_of,
    query_seed,
    Setting,
    setting_of,
)
from ssd_ros.evaluation.queries.protocol import Protocol, Task, TASKS
from ssd_ros.evaluation.queries.retrieval import nearest_first
from ssd_ros.evaluation.scores.results import Result
from ssd_ros.motion.odometry import motion_between

_STEP_M = 1.0  # of way, between two images before another one

Report = Callable[[int, int], None]
"""Called with the number of images described since, and of all of them at the first call."""


class MethodJudge:
    """One method on the drives of one task; every image is described as seldom as can be."""

    def __init__(
        self, method: Method, name: str, grid: PolarGrid, protocol: Protocol, report: Report
    ) -> None:
        """
        Begin.

        :param name: of the method in results
        :param report: called for every image
        """
        self._method = method
        self._name = name
        self._grid = grid
        self._protocol = protocol
        self._report = report
        self._queries: dict[tuple[str, str, int | None], Descriptors] = {}

    def run(self, drives: Sequence[CachedDrive], task_name: str) -> list[Result]:
        """
        Answer all queries of a task.

        :raise ValueError: the drives lack images that the task asks for
        """
        pairs = pairs_of(drives, task_name)
        if not pairs:
            raise ValueError(
                f'task {task_name} asks for images that none of {len(drives)} drives has'
            )
        settings = [setting_of(pair, self._protocol) for pair in pairs]
        maps: dict[str, list[int]] = {}
        for number, pair in enumerate(pairs):
            maps.setdefault(pair.map_drive.name, []).append(number)
        num_scans = sum(len(settings[numbers[0]].scans) for numbers in maps.values())
        self._report(0, num_scans + sum(len(setting.queries) for setting in settings))
        results: dict[int, Result] = {}
        for numbers in maps.values():
            mine = [(pairs[number], settings[number]) for number in numbers]
            results.update(zip(numbers, self._in_one_map(mine, TASKS[task_name]), strict=True))
        return [results[number] for number in range(len(pairs))]

    def _in_one_map(self, asked: Sequence[tuple[Pair, Setting]], task: Task) -> list[Result]:
        mapping, scans = asked[0][0].map_drive, asked[0][1].scans
        way_m = self._method.way_m
        images = [
            image_of(mapping, task.map_sensor, row, self._grid, way_m=way_m) for row in scans
        ]
        self._method.fit(images)
        for_part = task.map_sensor != task.query_sensor
        places = []
        for image in images:
            places.append(self._method.describe_place(image, for_part))
            self._report(1, 0)
        index = self._method.index(np.stack(places))
        num_views = len(places[0])
        results = []
        for pair, setting in asked:
            queries = self._describe(pair.query_drive, task, setting.queries)
            answers = answers_of(index.search(queries), setting)
            results.append(result_of(pair, self._name, setting, answers, num_views))
        return results

    def _describe(self, drive: CachedDrive, task: Task, rows: NDArray[np.int64]) -> Descriptors:
        """Return the descriptors of a drive's queries, those of before where they hold."""
        sensor, seed = task.query_sensor, query_seed(task)
        key = (drive.name, sensor, seed)
        if key not in self._queries or self._method.fits_map:
            described = []
            for row in rows:
                image = image_of(drive, sensor, row, self._grid, seed, self._method.way_m)
                described.append(self._method.describe(image))
                self._report(1, 0)
            self._queries[key] = np.stack(described)
        else:
            self._report(len(rows), 0)
        return self._queries[key]


def image_of(
    drive: CachedDrive,
    sensor: str,
    row: int,
    grid: PolarGrid,
    yaw_seed: int | None = None,
    way_m: float = 0.0,
) -> PolarImage:
    """
    Return one cached image as methods take it.

    :param sensor: '4d' or 'spinning'
    :param yaw_seed: turn a panorama by random_columns first
    :param way_m: length of the way whose images come before it
    """
    if sensor == '4d':
        image = PolarImage.of_view(np.asarray(drive.student_bevs[row]), grid)
    else:
        image = PolarImage.of_panorama(panorama_of(drive, row, yaw_seed), grid)
    if not way_m:
        return image
    yaw_rad = 0.0 if yaw_seed is None else float(random_yaws_rad(drive, [row], yaw_seed)[0])
    return replace(image, before=partial(_passed, drive, sensor, row, grid, way_m, yaw_rad))


def _passed(
    drive: CachedDrive, sensor: str, row: int, grid: PolarGrid, way_m: float, yaw_rad: float
) -> Iterator[Passed]:
    """Yield the images of the way before one that was turned by an angle."""
    poses = np.asarray(drive.student_poses if sensor == '4d' else drive.panorama_poses)
    here = poses[row] + (0, 0, yaw_rad)
    for earlier in rows_before(poses[: row + 1, :2], way_m):
        image = image_of(drive, sensor, earlier, grid)
        yield Passed(image, motion_between(here, poses[earlier]))


def rows_before(positions_m: NDArray[np.float64], way_m: float) -> list[int]:
    """
    Return which positions lie on the last metres of way to the last one, a step apart.

    :param positions_m: shape (N, 2), in order of time
    """
    steps_m = np.hypot(*np.diff(positions_m, axis=0).T)
    back_m = np.cumsum(steps_m[::-1])[::-1]
    on_way = np.flatnonzero((back_m >= _STEP_M) & (back_m <= way_m))
    _, first = np.unique(back_m[on_way] // _STEP_M, return_index=True)
    return np.sort(on_way[first]).tolist()


def answers_of(matches: Matches, setting: Setting) -> Answers:
    """Sort what may be found by distance, nearest first, and lay the first over the query."""
    allowed = np.where(setting.excluded, np.inf, matches.distances)
    keyframes, distances = nearest_first(allowed, setting.entries)
    first, accepted = keyframes[:, 0], None
    yaws_rad = matches.relative_yaws_rad[np.arange(len(first)), first]
    if matches.close is not None:
        closures = [matches.close(query, place) for query, place in enumerate(first.tolist())]
        yaws_rad = np.array([closure.relative_yaw_rad for closure in closures])
        accepted = np.array([closure.is_accepted for closure in closures])
    return Answers(keyframes, distances[:, 0].astype(np.float64), yaws_rad, accepted=accepted)
