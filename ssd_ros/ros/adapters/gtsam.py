# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""
GTSAM: closures as factors, for a back end written in Python. No ROS is needed.

GTSAM puts rotations before translations and sees noise in the frame at the end of an edge; both
are easily got wrong.
"""

from __future__ import annotations

import gtsam
import numpy as np
from numpy.typing import NDArray
from ssd_ros.ros.adapters.closure import covariance_at_query, LoopClosure
from ssd_ros.ros.messages.geometry import Pose
from transforms3d.quaternions import quat2mat

_ROTATION_FIRST = [3, 4, 5, 0, 1, 2]


def between_factor(
    closure: LoopClosure, keyframe_key: int, query_key: int, robust_threshold: float = 0.0
) -> gtsam.BetweenFactorPose3:
    """
    Return the edge from the base at the keyframe to the base at the query.

    :param robust_threshold: of the Cauchy loss, in standard deviations; 0 = plain least squares
    """
    measured = closure.base_keyframe @ closure.keyframe_base
    noise = _noise(covariance_at_query(closure), robust_threshold)
    return gtsam.BetweenFactorPose3(keyframe_key, query_key, pose3(measured), noise)


def prior_factor(
    closure: LoopClosure, query_key: int, robust_threshold: float = 0.0
) -> gtsam.PriorFactorPose3:
    """
    Return what a closure with a fixed map says of the base at the query.

    :param robust_threshold: of the Cauchy loss, in standard deviations; 0 = plain least squares
    """
    noise = _noise(covariance_at_query(closure), robust_threshold)
    return gtsam.PriorFactorPose3(query_key, pose3(closure.map_base), noise)


def pose3(pose: Pose) -> gtsam.Pose3:
    """Return a pose as GTSAM's."""
    rotation = quat2mat(np.roll(pose.quaternion_xyzw, 1))
    return gtsam.Pose3(gtsam.Rot3(rotation), np.asarray(pose.position_m, np.float64))


def _noise(covariance: NDArray[np.float64], robust_threshold: float) -> gtsam.noiseModel.Base:
    """
    Return a noise model.

    :param covariance: shape (6, 6), translation first
    """
    ordered = covariance[np.ix_(_ROTATION_FIRST, _ROTATION_FIRST)]
    gaussian = gtsam.noiseModel.Gaussian.Covariance(ordered)
    if robust_threshold <= 0:
        return gaussian
    loss = gtsam.noiseModel.mEstimator.Cauchy.Create(robust_threshold)
    return gtsam.noiseModel.Robust.Create(loss, gaussian)
