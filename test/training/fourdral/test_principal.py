# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Check what shorter descriptors keep of the long ones."""

import numpy as np
from numpy.typing import NDArray
from ssd_ros.training.fourdral.principal import principal_directions


def descriptors(num: int, rank: int, size: int = 40) -> NDArray[np.float32]:
    """Return unit vectors in a space of so many dimensions."""
    rng = np.random.default_rng(0)
    rows = rng.normal(size=(num, rank)) @ rng.normal(size=(rank, size))
    return (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)


def test_directions_are_orthonormal_and_the_weightiest_come_first() -> None:
    rows = descriptors(30, 40)
    directions = principal_directions(rows, 8)
    assert directions.shape == (40, 8)
    np.testing.assert_allclose(directions.T @ directions, np.eye(8), atol=1e-5)
    kept = ((rows @ directions) ** 2).sum(axis=0)
    assert (np.diff(kept) <= 1e-5).all()
    _, _, expected = np.linalg.svd(rows, full_matrices=False)
    np.testing.assert_allclose(np.abs(np.diag(expected[:8] @ directions)), 1, atol=1e-4)


def test_as_many_directions_as_dimensions_keep_all_inner_products() -> None:
    rows = descriptors(30, 5)
    laid = rows @ principal_directions(rows, 40)
    assert laid.shape == (30, 5)
    np.testing.assert_allclose(laid @ laid.T, rows @ rows.T, atol=1e-5)
