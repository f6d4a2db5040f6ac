# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Drives to queries and maps, queries and maps to answers: several at a time, resumable."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import NamedTuple

import numpy as np
from ssd_ros.cli.cache_jobs import Source
from ssd_ros.cli.parallel import Report, run_jobs
from ssd_ros.cli.progress import progress_bar
from ssd_ros.cli.trust_answers import ask, PairAnswers
from ssd_ros.cli.trust_queries import DriveQueries, live_session_of, queries_of
from ssd_ros.encoder import OnnxEncoder
from ssd_ros.map_builder import build_database
from ssd_ros.map_files import MapInfo
from ssd_ros.place_database import PlaceDatabase
from ssd_ros.place_recognizer import PlaceRecognizer

KEYFRAME_M = 2.0
OTHER_MAPS = 3  # of other worlds, that each drive is asked in


class Models(NamedTuple):
    """Files of a student and its teacher."""

    student: Path
    teacher: Path


@dataclass(frozen=True, slots=True)
class Drive:
    """
    One drive of a world.

    :param directory: for its files, below the working directory
    :param is_map: it makes the maps of its world
    """

    directory: str
    source: Source
    is_map: bool


class _Pair(NamedTuple):
    queries: str
    map_path: str


def answers_of(
    drives: Sequence[Drive], models: Models, work: Path, query_m: float, num_processes: int
) -> list[PairAnswers]:
    """
    Ask the queries of every drive of the maps of its world and, as strangers, of the others.

    What is in the working directory already is not done again.

    :param query_m: between two queries
    """
    prepare = partial(_prepare, models, work, query_m)
    with progress_bar('drives', 'scan') as progress:
        run_jobs(drives, prepare, num_processes, progress)
    pairs = _pairs(drives, work)
    answer = partial(_answer, models, work)
    with progress_bar('queries', 'query') as progress:
        run_jobs(pairs, answer, num_processes, progress)
    return [PairAnswers.load(_answers_path(work, pair)) for pair in pairs]


def _prepare(models: Models, work: Path, query_m: float, drive: Drive, report: Report) -> None:
    """Make the queries of a drive and, if it is the first of its world, the maps."""
    directory = work / drive.directory
    queries_path = directory / 'queries.npz'
    student = OnnxEncoder(models.student, 'cpu', 1, expected_sensor='4d')
    if not queries_path.exists():
        sequence = drive.source.open()
        report(0, len(sequence.cloud_stamps_ns))
        queries_of(sequence, PlaceRecognizer(student, []), query_m, report).save(queries_path)
    if not drive.is_map:
        return
    if not (directory / 'spinning.map').exists():
        teacher = OnnxEncoder(models.teacher, 'cpu', 1, expected_sensor='spinning')
        build_database(drive.source.open(), teacher, keyframe_distance_m=KEYFRAME_M).save(
            directory / 'spinning.map'
        )
    if not (directory / '4d.map').exists():
        _map_of_queries(DriveQueries.load(queries_path), student).save(directory / '4d.map')


def _map_of_queries(queries: DriveQueries, student: OnnxEncoder) -> PlaceDatabase:
    """Return the map that a vehicle would save of its own session."""
    descriptors = np.stack([student.encode(bev) for bev in queries.bevs])
    info = MapInfo(
        student.contract.descriptor_space, student.digest, 1, KEYFRAME_M, '4d', queries.name
    )
    return PlaceDatabase(live_session_of(queries, descriptors, KEYFRAME_M).to_map(info))


def _pairs(drives: Sequence[Drive], work: Path) -> list[_Pair]:
    world_of = {
        drive.directory: DriveQueries.load(work / drive.directory / 'queries.npz').world
        for drive in drives
    }
    maps = [drive for drive in drives if drive.is_map]
    worlds = [world_of[mapping.directory] for mapping in maps]
    pairs = []
    for drive in drives:
        for number, mapping in enumerate(maps):
            if not _is_asked(world_of[drive.directory], worlds, number, drive.is_map):
                continue
            # A session's own map finds nothing but the session itself.
            kinds = ('spinning',) if drive is mapping else ('spinning', '4d')
            pairs += [_Pair(drive.directory, f'{mapping.directory}/{kind}.map') for kind in kinds]
    return pairs


def _is_asked(world: str, worlds: Sequence[str], number: int, is_map: bool) -> bool:
    """Return whether a drive is asked in a map: in its own, and as a stranger in the next ones."""
    if world not in worlds:
        return not is_map
    steps = (number - worlds.index(world)) % len(worlds)
    return steps == 0 or (steps <= OTHER_MAPS and not is_map)


def _answers_path(work: Path, pair: _Pair) -> Path:
    name = f'{pair.queries}__{pair.map_path}'.replace('/', '_')
    return work / 'answers' / f'{name}.npz'


def _answer(models: Models, work: Path, pair: _Pair, report: Report) -> None:
    path = _answers_path(work, pair)
    if path.exists():
        return
    student = OnnxEncoder(models.student, 'cpu', 1, expected_sensor='4d')
    database = PlaceDatabase.load(work / pair.map_path)
    database.confidence = None  # candidates are judged later, by any calibration
    queries = DriveQueries.load(work / pair.queries / 'queries.npz')
    numbers = range(len(queries))
    report(0, len(numbers))
    ask(queries, PlaceRecognizer(student, [database]), numbers, report).save(path)
