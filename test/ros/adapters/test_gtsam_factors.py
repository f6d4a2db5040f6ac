# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Check closures as factors of GTSAM: directions, order of the noise, robust loss."""

from __future__ import annotations

import numpy as np
import pytest
from ssd_ros.ros.messages.geometry import pose_from_xyzrpy
from support.adapters import closure

gtsam = pytest.importorskip('gtsam', reason='gtsam is not installed (make test installs it)')
factors = pytest.importorskip('ssd_ros.ros.adapters.gtsam')

KEYFRAME, QUERY = 1, 2


def test_the_edge_leads_from_the_keyframe_to_the_query() -> None:
    on_bumper = pose_from_xyzrpy([3.0, 0.0, 0.0, 0.0, 0.0, 0.0])
    factor = factors.between_factor(closure(base_keyframe=on_bumper), KEYFRAME, QUERY)
    assert factor.keys() == [KEYFRAME, QUERY]
    measured = factor.measured()
    np.testing.assert_allclose(measured.translation(), [5.0, 1.0, 0.0], atol=1e-12)
    assert measured.rotation().yaw() == pytest.approx(np.pi / 6)


def test_a_map_pulls_the_query_to_its_place() -> None:
    graph, start = gtsam.NonlinearFactorGraph(), gtsam.Values()
    graph.add(factors.prior_factor(closure(), QUERY))
    start.insert(QUERY, gtsam.Pose3())
    found = gtsam.LevenbergMarquardtOptimizer(graph, start).optimize().atPose3(QUERY)
    np.testing.assert_allclose(found.translation(), [9.0, 22.0, 0.0], atol=1e-6)
    assert found.rotation().yaw() == pytest.approx(np.radians(120.0))


def test_the_uncertainty_that_gtsam_computes_is_ours_in_the_map() -> None:
    """What the graph says of the query, turned back into the axes of the map."""
    graph, values = gtsam.NonlinearFactorGraph(), gtsam.Values()
    graph.add(factors.prior_factor(closure(), QUERY))
    values.insert(QUERY, factors.pose3(closure().map_base))
    marginal = gtsam.Marginals(graph, values).marginalCovariance(QUERY)
    rotation = np.kron(np.eye(2), values.atPose3(QUERY).rotation().matrix())
    in_map = rotation @ marginal @ rotation.T
    # GTSAM has the turns first.
    np.testing.assert_allclose(np.diag(in_map), [0.01, 0.01, 0.04, 1.0, 4.0, 1.0], rtol=1e-6)


def test_a_robust_loss_lets_the_odometry_win_against_a_false_closure() -> None:
    def x_of_query(robust_threshold: float) -> float:
        graph, start = gtsam.NonlinearFactorGraph(), gtsam.Values()
        tight = gtsam.noiseModel.Isotropic.Sigma(6, 0.1)
        graph.add(gtsam.PriorFactorPose3(KEYFRAME, gtsam.Pose3(), tight))
        graph.add(gtsam.BetweenFactorPose3(KEYFRAME, QUERY, gtsam.Pose3(), tight))
        false = closure(
            keyframe_base=pose_from_xyzrpy([30.0, 0, 0, 0, 0, 0]), covariance=np.eye(6) / 100
        )
        graph.add(factors.between_factor(false, KEYFRAME, QUERY, robust_threshold))
        for key in (KEYFRAME, QUERY):
            start.insert(key, gtsam.Pose3())
        optimised = gtsam.LevenbergMarquardtOptimizer(graph, start).optimize()
        return float(optimised.atPose3(QUERY).x())

    assert x_of_query(0.0) == pytest.approx(15.0, abs=0.1)  # halfway: both weigh the same
    assert abs(x_of_query(1.0)) < 0.1
