# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Real time: a 4D radar point cloud in, the mapped places that it may show out."""

from __future__ import annotations

from dataclasses import dataclass
import math
import time
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from ssd_ros.ego_velocity import EgoVelocity, Motion
from ssd_ros.encoder import OnnxEncoder
from ssd_ros.place_database import Neighbours, PlaceDatabase, ratios_to_other_places
from ssd_ros.preprocessing import CloudImage, CloudPreprocessor
from ssd_ros.radar import RadarPointCloud


@dataclass(frozen=True, slots=True)
class RecognizerConfig:
    """What a user may choose at run time; the rest is the model's contract."""

    top_k: int = 10  # candidates in an answer
    search_rows: int = 1024  # rows of the map looked at; the views of a place take one each
    ambiguity_radius_m: float = 25.0  # a place farther than this is another place
    accept_max_distance: float = 0.0  # 0: the model's own, calibrated in validation
    accept_max_ratio: float = 0.0  # 0: the model's own, calibrated in validation
    min_points: int = 30  # reconstructed: static returns in the window, fewer are not trusted

    def __post_init__(self) -> None:
        for name in ('top_k', 'search_rows'):
            if getattr(self, name) < 1:
                raise ValueError(f'{name} is {getattr(self, name)}, expected at least 1')
        limits = {'ambiguity_radius_m': math.inf, 'accept_max_distance': 2.0}
        limits |= {'accept_max_ratio': 1.0, 'min_points': math.inf}
        for name, limit in limits.items():
            if not 0 <= getattr(self, name) <= limit:
                raise ValueError(f'{name} is {getattr(self, name)}, expected 0 .. {limit:g}')


DEFAULT_CONFIG = RecognizerConfig()


@dataclass(frozen=True, slots=True)
class LoopClosureCandidate:
    """
    A mapped place that the query may show: T_map_query ~ T_map_keyframe * Rz(relative_yaw).

    :param rank: 0 = nearest
    :param relative_yaw_rad: heading of the query in the frame of the keyframe, (-pi, pi],
        positive = turned left
    :param relative_yaw_std_rad: of the step between two views
    :param distance: between the unit descriptors, 0 (same) to 2 (opposite)
    :param ratio: of this distance to that of the best keyframe farther than ambiguity_radius_m
        from this one; small = distinctive, 1 or more = another place fits as well
    :param accepted: distance and ratio are small enough, and there were enough points
    :param position_m: shape (3,) float64, of the keyframe in the map
    :param quaternion_xyzw: shape (4,) float64, of the keyframe in the map
    """

    keyframe_id: int
    rank: int
    relative_yaw_rad: float
    relative_yaw_std_rad: float
    distance: float
    ratio: float
    accepted: bool
    stamp_ns: int
    position_m: NDArray[np.float64]
    quaternion_xyzw: NDArray[np.float64]


class StageTimes(NamedTuple):
    """Milliseconds that the stages of one query took."""

    bev: float
    encode: float
    search: float


@dataclass(frozen=True, slots=True)
class Query:
    """One scan made ready to be searched for."""

    stamp_ns: int
    image: CloudImage
    bev_ms: float


@dataclass(frozen=True, slots=True)
class Recognition:
    """
    The answer to one query, candidates nearest first.

    :param stamp_ns: of the newest scan in the window
    :param num_points: static returns in the window
    :param low_points: too few of them for any candidate to be accepted
    """

    stamp_ns: int
    candidates: tuple[LoopClosureCandidate, ...]
    timings_ms: StageTimes
    num_points: int
    low_points: bool
    ego_velocity: EgoVelocity

    @property
    def stationary(self) -> bool:
        """Whether the radar stood still."""
        return self.ego_velocity.motion is Motion.STANDSTILL


