# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""One loop closure, and its uncertainty as each back end states it."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray
from ssd_ros.motion.covariance import carried
from ssd_ros.ros.messages.geometry import Pose, turn
from transforms3d.quaternions import quat2mat


@dataclass(frozen=True, slots=True, eq=False)  # arrays have no single ==
class LoopClosure:
    """
    One accepted candidate, as a back end wants to hear of it.

    The base frame is that of the vehicle, the keyframe's frame that of the radar which made it.

    :param map_keyframe: T_map_keyframe
    :param keyframe_base: T_keyframe_base, of the query
    :param covariance: shape (6, 6), of T_map_base, in the axes of the map: x, y, z in metres,
        then turns about x, y, z in radians
    :param confidence: probability that the closure is right
    :param is_live: the keyframe is one of this drive
    :param base_keyframe: T_base_keyframe: how the radar sat on the vehicle that made the keyframe
    """

    query_stamp_ns: int
    keyframe_id: int
    map_id: int
    keyframe_stamp_ns: int
    map_keyframe: Pose
    keyframe_base: Pose
    covariance: NDArray[np.float64]
    confidence: float
    is_live: bool
    base_keyframe: Pose = field(default_factory=lambda: turn(0.0))

    def __post_init__(self) -> None:
        covariance = np.asarray(self.covariance)
        if covariance.shape != (6, 6):
            raise ValueError(f'covariance has shape {covariance.shape}, expected (6, 6)')
        if not (np.isfinite(covariance).all() and (np.linalg.eigvalsh(covariance) > 0).all()):
            raise ValueError(
                'covariance is not positive definite: back ends invert it; diagonal '
                f'{np.diag(covariance).tolist()}'
            )

    @property
    def map_base(self) -> Pose:
        """T_map_base of the query."""
        return self.map_keyframe @ self.keyframe_base

    @property
    def map_keyframe_base(self) -> Pose:
        """T_map_base of the vehicle when it made the keyframe."""
        return self.map_keyframe @ self.base_keyframe.inverse()


def covariance_at_query(closure: LoopClosure) -> NDArray[np.float64]:
    """
    Return the covariance of the query's pose in its own axes.

    That is the noise of a prior on the query and of an edge that ends at the query: of
    T_map_base * Exp(noise), translation first. Shape (6, 6).
    """
    jacobian = np.kron(np.eye(2), _rotation(closure.map_base).T)
    return carried(jacobian, closure.covariance)


def covariance_at_target(closure: LoopClosure, map_target: Pose) -> NDArray[np.float64]:
    """
    Return the covariance of a fixed place as seen from the query, in the axes of that place.

    That is the noise of an edge from the query to the target: of T_base_target * Exp(noise),
    translation first. A wrong heading moves a far target sideways. Shape (6, 6).
    """
    rotation = _rotation(map_target)
    x, y, z = map_target.position_m - closure.map_base.position_m
    lever = np.array([[0.0, -z, y], [z, 0.0, -x], [-y, x, 0.0]])
    jacobian = np.block(
        [[rotation.T, -rotation.T @ lever], [np.zeros((3, 3)), rotation.T]]
    )  # but for the sign, which a covariance does not have
    return carried(jacobian, closure.covariance)


def _rotation(pose: Pose) -> NDArray[np.float64]:
    return quat2mat(np.roll(pose.quaternion_xyzw, 1))
