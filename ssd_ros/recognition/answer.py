# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What is asked of the recogniser and what it answers."""

from __future__ import annotations

from dataclasses import dataclass, field
import math
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from ssd_ros.bev.preprocessing import RadarImage
from ssd_ros.bev.submap import SubmapImage
from ssd_ros.confidence.radar_profile import unknown_profiles
from ssd_ros.motion.odometry import OdometryPose
from ssd_ros.motion.trajectory import yaw_from_quaternion
from ssd_ros.radar.ego_velocity import EgoVelocity, Motion
from ssd_ros.recognition.decision import Decision


@dataclass(frozen=True, slots=True)
class RecognizerConfig:
    """What a user may choose at run time; the rest is the model's contract and the map's."""

    top_k: int = 10  # candidates in an answer, from maps and as many from the running drive
    search_rows: int = 1024  # rows of the map looked at; the views of a place take one each
    ambiguity_radius_m: float = 25.0  # a place farther than this is another place
    verified_candidates: int = 5  # of the nearest, laid over the map's returns
    verified_rivals: int = 2  # and of the nearest of other places
    # Reconstructed: younger and nearer places of this drive do not count.
    exclude_recent_s: float = 30.0
    exclude_recent_m: float = 30.0  # of way travelled
    accept_max_distance: float = 0.0  # 0: no limit, or the model's if the map is not calibrated
    accept_max_ratio: float = 0.0  # 0: likewise
    accept_min_confidence: float = 0.0  # 0: the map's own, calibrated in validation
    accept_min_support: float = 0.0  # share of recent queries that must agree
    accept_max_rival: float = 0.8  # share of the overlap that other places may reach; 0: any
    accept_max_ambiguity: float = 0.3  # share of recent queries that fit two places; 0: any
    accept_risk_unknown_radar: bool = False  # one unlike those that the calibration knows
    accept_risk_map_poses: bool = False  # of a map whose poses disagree with its returns
    accept_risk_submaps: bool = False  # asked by submaps, which no calibration knows
    min_points: int = 30  # reconstructed: static returns in the window, fewer are not trusted

    @property
    def num_verified(self) -> tuple[int, int]:
        """Of the nearest, and of those elsewhere; none of these if none of those."""
        return self.verified_candidates, self.verified_rivals * (self.verified_candidates > 0)

    def __post_init__(self) -> None:
        for name in ('top_k', 'search_rows'):
            if getattr(self, name) < 1:
                raise ValueError(f'{name} is {getattr(self, name)}, expected at least 1')
        limits = dict.fromkeys(
            ('ambiguity_radius_m', 'verified_candidates', 'exclude_recent_s', 'exclude_recent_m'),
            math.inf,
        )
        limits |= {'min_points': math.inf, 'verified_rivals': math.inf, 'accept_max_rival': 1.0}
        limits |= {'accept_max_distance': 2.0, 'accept_max_ratio': 1.0}
        limits |= {'accept_max_ambiguity': 1.0}
        limits |= {'accept_min_confidence': 1.0, 'accept_min_support': 1.0}
        for name, limit in limits.items():
            if not 0 <= getattr(self, name) <= limit:
                raise ValueError(f'{name} is {getattr(self, name)}, expected 0 .. {limit:g}')


DEFAULT_CONFIG = RecognizerConfig()


class SensorPose(NamedTuple):
    """
    Where the 4D radar is in the odometry frame.

    :param position_m: shape (3,) float64
    :param quaternion_xyzw: shape (4,) float64
    """

    position_m: NDArray[np.float64]
    quaternion_xyzw: NDArray[np.float64]

    @property
    def planar(self) -> NDArray[np.float64]:
        """Its x, y, yaw, shape (3,)."""
        return np.append(self.position_m[:2], yaw_from_quaternion(self.quaternion_xyzw))

    def beside(self, to_left_m: float) -> SensorPose:
        """Return the pose of a radar beside this one, turned as it is."""
        yaw_rad = float(self.planar[2])
        to_left = np.array([-math.sin(yaw_rad), math.cos(yaw_rad), 0.0])
        return SensorPose(self.position_m + to_left_m * to_left, self.quaternion_xyzw)


