# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""How near two different places of a map look: what is not nearer than that may be unknown."""

from __future__ import annotations

from dataclasses import replace
import math

import numpy as np
from ssd_ros.maps.files import MapContent
from ssd_ros.maps.place_database import PlaceDatabase
from ssd_ros.verification.pose_misfit import pose_misfit_m

_RADIUS_M = 25.0  # farther away is another place
_NUM_KEYFRAMES = 200  # of the map, evenly
_NUM_ROWS = 1024


def database_of(content: MapContent) -> PlaceDatabase:
    """Return a new map, which knows its novelty distance and how well its poses fit."""
    database, info = PlaceDatabase(content), content.info
    driven = slice(None, None, 2 if info.opposite_lane_m else 1)  # beside it says the same again
    misfit_m = pose_misfit_m(
        content.keyframes.select(np.arange(len(content.keyframes))[driven]),
        content.returns_cm[driven],
        info.segment_starts,
    )
    database.info = replace(
        info,
        novelty_distance=novelty_distance(database),
        pose_misfit_m=None if math.isnan(misfit_m) else misfit_m,
    )
    return database


def novelty_distance(database: PlaceDatabase) -> float:
    """
    Return the median distance of keyframes to the most similar other place of the map.

    The answer to a query from outside the map is such a wrong place. Distances of different
    places to each other hardly differ between the two radars, those of one place do. This does
    not hold for scan contexts: whole turns are nearer to each other than a field of view is to
    them.

    :return: between unit descriptors; 0 if the map is a single place, or of whole turns
    """
    if database.info.encoder == 'scan_context' and database.info.shows_turns:
        return 0.0
    count = min(len(database), _NUM_KEYFRAMES)
    chosen = np.unique(np.linspace(0, len(database) - 1, count).astype(np.int64))
    distances = []
    for number, descriptor in zip(chosen, database.views_ahead(chosen), strict=True):
        if np.isnan(descriptor).any():  # of a square that cannot be read
            continue
        found = database.search(descriptor, _NUM_ROWS)
        offset_m = database.positions_m(found.keyframes) - database.positions_m(number[None])
        others = found.distances[np.hypot(offset_m[:, 0], offset_m[:, 1]) > _RADIUS_M]
        if len(others):
            distances.append(float(others[0]))
    return float(np.median(distances)) if distances else 0.0
