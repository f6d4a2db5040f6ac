# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""A map in two halves: to a query that lies far from one of them, that half is another place."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray
from ssd_ros.maps.files import MapContent
from ssd_ros.maps.novelty import database_of
from ssd_ros.maps.place_database import PlaceDatabase


def halves_of(database: PlaceDatabase) -> list[PlaceDatabase]:
    """
    Return a map cut in two across its longer axis, as many keyframes on either side.

    :raise ValueError: it has frames that are not related
    """
    info = database.info
    if len(info.segment_starts) > 1:
        raise ValueError(
            f'{info.source} has {len(info.segment_starts)} segments that are not related, so '
            'nobody knows what lies far from what: give --stranger-maps or --strangers'
        )
    offsets_m = database.keyframes.positions_m[:, :2]
    offsets_m = offsets_m - offsets_m.mean(axis=0)
    along_m = offsets_m @ np.linalg.svd(offsets_m, full_matrices=False)[2][0]
    is_first = along_m <= np.median(along_m)
    return [
        _part(database, np.flatnonzero(is_in), f'half {number} of {info.source}')
        for number, is_in in enumerate((is_first, ~is_first))
        if is_in.any()
    ]


def _part(database: PlaceDatabase, numbers: NDArray[np.int64], source: str) -> PlaceDatabase:
    """Return a map of some keyframes."""
    descriptors = database.descriptors().reshape(len(database), -1, database.descriptor_size)
    return database_of(
        MapContent(
            descriptors[numbers].reshape(-1, database.descriptor_size),
            database.keyframes.select(numbers),
            database.returns_cm[numbers],
            replace(database.info, source=source),
        )
    )
