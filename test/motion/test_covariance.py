# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Check that covariances are carried as worked out by hand, and symmetric to the last bit."""

from __future__ import annotations

import numpy as np
import pytest
from ssd_ros.motion.covariance import carried, symmetric


def test_a_quarter_turn_exchanges_the_axes() -> None:
    turn = np.array([[0.0, -1.0], [1.0, 0.0]])
    covariance = np.array([[4.0, 0.5], [0.5, 1.0]])
    np.testing.assert_array_equal(carried(turn, covariance), [[1.0, -0.5], [-0.5, 4.0]])


def test_a_lever_turns_an_error_of_the_heading_into_one_of_the_position() -> None:
    jacobian = np.array([[1.0, 0.0, -2.0], [0.0, 1.0, 3.0], [0.0, 0.0, 1.0]])
    found = carried(jacobian, np.diag([0.01, 0.04, 0.25]))
    expected = [[1.01, -1.5, -0.5], [-1.5, 2.29, 0.75], [-0.5, 0.75, 0.25]]
    np.testing.assert_allclose(found, expected, rtol=1e-12)


@pytest.mark.parametrize('size', [2, 3, 6])
def test_no_rounding_makes_it_lopsided(size: int) -> None:
    rng = np.random.default_rng(size)
    for _ in range(200):
        root, jacobian = rng.normal(0, 1, (2, size, size)) * 10 ** rng.uniform(-4, 4, (size, 1))
        covariance = carried(jacobian, symmetric(root @ root.T))
        np.testing.assert_array_equal(covariance, covariance.T)
        assert np.linalg.eigvalsh(covariance)[0] >= -1e-9 * np.abs(covariance).max()
