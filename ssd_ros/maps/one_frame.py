# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Maps that are searched together: their keyframes must be in one frame with one origin."""

from __future__ import annotations

from collections.abc import Sequence

from ssd_ros.datasets.pose_check import require_one_place
from ssd_ros.maps.files import ODOMETRY_ORIGIN
from ssd_ros.maps.meta import MapError
from ssd_ros.maps.place_database import PlaceDatabase


def require_one_frame(names: Sequence[str], maps: Sequence[PlaceDatabase]) -> None:
    """
    Refuse maps of several frames or origins.

    :param names: of the maps, for the message
    :raise ValueError: two of them do not belong together, by name, and the way out
    """
    infos = [database.info for database in maps]
    frames = {info.map_frame_id for info in infos}
    if len(frames) > 1:
        raise MapError(
            f'the maps of {", ".join(names)} are in the frames {", ".join(sorted(frames))}, '
            'expected one: leave out the others or build them in one frame'
        )
    origins = {info.origin.casefold(): name for name, info in zip(names, infos, strict=True)}
    stated = [(name, origin) for origin, name in origins.items() if origin.strip()]
    if len(stated) > 1:
        told = ', '.join(f'{origin!r} ({name})' for name, origin in stated)
        raise MapError(
            f'the origins of the maps differ: {told}; leave out the others, or give them poses in '
            'one frame (map repose, build_db --poses --origin)'
        )
    drives = [
        name for name, info in zip(names, infos, strict=True) if info.origin == ODOMETRY_ORIGIN
    ]
    if len(drives) > 1:
        raise MapError(
            f'{" and ".join(drives)} are sessions of drives whose odometry began anywhere: give '
            'them poses in one frame (map repose --map-frame)'
        )
    require_one_place(
        (name, database.keyframes.positions_m, '')
        for name, database in zip(names, maps, strict=True)
    )
