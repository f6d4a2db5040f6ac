# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Drives to queries and maps, queries and maps to answers: several at a time, resumable."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cache, partial
from pathlib import Path
from typing import NamedTuple

from ssd_ros.cli.cache.jobs import Source
from ssd_ros.cli.common.drive_options import BOTH
from ssd_ros.cli.common.parallel import Report, run_jobs
from ssd_ros.cli.common.progress import progress_bar
from ssd_ros.cli.common.settings_file import settle
from ssd_ros.cli.trust.asked.answers import ask, PairAnswers
from ssd_ros.cli.trust.asked.queries import DriveQueries, live_session_of, queries_of
from ssd_ros.datasets.sequence import origin_of, sensor_scans
from ssd_ros.encoders.once import EncodedOnce
from ssd_ros.encoders.place_encoder import open_encoder, PlaceEncoder
from ssd_ros.evaluation.bev_cache import preprocessing_digest
from ssd_ros.maps.builder import build_database
from ssd_ros.maps.files import MapInfo
from ssd_ros.maps.novelty import database_of
from ssd_ros.maps.place_database import PlaceDatabase
from ssd_ros.recognition.compiled_parts import use_compiled
from ssd_ros.recognition.place_recognizer import PlaceRecognizer

KEYFRAME_M = 2.0
OTHER_SETTINGS = (
    'these queries were made with another {changed}, see settings.json: choose another working '
    'directory with --out ({path})'
)
OTHER_MAPS = 3  # of other worlds, that each drive is asked in


class Models(NamedTuple):
    """
    Files of a student and its teacher.

    :param queries: of which radar they are, '4d' or 'spinning'
    :param maps: of which sensors they are, of '4d', 'spinning' and 'lidar'
    :param num_views: of whole turns; None = all that the teacher gives
    :param opposite_lane_m: from which whole turns are described, too, see build_database
    """

    student: Path
    teacher: Path
    queries: str = '4d'
    maps: tuple[str, ...] = ('spinning', '4d')
    num_views: int | None = None
    opposite_lane_m: float = 0.0

    def map_of(self, drive: str, sensor: str) -> str:
        """Return where the map of a drive lies in the working folder."""
        if sensor == '4d':
            return f'{drive}/4d.map'
        views = f'_{self.num_views}_views' if self.num_views else ''
        lane = f'_opposite_{self.opposite_lane_m:g}m' if self.opposite_lane_m else ''
        return f'{drive}/{sensor}{views}{lane}.map'

    @property
    def sensors(self) -> tuple[str, ...]:
        """That a mapping drive may have: the maps' and the one that asks."""
        return tuple(dict.fromkeys((*self.maps, self.queries)))

    @property
    def asking(self) -> Path:
        """The model that the queries pass through."""
        return self.teacher if self.queries == 'spinning' else self.student


@dataclass(frozen=True, slots=True)
class Drive:
    """
    One drive of a world.

    :param directory: for its files, below the working directory
    :param is_map: it makes the maps of its world
    :param sensors: of it that are used
    :param query_every_s: time between queries; None = by way
    """

    directory: str
    source: Source
    is_map: bool
    sensors: tuple[str, ...] = BOTH
    query_every_s: float | None = None


class Asked(NamedTuple):
    """
    Queries of a drive and the map that they are asked of, by their places in the working folder.

    :param shift: what is unlike the other benchmark; empty if nothing is
    """

    queries: str
    map_path: str
    shift: str = ''


class Files(NamedTuple):
    """Where things lie: queries serve every encoder, maps and answers belong to one."""

    work: Path
    descriptor_space: str

    def queries(self, drive: str) -> Path:
        return self.work / drive / 'queries.npz'

    def map(self, path: str) -> Path:
        return self.work / self.descriptor_space[:12] / path

    def answers(self, pair: Asked) -> Path:
        name = f'{pair.queries}__{pair.map_path}'.replace('/', '_')
        return self.map('answers') / f'{name}.npz'


def answers_of(
    drives: Sequence[Drive], models: Models, work: Path, query_m: float, num_processes: int
) -> list[PairAnswers]:
    """
    Ask the queries of every drive of the maps of its world and, as strangers, of the others.

    What is in the working directory already is not done again.

    :param query_m: between two queries
    :raise ValueError: the queries there were made with other settings
    """
    files = working_files(models, work, query_m)
    prepare_drives(drives, models, files, query_m, num_processes)
    return answers_to(_pairs(drives, files, models), models, files, num_processes)


def working_files(models: Models, work: Path, query_m: float) -> Files:
    """
    Return where things lie in a working directory, which is made if it is not there.

    :raise ValueError: the queries there were made with other settings
    """
    contract = open_encoder(models.student, 'cpu').contract
    settings = {
        'preprocessing': preprocessing_digest(contract.preprocessing),
        'query_spacing_m': query_m,
    }
    if models.queries != '4d':  # as all that earlier working directories hold
        settings['queries'] = models.queries
    settle(work / 'settings.json', settings, OTHER_SETTINGS)
    return Files(work, contract.descriptor_space)


