# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Recorded drives and maps that `trust` is given: which are asked of which."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from ssd_ros.cli.common.drive_options import options_of
from ssd_ros.cli.trust.asked.answers import PairAnswers
from ssd_ros.cli.trust.asked.drives import is_map, keep_map, pairs_with_halves, recorded_drives
from ssd_ros.cli.trust.asked.jobs import (
    answers_to,
    Asked,
    Drive,
    Files,
    Models,
    prepare_drives,
    working_files,
)
from ssd_ros.cli.trust.asked.queries import DriveQueries
from ssd_ros.cli.trust.judged.fit import is_right
from ssd_ros.cli.trust.unlabelled import answers_by_agreement
from ssd_ros.datasets.pose_check import require_one_place
from ssd_ros.encoders.place_encoder import open_encoder
from ssd_ros.maps.place_database import PlaceDatabase
from ssd_ros.reports.document import shown


class Answered(NamedTuple):
    """
    Answers to recorded drives.

    :param what: they are, in words
    :param told: how surely it is known which are right, sentences; none if by true poses
    """

    answers: list[PairAnswers]
    what: str
    told: Sequence[str]


def given_map(arguments: argparse.Namespace) -> Path | None:
    """Return the map that stands where otherwise the mapping drive does."""
    if arguments.unlabelled:
        return Path(arguments.map)
    return arguments.drives[0] if arguments.drives and is_map(arguments.drives[0]) else None


def answers_of_recorded(arguments: argparse.Namespace, models: Models) -> Answered:
    """
    Ask recorded drives of the map of their place and, as strangers, of others.

    :param arguments: of the command
    :raise ValueError: they do not fit together, or something cannot be read
    """
    map_path, num_strangers = given_map(arguments), len(arguments.strangers)
    named = arguments.unlabelled or arguments.drives
    paths = [*(path for path in named if path != map_path), *arguments.strangers]
    _check_kinds(paths, num_strangers)
    drives = recorded_drives(
        paths,
        options_of(arguments, paths),
        num_strangers,
        models,
        has_map=map_path is not None,
        is_odometry=bool(arguments.unlabelled),
    )
    files = working_files(models, arguments.out, arguments.query_spacing)
    student, num_processes = open_encoder(models.student, 'cpu'), int(arguments.jobs)
    elsewhere = [
        keep_map(path, f'elsewhere {number}', student, files)
        for number, path in enumerate(arguments.stranger_maps)
    ]
    kept = [] if map_path is None else [keep_map(map_path, 'here', student, files)]
    prepare_drives(drives, models, files, arguments.query_spacing, num_processes)
    here = [drive.directory for drive in drives[: len(drives) - num_strangers]]
    away = [drive.directory for drive in drives[len(here) :]]
    maps = kept or _maps_of(drives[0], files, models)
    asked = here if kept else here[1:]
    outside = [Asked(drive, path) for drive in asked for path in elsewhere]
    outside += [Asked(drive, path) for drive in away for path in maps]
    if arguments.unlabelled:
        answers, placing = answers_by_agreement(
            asked, maps[0], outside, models, files, num_processes
        )
        what = f'{len(paths)} drives without true poses, map {shown(map_path)}: {placing.summary}'
        return Answered(answers, what, placing.sentences)
    if kept:
        _require_one_frame(maps[0], asked, files)
    pairs = [Asked(drive, path) for drive in asked for path in maps]
    pairs += outside or pairs_with_halves(asked, maps, files)
    if not kept and len(DriveQueries.load(files.queries(here[0]))):
        # A session's own 4D map finds nothing but the session itself.
        pairs += [Asked(here[0], path) for path in maps if not path.endswith('4d.map')]
    if not pairs:
        raise ValueError(
            f'{paths[0]} makes the map, and nothing is asked of it: name a drive with 4D radar '
            'after it'
        )
    answers = answers_to(pairs, models, files, num_processes)
    return Answered(answers, f'{len(paths)} drives, map of {shown(map_path or paths[0])}', [])


def require_lessons(answers: Sequence[PairAnswers]) -> None:
    """
    Refuse answers that teach nothing, with what to look for.

    :raise ValueError: nothing was asked in another session's map, or nothing is right there
    """
    inside = [pair for pair in answers if not pair.is_same_session and not pair.is_stranger]
    if not inside:
        raise ValueError(
            '--fit learns from drives that did not make the map: name one after it, or another map'
        )
    for pair in inside:
        if not is_right(pair).any():
            raise ValueError(
                f'none of {len(pair)} answers to {pair.query_drive} in the {pair.sensor} map is '
                'right: are its poses those of the radar, in the frame of the map? Without such '
                'poses: --unlabelled'
            )


def _check_kinds(paths: Sequence[Path], num_strangers: int) -> None:
    if len(paths) == num_strangers:
        raise ValueError('a map alone answers nothing: name a drive with 4D radar after it')
    for path in paths:
        if is_map(path):
            raise ValueError(
                f'{path} is a map: the first of --drives may be one; name maps of other places '
                'after --stranger-maps'
            )


def _maps_of(drive: Drive, files: Files, models: Models) -> list[str]:
    """Return where the maps of a mapping drive lie in the working folder."""
    maps = [models.map_of(drive.directory, sensor) for sensor in models.maps]
    return [path for path in maps if files.map(path).exists()]


def _require_one_frame(place: str, drives: Sequence[str], files: Files) -> None:
    database = PlaceDatabase.load(files.map(place))
    queries = [DriveQueries.load(files.queries(drive)) for drive in drives]
    require_one_place(
        [
            (database.info.source, database.keyframes.positions_m, 'map'),
            *((of_drive.name, of_drive.poses, 'map') for of_drive in queries),
        ]
    )
