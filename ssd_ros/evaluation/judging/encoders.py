# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Evaluate encoders on cached drives: the first drive of a place is the map of the others."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from ssd_ros.evaluation.bev_cache import CachedDrive
from ssd_ros.evaluation.queries.answers import Answers
from ssd_ros.evaluation.queries.descriptors import Descriptors, Encoders
from ssd_ros.evaluation.queries.pairs import (
    drives_by_place,
    Pair,
    pairs_of,
    query_seed,
    Setting,
    setting_of,
    yaw_seed,
)
from ssd_ros.evaluation.queries.protocol import Protocol, TASKS
from ssd_ros.evaluation.queries.records import query_records
from ssd_ros.evaluation.queries.retrieval import answers_from, compare, compare_turns
from ssd_ros.evaluation.scores.acceptance import Acceptance, calibrate_acceptance
from ssd_ros.evaluation.scores.results import METHOD, Result


def retrieve(pair: Pair, descriptors: Descriptors, protocol: Protocol) -> Result:
    """Look up the queries of a drive, perhaps of another place than the map's."""
    task, setting = TASKS[pair.task], setting_of(pair, protocol)
    num_views = protocol.num_views if task.needs_views else 1
    if task.map_sensor == '4d':
        scans = descriptors.of_clouds(pair.map_drive, setting.scans)
    else:
        scans = descriptors.of_scans(
            pair.map_drive, setting.scans, num_views, yaw_seed(task, protocol), setting.lanes_m
        )
    if task.query_sensor == '4d':
        queries = descriptors.of_clouds(pair.query_drive, setting.queries)
    else:
        of_query = num_views if task.any_heading else 1
        queries = descriptors.of_scans(
            pair.query_drive, setting.queries, of_query, query_seed(task)
        )
    if task.any_heading:
        similarity = compare_turns(queries, scans, setting.excluded)
    else:
        similarity = compare(queries[:, 0], scans, protocol.search_rows, setting.excluded)
    answers = answers_from(
        similarity,
        setting.entries,
        setting.scan_poses.positions_m[:, :2],
        protocol.ambiguity_radius_m,
    )
    return result_of(pair, METHOD, setting, answers, num_views)


def result_of(
    pair: Pair, method: str, setting: Setting, answers: Answers, num_views: int = 1
) -> Result:
    """Judge the answers of any method."""
    is_cloud = TASKS[pair.task].query_sensor == '4d'
    images = pair.query_drive.student_bevs if is_cloud else pair.query_drive.panoramas
    occupied = [int(np.count_nonzero(images[row])) for row in setting.queries]
    return Result(
        task=pair.task,
        method=method,
        place=pair.map_drive.world,
        map_drive=pair.map_drive.name,
        query_drive=pair.query_drive.name,
        num_keyframes=len(setting.entries),
        num_views=num_views,
        radius_m=setting.truth.radius_m,
        records=query_records(answers, setting.truth, np.array(occupied, dtype=np.int64)),
    )


def evaluate(
    drives: Sequence[CachedDrive],
    encoders: Encoders | Descriptors,
    protocol: Protocol,
    tasks: Sequence[str] = ('single', 'multi'),
) -> list[Result]:
    """
    Run tasks on all places; every image is encoded once.

    :param encoders: descriptors, if further evaluations of the same encoders follow
    """
    descriptors = encoders if isinstance(encoders, Descriptors) else Descriptors(encoders)
    pairs = [pair for task in tasks for pair in pairs_of(drives, task)]
    return [retrieve(pair, descriptors, protocol) for pair in pairs]


def mean_recall(results: Sequence[Result], task: str) -> float | None:
    """Return the plain mean of R@1 over the drives of a task, None if there is none."""
    values = [
        result.recall_at_1 for result in results if result.task == task and result.is_answerable
    ]
    return float(np.mean(values)) if values else None


def calibrate(
    drives: Sequence[CachedDrive], descriptors: Descriptors, protocol: Protocol, precision: float
) -> Acceptance:
    """
    Return thresholds for acceptance from the queries of other sessions than the map's.

    The thresholds also see queries of the other places, whose right answer is none.
    """
    places = drives_by_place(drives)
    answered = [
        retrieve(Pair('multi', sessions[0], query), descriptors, protocol).records
        for sessions in places.values()
        for others in places.values()
        for query in others[1:]
    ]
    distances = np.concatenate([records.distances for records in answered])
    ratios = np.concatenate([records.ratios for records in answered if records.ratios is not None])
    correct = np.concatenate([records.hits() for records in answered])
    num_answerable = sum(int(records.answerable.sum()) for records in answered)
    return calibrate_acceptance(distances, ratios, correct, num_answerable, precision)