def prepare_drives(
    drives: Sequence[Drive], models: Models, files: Files, query_m: float, num_processes: int
) -> None:
    """Make the queries of all drives and the maps of those that make some."""
    prepare = partial(_prepare, models, files, query_m)
    with progress_bar('drives', 'scan') as progress:
        run_jobs(drives, prepare, num_processes, progress)


def answers_to(
    pairs: Sequence[Asked], models: Models, files: Files, num_processes: int
) -> list[PairAnswers]:
    """Ask queries of maps that are there, all maps of one drive in turn."""
    of_drive: dict[str, list[Asked]] = {}
    for pair in pairs:
        of_drive.setdefault(pair.queries, []).append(pair)
    answer = partial(_answer, models, files)
    with progress_bar('queries', 'query') as progress:
        run_jobs(list(of_drive.values()), answer, num_processes, progress)
    answers = [PairAnswers.load(files.answers(pair)) for pair in pairs]
    return [replace(of, shift=pair.shift) for of, pair in zip(answers, pairs, strict=True)]


def _prepare(models: Models, files: Files, query_m: float, drive: Drive, report: Report) -> None:
    """Make the queries of a drive and, if it is the first of its world, the maps."""
    queries_path = files.queries(drive.directory)
    settings = {'source': drive.source.digest}
    settle(queries_path.with_name('settings.json'), settings, OTHER_SETTINGS)
    asking, opened = _encoder(models.asking, models.queries), cache(drive.source.open)
    if not queries_path.exists():
        sequence = opened()
        num_scans = len(sensor_scans(sequence, models.queries))
        report(0, num_scans)
        # A mapping car need not have a 4D radar.
        has_scans = models.queries in drive.sensors and num_scans > 0
        recognizer = PlaceRecognizer(asking, [])
        queries = (
            queries_of(sequence, recognizer, query_m, report, drive.query_every_s)
            if has_scans or not drive.is_map
            else DriveQueries.none(sequence.name, origin_of(sequence))
        )
        queries.save(queries_path)
    if not drive.is_map:
        return
    for sensor in models.maps:
        path = files.map(models.map_of(drive.directory, sensor))
        if sensor not in drive.sensors or path.exists():
            continue
        if sensor != '4d':
            teacher = _encoder(models.teacher, sensor)
            database = build_database(
                opened(),
                teacher,
                models.num_views,
                keyframe_distance_m=KEYFRAME_M,
                sensor=sensor,
                opposite_lane_m=models.opposite_lane_m,
            )
            database.save(path)
            continue
        queries = DriveQueries.load(queries_path)
        if models.queries == '4d' and len(queries):
            _map_of_queries(queries, asking).save(path)


@cache  # of each process, which has many jobs
def _encoder(path: Path, sensor: str) -> PlaceEncoder:
    return open_encoder(path, 'cpu', expected_sensor=sensor)


def _map_of_queries(queries: DriveQueries, student: PlaceEncoder) -> PlaceDatabase:
    """Return the map that a vehicle would save of its own session."""
    info = MapInfo(
        student.contract.descriptor_space,
        student.digest,
        1,
        KEYFRAME_M,
        '4d',
        queries.name,
        scan_context=student.scan_context,
        data_origin=queries.origin,
    )
    return database_of(live_session_of(queries, student, KEYFRAME_M).to_map(info))


def _pairs(drives: Sequence[Drive], files: Files, models: Models) -> list[Asked]:
    queries = [DriveQueries.load(files.queries(drive.directory)) for drive in drives]
    maps = [(drive, of.world) for drive, of in zip(drives, queries, strict=True) if drive.is_map]
    worlds = [world for _, world in maps]
    pairs = []
    for drive, asked in zip(drives, queries, strict=True):
        for number, (mapping, _) in enumerate(maps):
            is_asked = len(asked) and _is_asked(asked.world, worlds, number, drive.is_map)
            # A session's own map finds nothing but the session itself.
            kinds = [kind for kind in models.maps if kind != '4d' or drive is not mapping]
            pairs += [
                Asked(drive.directory, path)
                for path in (models.map_of(mapping.directory, kind) for kind in kinds)
                if is_asked and files.map(path).exists()
            ]
    return pairs


def _is_asked(world: str, worlds: Sequence[str], number: int, is_map: bool) -> bool:
    """Return whether a drive is asked in a map: in its own, and as a stranger in the next ones."""
    if world not in worlds:
        return not is_map
    steps = (number - worlds.index(world)) % len(worlds)
    return steps == 0 or (steps <= OTHER_MAPS and not is_map)


def _answer(models: Models, files: Files, pairs: Sequence[Asked], report: Report) -> None:
    """Ask the queries of one drive of all its maps."""
    missing = [pair for pair in pairs if not files.answers(pair).exists()]
    if not missing:
        return
    use_compiled()
    asking = EncodedOnce(_encoder(models.asking, models.queries))
    queries = DriveQueries.load(files.queries(missing[0].queries))
    report(0, len(queries) * len(missing))
    for pair in missing:
        database = PlaceDatabase.load(files.map(pair.map_path))
        database.confidence = None  # candidates are judged later, by any calibration
        found = ask(queries, PlaceRecognizer(asking, [database]), range(len(queries)), report)
        found.save(files.answers(pair))