@dataclass(frozen=True, slots=True)
class LoopClosureCandidate:
    """
    A mapped place that the query may show.

    T_keyframe_query = (relative_x_m, relative_y_m, relative_yaw_rad) is the pose of the query's
    radar in the frame of the keyframe's radar. Before a verification only the yaw of the best view
    is known; then x, y, covariance and overlap are NaN.

    :param rank: 0 = best
    :param relative_yaw_rad: (-pi, pi], positive = turned left
    :param relative_yaw_std_rad: of the verification, else of the step between two views
    :param covariance: shape (3, 3), of x, y, yaw in the frame of the keyframe
    :param overlap: how much better the query fits here than at poses about it: 0 = by chance,
        1 = as two scans of one radar from the same place
    :param distance: between the unit descriptors, 0 (same) to 2 (opposite)
    :param ratio: of this distance to that of the best keyframe farther than ambiguity_radius_m
        from this one; small = distinctive, 1 or more = another place fits as well
    :param agreement: share of the other verified candidates that give the same pose
    :param support: share of recent queries that agree; NaN without odometry and until half of
        the window is linked by it
    :param rival: best overlap of other places as a share of its own: near 1 or more = they fit as
        well, and the recent queries do not speak against them; 0 = none, NaN if not verified
    :param ambiguity: share of recent queries that fit two places of the map alike, however nearly
        the candidate agrees with them; NaN as the support
    :param confidence: calibrated probability that the pose is right, NaN if not calibrated
    :param position_m: shape (3,) float64, of the keyframe in the map; in the odometry frame if
        the keyframe is live
    :param quaternion_xyzw: shape (4,) float64, likewise
    :param is_live: the keyframe is of the running drive
    """

    keyframe_id: int
    map_id: int
    rank: int
    relative_yaw_rad: float
    relative_yaw_std_rad: float
    relative_x_m: float
    relative_y_m: float
    covariance: NDArray[np.float64]
    overlap: float
    distance: float
    ratio: float
    agreement: float
    support: float
    rival: float
    ambiguity: float
    confidence: float
    decision: Decision
    stamp_ns: int
    position_m: NDArray[np.float64]
    quaternion_xyzw: NDArray[np.float64]
    is_live: bool

    @property
    def accepted(self) -> bool:
        """Whether it counts as a loop closure."""
        return self.decision.accepted

    @property
    def verified(self) -> bool:
        """Whether the query's returns were laid over those of the keyframe."""
        return not math.isnan(self.overlap)


class StageTimes(NamedTuple):
    """Milliseconds that the stages of one query took."""

    bev: float
    encode: float
    search: float
    verify: float


@dataclass(frozen=True, slots=True)
class Query:
    """
    One scan made ready to be searched for, or the place in the middle of a submap.

    :param stamp_ns: of the scan, or of the one at that place: so are pose, odometry, elapsed_ns
        and segment
    :param pose: of the radar in the odometry frame, None if not known
    :param odometry: how far the vehicle has come, None if not known
    :param elapsed_ns: a time that goes on where the clock of the stamps was set
    :param segment: of the odometry that the pose is of, see ssd_ros.motion.pose_chain
    :param profile: shape (S,), running statistics of the radar, see RadarProfile
    :param is_standing: the vehicle stands, as far as is known
    """

    stamp_ns: int
    image: RadarImage | SubmapImage
    pose: SensorPose | None
    odometry: OdometryPose | None
    bev_ms: float
    elapsed_ns: int
    segment: int = 0
    profile: NDArray[np.float64] = field(default_factory=lambda: unknown_profiles(1)[0])
    is_standing: bool = False

    @property
    def is_submap(self) -> bool:
        """Whether it shows all around a place."""
        return isinstance(self.image, SubmapImage)


@dataclass(frozen=True, slots=True)
class Recognition:
    """
    The answer to one query, candidates best first.

    :param stamp_ns: of the newest scan in the window, or of the one in the middle of the submap
    :param decision: about the best candidate
    :param num_points: static returns in the window
    :param low_points: too few of them for any candidate to be accepted
    :param unlike_radar: how the radar differs from those that the calibration of a map, or of the
        running drive, knows; '' if it does not, or they are not known
    :param is_submap: it was asked by a submap
    :param description: what the maps were searched for, shape (D,) or, of a whole turn, (V, D)
    """

    stamp_ns: int
    candidates: tuple[LoopClosureCandidate, ...]
    decision: Decision
    timings_ms: StageTimes
    num_points: int
    low_points: bool
    ego_velocity: EgoVelocity
    unlike_radar: str = ''
    is_submap: bool = False
    description: NDArray[np.float32] | None = None

    @property
    def stationary(self) -> bool:
        """Whether the radar stood still."""
        return self.ego_velocity.motion is Motion.STANDSTILL
