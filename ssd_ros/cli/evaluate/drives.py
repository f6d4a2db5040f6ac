# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Evaluation on drives, through the chain of the node: build maps, ask every query."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from ssd_ros.cli.common.drive_options import DriveOptions
from ssd_ros.cli.common.drives import CheckedDrive, open_drive
from ssd_ros.cli.common.progress import progress_bar
from ssd_ros.cli.evaluate.judged import judged
from ssd_ros.cli.evaluate.submaps import judge_submaps, submap_map
from ssd_ros.cli.evaluate.windows import cold_start, QueryWindow
from ssd_ros.datasets.bags.rosbag2 import Rosbag2Config
from ssd_ros.datasets.pose_check import require_one_place
from ssd_ros.datasets.sequence import RadarSequence, sensor_scans
from ssd_ros.encoders.place_encoder import PlaceEncoder
from ssd_ros.evaluation.queries.answers import Answers, ground_truth, select_queries
from ssd_ros.evaluation.scores.results import Result
from ssd_ros.evaluation.scores.summary import one_percent
from ssd_ros.evaluation.used_radar import used_radar, UsedRadar
from ssd_ros.maps.builder import build_database
from ssd_ros.maps.place_database import PlaceDatabase
from ssd_ros.recognition.answer import Recognition, RecognizerConfig
from ssd_ros.recognition.compiled_parts import use_compiled
from ssd_ros.recognition.place_recognizer import PlaceRecognizer

_LIDAR_RATE_HZ = 10.0


@dataclass(frozen=True, slots=True)
class Place:
    """One drive to map and the drives to find in that map."""

    mapping: RadarSequence
    queries: tuple[RadarSequence, ...]


def recorded_drives(
    paths: Sequence[Path], options: Sequence[DriveOptions], map_sensor: str
) -> list[Place]:
    """
    Open recorded drives: the map's for the scans that map it, the others for their clouds.

    :param paths: the drive to map first
    :param options: of each drive
    :param map_sensor: 'spinning', '4d' or 'lidar'
    :raise ValueError: one of them cannot be used, or is in another frame than the map's
    """
    mapping = open_drive(paths[0], options[0], Rosbag2Config(sensors=(map_sensor,)))
    queries = []
    for path, of_drive in zip(paths[1:], options[1:], strict=True):
        drive = open_drive(path, of_drive, Rosbag2Config(sensors=('4d',)))
        # Recorders give every car the same name; one name means the same session.
        if drive.name == mapping.name and path.resolve() != paths[0].resolve():
            name = f'{path.resolve().parent.name}/{drive.name}'
            drive = replace(drive, name=name)
        queries.append(drive)
    asked = [(drive.name, drive.cloud_poses.positions_m, '') for drive in queries]
    mapped_m = sensor_scans(mapping, map_sensor).poses.positions_m
    require_one_place([(mapping.name, mapped_m, ''), *asked])
    return [Place(mapping, tuple(queries))]


def radars_of(places: Sequence[Place], map_sensor: str) -> list[UsedRadar]:
    """Return what the results rest on: the scans that are mapped, the clouds that are asked."""
    used = []
    for place in places:
        asked = [(drive, '4d') for drive in place.queries]
        for drive, sensor in [(place.mapping, map_sensor), *asked]:
            notes = drive.notes if isinstance(drive, CheckedDrive) else {}
            used.append(used_radar(drive, sensor, notes.get(sensor, '')))
    return used


def simulated_drives(worlds: str, has_lidar: bool = False) -> list[Place]:
    """
    Return drives of worlds that no model was trained on; the first of each is mapped.

    Those of `test` and `test_opposite` are the benchmark's, by which nothing may be chosen.

    :param has_lidar: whether they drive with a LiDAR, which spins
    """
    if worlds in ('test', 'test_opposite'):
        return _drives_of_benchmark('test', has_lidar, worlds == 'test_opposite')
    # Importing the simulator compiles it, for seconds: only where it is asked for.
    from ssd_ros.cli.simulate.jobs import jobs_of
    from ssd_ros.simulator.config import DEMO_SEED, VALIDATION_SEEDS

    # Of the validation worlds' three drives the last is in rain, as in training.
    preset, seeds, rain_mm_per_h = {
        'demo': ('demo', [DEMO_SEED], None),
        'validation': ('bench', VALIDATION_SEEDS[:2], [0.0, 0.0, 8.0]),
        'opposite': ('bench', VALIDATION_SEEDS[2:3], None),
    }[worlds]
    difficulty = 'hard' if worlds == 'opposite' else 'default'
    places = []
    for seed in seeds:
        jobs = jobs_of(
            preset,
            difficulty,
            seed=seed,
            rain_mm_per_h=rain_mm_per_h,
            lidar='spinning' if has_lidar else None,
            lidar_rate_hz=_LIDAR_RATE_HZ,
        )
        mapping, *queries = [job.sequence() for job in jobs]
        # Of the hard ones the last is driven the opposite way.
        places.append(Place(mapping, tuple(queries[-1:] if worlds == 'opposite' else queries)))
    return places


