# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The answers to the queries of a drive beside where it was."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from ssd_ros.evaluation.queries.answers import Answers, GroundTruth
from ssd_ros.evaluation.queries.protocol import task_of
from ssd_ros.evaluation.queries.records import query_records
from ssd_ros.evaluation.scores.results import METHOD, Result
from ssd_ros.maps.place_database import PlaceDatabase


def judged(
    query_drive: str,
    database: PlaceDatabase,
    answers: Answers,
    truth: GroundTruth,
    occupied: Sequence[int],
    variant: str,
) -> Result:
    """
    Return what a drive found in a map of a drive.

    :param occupied: cells of each query's image that are not empty
    :param variant: what is unlike the other queries of that drive, in words
    """
    info = database.info
    if info.opposite_lane_m:
        lane = f'opposite lane at {info.opposite_lane_m:g} m'
        variant = f'{variant}, {lane}' if variant else lane
    return Result(
        task=task_of(info.sensor, query_drive == info.source),
        method=METHOD,
        place=info.source.rpartition('/')[0],
        map_drive=info.source,
        query_drive=query_drive,
        num_keyframes=len(database),
        num_views=info.num_views,
        radius_m=truth.radius_m,
        records=query_records(answers, truth, np.array(occupied, dtype=np.int64)),
        variant=variant,
    )
