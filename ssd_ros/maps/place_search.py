# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Several maps that share a frame, searched as if they were one."""

from __future__ import annotations

from collections.abc import Sequence
import math
from typing import NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray
from ssd_ros.confidence.model import ConfidenceModel
from ssd_ros.datasets.pose_check import require_one_place
from ssd_ros.maps.files import MapInfo, ODOMETRY_ORIGIN
from ssd_ros.maps.meta import MapError
from ssd_ros.maps.neighbours import Neighbours
from ssd_ros.maps.place_database import distances_m, Keyframe, ratios_to_other_places
from ssd_ros.motion.trajectory import Trajectory

ELSEWHERE_M = 5.0  # reconstructed: what lies farther away is another place
_DRIFT_PER_M = 0.03  # reconstructed: of odometry, double what good ones have
_APART_M = 1e9


class PlaceSource(Protocol):
    """A map or the running drive."""

    @property
    def map_id(self) -> int:
        """Short name in messages."""
        ...

    @property
    def sensor(self) -> str:
        """That saw its keyframes, as MapInfo has it."""
        ...

    @property
    def is_live(self) -> bool:
        """Whether its keyframes are of the running drive, in the odometry frame."""
        ...

    @property
    def confidence(self) -> ConfidenceModel | None:
        """How far an answer from it can be trusted; None = not calibrated."""
        ...

    @property
    def novelty_distance(self) -> float:
        """An answer that is not nearer may be a wrong place; 0 = not known."""
        ...

    @property
    def view_yaws_rad(self) -> NDArray[np.float64]:
        """Heading of each view relative to its keyframe, counter-clockwise, (num_views,)."""
        ...

    def keyframe(self, number: int) -> Keyframe:
        """Return one keyframe."""
        ...

    def segment(self, number: int) -> int:
        """Return of which frame the pose of a keyframe is: those of two do not compare."""
        ...

    def segments(self, numbers: NDArray[np.int64]) -> NDArray[np.int64]:
        """Return of which frames the poses of keyframes are, shape (N,)."""
        ...

    def way_m(self, number: int) -> float:
        """Return the way that odometry had drifted over at a keyframe; 0 where poses are true."""
        ...

    def positions_m(self, numbers: NDArray[np.int64]) -> NDArray[np.float64]:
        """Return where keyframes are, shape (N, 3)."""
        ...


def are_elsewhere(
    places_m: NDArray[np.float64], ways_m: NDArray[np.float64] | float = 0.0
) -> NDArray[np.bool_]:
    """
    Return which places are others, farther apart than drift can make of one, shape (K, K).

    A place of the running drive that was passed on each of two laps lies elsewhere on the second
    by what odometry has drifted on the way.

    :param places_m: shape (K, D)
    :param ways_m: shape (K,), travelled by odometry until each
    """
    apart_m = distances_m(places_m, places_m)
    way_m = np.broadcast_to(ways_m, len(places_m))
    return np.asarray(apart_m > ELSEWHERE_M + _DRIFT_PER_M * np.abs(way_m[:, None] - way_m))


class Hit(NamedTuple):
    """
    A keyframe whose descriptor is near.

    :param yaw_rad: heading of the query in the frame of the keyframe, as the descriptors tell it
    """

    source: PlaceSource
    number: int
    yaw_rad: float
    distance: float
    ratio: float


class Placed(Protocol):
    """What says in which frame it is and where."""

    @property
    def info(self) -> MapInfo:
        """Where it comes from."""
        ...

    @property
    def keyframes(self) -> Trajectory:
        """Poses of the mapping radar."""
        ...


def require_one_frame(names: Sequence[str], maps: Sequence[Placed]) -> None:
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


def merge_hits(
    found: Sequence[tuple[PlaceSource, Neighbours]],
    top_k: int,
    ambiguity_radius_m: float,
    num_first: int = 0,
    num_elsewhere: int = 0,
) -> list[Hit]:
    """
    Return the nearest of what several searches found, with their distinctiveness.

    :param found: of sources in one frame
    :param top_k: hits to return, and those elsewhere
    :param ambiguity_radius_m: a place farther than this is another place
    :param num_first: hits after which the nearest of other places follow, then the rest
    :param num_elsewhere: at most; each lies ELSEWHERE_M from the first and from the others
    """
    sizes = [len(neighbours) for _, neighbours in found]
    if not sum(sizes):
        return []
    distances = np.concatenate([neighbours.distances for _, neighbours in found])
    positions_m = np.concatenate(
        [_places_m(source, neighbours.keyframes) for source, neighbours in found]
    )
    order = np.argsort(distances, kind='stable')
    chosen = _chosen(positions_m[order], top_k, num_first, num_elsewhere)
    ratios = ratios_to_other_places(
        distances[order],
        positions_m[order],
        min(neighbours.horizon for _, neighbours in found),
        chosen,
        ambiguity_radius_m,
    )
    owner = np.repeat(np.arange(len(found)), sizes)
    first = np.cumsum([0, *sizes])
    hits = []
    for place, ratio in zip(order[chosen].tolist(), ratios.tolist(), strict=True):
        source, neighbours = found[owner[place]]
        row = place - int(first[owner[place]])
        hits.append(
            Hit(
                source,
                int(neighbours.keyframes[row]),
                float(neighbours.yaws_rad[row]),
                float(distances[place]),
                ratio,
            )
        )
    return hits


def _chosen(
    positions_m: NDArray[np.float64], top_k: int, num_first: int, num_elsewhere: int
) -> list[int]:
    """Return which of the nearest to take, in this order; see merge_hits."""
    nearest = list(range(min(top_k, len(positions_m))))
    chosen = nearest[:num_first]
    apart_m = distances_m(positions_m[chosen], positions_m).min(axis=0, initial=math.inf)
    for _ in range(num_elsewhere):
        if not (elsewhere := np.flatnonzero(apart_m > ELSEWHERE_M)[:1]).size:
            break
        chosen += elsewhere.tolist()
        apart_m = np.minimum(apart_m, distances_m(positions_m[elsewhere], positions_m)[0])
    return [*chosen, *(place for place in nearest if place not in chosen)]


def _places_m(source: PlaceSource, numbers: NDArray[np.int64]) -> NDArray[np.float64]:
    """Return where keyframes are, shape (N, 3): x, y and, for other segments, far away."""
    places_m = source.positions_m(numbers).copy()
    places_m[:, 2] = _APART_M * source.segments(numbers)
    return places_m