def _drives_of_benchmark(split: str, has_lidar: bool, only_opposite: bool) -> list[Place]:
    """
    Return the drives of a split of the benchmark; the first of each world is mapped.

    :param only_opposite: only those that go against the map's, and their worlds
    """
    from ssd_ros.cli.cache.drives import benchmark_drives, SimulatedDrive

    drives: dict[int, list[SimulatedDrive]] = {}
    for source in (job.source for job in benchmark_drives(split, has_lidar)):
        if isinstance(source, SimulatedDrive):
            drives.setdefault(source.place.seed, []).append(source)
    places = []
    for mapping, *others in drives.values():
        asked = [
            drive.open()
            for drive in others
            if drive.visit.conditions.opposite_direction or not only_opposite
        ]
        if asked:
            places.append(Place(mapping.open(), tuple(asked)))
    return places


def run(
    places: Sequence[Place],
    student: PlaceEncoder,
    teacher: PlaceEncoder,
    arguments: argparse.Namespace,
) -> list[Result]:
    """Build each map, ask all queries of its drives and judge every method."""
    results: list[Result] = []
    for place in places:
        database = _map_of(place.mapping, teacher, arguments)
        for drive in place.queries:
            if arguments.submap:
                results.append(judge_submaps(drive, teacher, database, arguments))
                continue
            results.append(_judge(drive, student, database, arguments))
            for window_m in arguments.window:
                results.append(_judge(drive, student, database, arguments, window_m))
    return results


def _map_of(
    drive: RadarSequence, teacher: PlaceEncoder, arguments: argparse.Namespace
) -> PlaceDatabase:
    if arguments.map_sensor == '4d':
        return submap_map(drive, teacher, arguments)
    with progress_bar(f'map {drive.name}', 'keyframe') as progress:
        return build_database(
            drive,
            teacher,
            arguments.views[0] if arguments.views else None,
            arguments.keyframe_distance,
            progress=progress,
            sensor=arguments.map_sensor,
            opposite_lane_m=arguments.opposite_lane or 0.0,
        )


def _judge(
    drive: RadarSequence,
    student: PlaceEncoder,
    database: PlaceDatabase,
    arguments: argparse.Namespace,
    window_m: float | None = None,
) -> Result:
    """Ask the queries of a drive, with the model's own window or one of so much way."""
    preprocessing = student.contract.preprocessing
    if window_m is not None:
        preprocessing = replace(preprocessing, window_m=window_m)
    num_answers = min(max(5, one_percent(len(database))), len(database))
    num_rows = max(RecognizerConfig().search_rows, num_answers * database.info.num_views)
    use_compiled()
    recognizer = PlaceRecognizer(
        student,
        [database],
        RecognizerConfig(top_k=num_answers, search_rows=num_rows),
        preprocessing=preprocessing,
    )
    chosen, poses = select_queries(drive, arguments.query_spacing)
    answered: list[int] = []
    recognitions: list[Recognition] = []
    occupied: list[int] = []
    window = QueryWindow(drive, recognizer, preprocessing)
    with progress_bar(f'queries {drive.name}', 'query') as progress:
        for number, index in enumerate(chosen):
            query = window.query_at(int(index))
            progress(number + 1, len(chosen))
            if query is None:
                continue
            answered.append(number)
            recognitions.append(recognizer.query(query))
            occupied.append(int(np.count_nonzero(query.image.bev)))
    window.left_out.require_few()
    if not answered:
        raise ValueError(f'{drive.name}: none of {len(chosen)} queries could be read')
    queries = poses.select(np.array(answered, dtype=np.int64))
    truth = ground_truth(queries, database.keyframes, arguments.radius)
    if arguments.window:
        started = cold_start(window, recognizer, chosen[answered], truth)
        print(f'{drive.name}, {preprocessing.window_words}: {started}')
    answers = _answers_of_recognitions(recognitions, num_answers)
    variant = '' if window_m is None else preprocessing.window_words
    return judged(drive.name, database, answers, truth, occupied, variant)


def _answers_of_recognitions(recognitions: Sequence[Recognition], num_answers: int) -> Answers:
    keyframes = np.full((len(recognitions), num_answers), -1, dtype=np.int64)
    for row, recognition in zip(keyframes, recognitions, strict=True):
        found = [candidate.keyframe_id for candidate in recognition.candidates]
        row[: len(found)] = found
    firsts = [recognition.candidates[0] for recognition in recognitions]
    return Answers(
        keyframes,
        np.array([first.distance for first in firsts]),
        np.array([first.relative_yaw_rad for first in firsts]),
        np.array([first.ratio for first in firsts]),
        np.array([first.accepted for first in firsts]),
    )
