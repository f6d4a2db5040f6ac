# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Answers of drives whose true poses nobody knows: right is what agrees with the odometry."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
import hashlib

import numpy as np
from numpy.typing import NDArray
from ssd_ros.cli.trust.asked.answers import PairAnswers
from ssd_ros.cli.trust.asked.drives import pairs_with_halves
from ssd_ros.cli.trust.asked.jobs import answers_to, Asked, Files, Models
from ssd_ros.cli.trust.asked.queries import DriveQueries
from ssd_ros.cli.trust.judged.fit import YAW_TOLERANCE_RAD
from ssd_ros.evaluation.judging.consensus import consensus_of, turn_of
from ssd_ros.evaluation.metrics import most_share

# Reconstructed: with less there is nothing to calibrate on, or agreement proves nothing.
_MIN_PLACED = 100
_MIN_SHARE = 0.2
_MAX_STRANGERS_PLACED = 0.02


@dataclass(frozen=True, slots=True)
class Placing:
    """
    How far the agreement of the answers of drives in one map goes.

    :param num_placed: queries whose pose others and the odometry agree on
    :param num_strangers: queries asked of maps, or halves of the map, that they are not in
    :param num_strangers_placed: of these, queries on whose pose others agree all the same
    :param turns_rad: of each drive, see turn_of
    """

    num_queries: int
    num_placed: int
    num_strangers: int
    num_strangers_placed: int
    turns_rad: tuple[float, ...]

    def require_enough(self, drives: str, place: str) -> None:
        """
        Refuse to take agreement for truth where there is little, or where chance makes it, too.

        :param drives: their names
        :param place: name of the map
        :raise ValueError: with the figures and the way out
        """
        least = max(_MIN_PLACED, _MIN_SHARE * self.num_queries)
        if self.num_placed < least:
            raise ValueError(
                f'{drives}: the answers of {self.num_placed} of {self.num_queries} queries agree '
                f'with their neighbours and the odometry, at least {least:.0f} are needed: there '
                f'is nothing to calibrate on. Is {place} the map of this place, and of these '
                'models? Are the poses of the drive odometry of it (--poses, --poses-topic)? Is '
                'the drive longer than a few hundred metres?'
            )
        if self.num_strangers_placed > _MAX_STRANGERS_PLACED * max(self.num_strangers, 1):
            raise ValueError(
                f'{drives}: of {self.num_strangers} queries in maps that they are not in, the '
                f'answers of {self.num_strangers_placed} agree with their neighbours and the '
                f'odometry, too: places there look alike, so agreement in {place} proves '
                'nothing. Calibrate with true poses, or in another place'
            )

    @property
    def summary(self) -> str:
        """Say it in few words."""
        share = self.num_placed / self.num_queries
        return f'by agreement with odometry, for {share:.0%} of {self.num_queries} queries'

    @property
    def sentences(self) -> list[str]:
        """What a user should know about it."""
        placed, strangers = self.num_strangers_placed, self.num_strangers
        return [
            f'right or wrong by agreement with the odometry, not by true poses: '
            f'{self.num_placed} of {self.num_queries} queries have a pose on which others agree '
            f'({self.num_placed / self.num_queries:.1%}), the others are left out',
            f'agreement by chance: {placed} of {strangers} queries in maps that they are not in, '
            f'at most {most_share(placed, strangers):.2%}',
            *(_turn_text(turn_rad) for turn_rad in self.turns_rad),
            'not known: how often queries that were left out would be accepted, places of the map '
            'that look alike, offsets of the radar against the frame of the odometry',
        ]


def _turn_text(turn_rad: float) -> str:
    turn_deg = float(np.degrees(turn_rad))
    text = f'the radar looks {turn_deg:+.1f} deg from where the poses of the drive say it does'
    if abs(turn_rad) < YAW_TOLERANCE_RAD / 5:
        return text
    return f'{text}: correct its yaw (--points-extrinsics, radar_extrinsics, TF) by that'


def answers_by_agreement(
    drives: Sequence[str],
    place: str,
    stranger_pairs: Sequence[Asked],
    models: Models,
    files: Files,
    num_processes: int,
) -> tuple[list[PairAnswers], Placing]:
    """
    Ask drives of a map without knowing where they were, and of others as strangers.

    :param drives: where their queries lie in the working folder, with odometry for poses
    :param place: where the map lies there
    :param stranger_pairs: of queries and maps of other places
    :return: answers to queries whose pose is agreed on, and to strangers
    :raise ValueError: too little agrees
    """
    pairs = [Asked(drive, place) for drive in drives]
    placed, turns_rad, num_queries, num_placed = [], [], 0, 0
    for drive, found in zip(drives, answers_to(pairs, models, files, num_processes), strict=True):
        poses, turn_rad = _agreed_poses(found)
        num_queries, num_placed = num_queries + len(poses), num_placed + int(_known(poses).sum())
        placed.append(_kept(drive, poses, files))
        turns_rad.append(turn_rad)
    stranger_pairs = [*stranger_pairs, *pairs_with_halves(placed, [place], files)]
    strangers = answers_to(stranger_pairs, models, files, num_processes)
    placing = Placing(
        num_queries,
        num_placed,
        sum(map(len, strangers)),
        sum(int(_known(_agreed_poses(found)[0]).sum()) for found in strangers),
        tuple(turns_rad),
    )
    placing.require_enough(', '.join(drives), place)
    pairs = [Asked(drive, place) for drive in placed]
    answers = [
        found.select(_known(found.poses))
        for found in answers_to(pairs, models, files, num_processes)
    ]
    return [*answers, *strangers], placing


def _agreed_poses(found: PairAnswers) -> tuple[NDArray[np.float64], float]:
    """Return the poses on which the answers to queries with odometry agree, and turn_of."""
    overlap = np.nan_to_num(found.overlap, nan=-1.0)
    rows, best = np.arange(len(found)), overlap.argmax(axis=1)
    answers = np.stack([found.x_m, found.y_m, found.yaw_rad], axis=2)[rows, best]
    turn_rad = turn_of(found.poses, answers)
    turned = found.poses + np.array([0.0, 0.0, np.nan_to_num(turn_rad)])
    return consensus_of(turned, answers), turn_rad


def _known(poses: NDArray[np.float64]) -> NDArray[np.bool_]:
    return np.asarray(np.isfinite(poses).all(axis=1))


def _kept(drive: str, poses: NDArray[np.float64], files: Files) -> str:
    """Keep the queries of a drive with other poses; return where."""
    name = f'{drive}/placed_{hashlib.sha256(poses.tobytes()).hexdigest()[:12]}'
    if not files.queries(name).exists():
        queries = DriveQueries.load(files.queries(drive))
        replace(queries, poses=poses).save(files.queries(name))
    return name