class PlaceRecognizer:
    """Find the mapped places that a 4D radar point cloud may show."""

    def __init__(
        self,
        encoder: OnnxEncoder,
        database: PlaceDatabase,
        config: RecognizerConfig = DEFAULT_CONFIG,
    ) -> None:
        """
        Take over a map.

        :param encoder: a student, for 4D radar
        :raise MapError: the map was filled by the teacher of another training run
        """
        self.config = config
        self._encoder = encoder
        self._preprocessor = CloudPreprocessor(encoder.contract.preprocessing)
        self.swap_database(database)

    @property
    def database(self) -> PlaceDatabase:
        """The map in use."""
        return self._database

    def swap_database(self, database: PlaceDatabase) -> None:
        """
        Replace the map between two queries, which may run in another thread.

        :raise MapError: the map does not fit the encoder; the old one stays
        """
        database.require_space(self._encoder.contract.descriptor_space, 'the loaded student')
        self._database = database

    def clear(self) -> None:
        """Forget the scans so far."""
        self._preprocessor.clear()

    def process(self, cloud: RadarPointCloud) -> Recognition:
        """Return the mapped places that the last scans may show, nearest first."""
        return self.query(self.prepare(cloud))

    def prepare(self, cloud: RadarPointCloud) -> Query:
        """Add a scan to the window; cheap, for scans that are not searched for, too."""
        start = time.perf_counter()
        image = self._preprocessor.process(cloud)
        return Query(cloud.stamp_ns, image, _milliseconds_since(start))

    def query(self, query: Query) -> Recognition:
        """Return the mapped places that a prepared query may show, nearest first."""
        database = self._database
        encode_start = time.perf_counter()
        descriptor = self._encoder.encode(query.image.bev)
        encode_ms = _milliseconds_since(encode_start)

        search_start = time.perf_counter()
        neighbours = database.search(descriptor, self.config.search_rows)
        ratios = distinctiveness(neighbours, database, self.config)
        low_points = query.image.num_points < self.config.min_points
        candidates = self._candidates(neighbours, ratios, database, low_points)
        times = StageTimes(query.bev_ms, encode_ms, _milliseconds_since(search_start))
        return Recognition(
            query.stamp_ns,
            candidates,
            times,
            query.image.num_points,
            low_points,
            query.image.ego_velocity,
        )

    def _candidates(
        self,
        neighbours: Neighbours,
        ratios: NDArray[np.float64],
        database: PlaceDatabase,
        low_points: bool,
    ) -> tuple[LoopClosureCandidate, ...]:
        contract, config, poses = self._encoder.contract, self.config, database.keyframes
        max_distance = config.accept_max_distance or contract.accept_max_distance
        max_ratio = config.accept_max_ratio or contract.accept_max_ratio
        yaws_rad = database.view_yaws_rad
        # A heading drawn evenly from one step of the views.
        yaw_std_rad = 2 * math.pi / len(yaws_rad) / math.sqrt(12)
        return tuple(
            LoopClosureCandidate(
                keyframe_id=keyframe,
                rank=rank,
                relative_yaw_rad=float(yaws_rad[view]),
                relative_yaw_std_rad=yaw_std_rad,
                distance=distance,
                ratio=ratio,
                accepted=distance <= max_distance and ratio <= max_ratio and not low_points,
                stamp_ns=int(poses.stamps_ns[keyframe]),
                position_m=poses.positions_m[keyframe],
                quaternion_xyzw=poses.quaternions_xyzw[keyframe],
            )
            for rank, (keyframe, view, distance, ratio) in enumerate(
                zip(
                    neighbours.keyframes.tolist(),
                    neighbours.views.tolist(),
                    neighbours.distances.tolist(),
                    ratios.tolist(),
                    strict=False,
                )
            )
        )


def distinctiveness(
    neighbours: Neighbours, database: PlaceDatabase, config: RecognizerConfig
) -> NDArray[np.float64]:
    """Return the ratio of each of the first top_k distances to that of the best other place."""
    return ratios_to_other_places(
        neighbours.distances,
        database.keyframes.positions_m[neighbours.keyframes, :2],
        neighbours.horizon,
        config.top_k,
        config.ambiguity_radius_m,
    )


def _milliseconds_since(start: float) -> float:
    return (time.perf_counter() - start) * 1e3
