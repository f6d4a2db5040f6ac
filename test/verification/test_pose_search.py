# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Check that compiled code and NumPy find the same, and that NumPy steps in."""

from __future__ import annotations

import math
import sys
from types import ModuleType, SimpleNamespace

import numpy as np
from numpy.typing import NDArray
import pytest
from ssd_ros.verification import (
    chosen_search,
    NO_RETURN,
    NUM_RETURNS,
    numpy_search,
    returns_of_points,
    use_compiled,
    why_numpy,
)
from ssd_ros.verification.likelihood import FINE_M, HALF_M, KeyframeGrids, NUM_FINE, PEAK
from ssd_ros.verification.pose_search import FINE_POSES, Headings, PoseSearch

Points = NDArray[np.float32]
Returns = NDArray[np.int16]


@pytest.fixture
def compiled_search() -> ModuleType:
    pytest.importorskip('numba')
    from ssd_ros.verification import compiled_search

    return compiled_search


@pytest.fixture(autouse=True)
def as_before(monkeypatch: pytest.MonkeyPatch) -> None:
    """Begin with NumPy, and leave the choice as it was."""
    monkeypatch.setattr(chosen_search, '_chosen', numpy_search)
    monkeypatch.setattr(chosen_search, '_why_numpy', 'not asked for')


def walls(num: int, seed: int) -> Points:
    """Return points along 25 walls within 76 m."""
    generator = np.random.default_rng(seed)
    corners, along_m = generator.uniform(-42, 42, (25, 2)), generator.uniform(0, 12, num)
    wall, is_across = generator.integers(25, size=num), generator.random(25) < 0.5
    points = corners[wall]
    points[np.arange(num), is_across[wall].astype(int)] += along_m
    return points.astype(np.float32)


def anywhere(seed: int) -> Returns:
    return np.random.default_rng(seed).integers(-32768, 32768, (NUM_RETURNS, 2), np.int16)


def ring(range_m: float) -> Points:
    angle = np.linspace(0, 2 * math.pi, 650)
    return (range_m * np.column_stack([np.cos(angle), np.sin(angle)])).astype(np.float32)


def drawn(search: PoseSearch, returns_cm: Returns) -> KeyframeGrids:
    grids = KeyframeGrids()
    grids.fine[:] = grids.coarse[:] = 255  # of the keyframe before
    search.draw(returns_cm, grids)
    return grids


@pytest.mark.parametrize('seed', range(6))
@pytest.mark.parametrize(
    'points',
    [walls(700, 0), walls(2000, 1), walls(15, 2), walls(1, 3), ring(79.99), np.zeros((40, 2))],
    ids=['walls', 'more than 16 bits hold', 'few', 'one', 'at the reach', 'one place'],
)
def test_both_find_the_same_to_the_bit(
    compiled_search: ModuleType, points: Points, seed: int
) -> None:
    scenes = [anywhere(seed), *(returns_of_points(walls(1500, seed + more)) for more in range(3))]
    headings = Headings.about(float(np.random.default_rng(seed).uniform(-4, 4)))
    points = np.ascontiguousarray(points, np.float32)
    for returns_cm in scenes:
        returns_cm.setflags(write=False)  # as those of a map
        grids, own = drawn(numpy_search, returns_cm), drawn(compiled_search, returns_cm)
        assert own.num_returns == grids.num_returns > 0
        np.testing.assert_array_equal(own.fine, grids.fine)
        np.testing.assert_array_equal(own.coarse, grids.coarse)
        expected, found = (
            search.fit(points, headings, grids) for search in (numpy_search, compiled_search)
        )
        assert found[:4] == expected[:4]
        np.testing.assert_array_equal(found.sums, expected.sums)
        np.testing.assert_array_equal(found.explained, expected.explained)


@pytest.mark.parametrize('is_compiled', [False, True])
def test_sums_are_those_of_a_loop_over_points(
    is_compiled: bool, request: pytest.FixtureRequest
) -> None:
    search = request.getfixturevalue('compiled_search') if is_compiled else numpy_search
    points, headings = walls(120, 0), Headings.about(0.3)
    grids = drawn(search, returns_of_points(walls(1500, 0)))
    fit = search.fit(points, headings, grids)
    grid = grids.fine[: NUM_FINE**2].reshape(NUM_FINE, NUM_FINE)
    middle_rad = headings.yaws_rad[fit.turn]
    for pose, total in list(zip(FINE_POSES, fit.sums, strict=True))[::29]:
        # Where points fall on a border, float32 and float64 may disagree.
        x_m, y_m = fit.x_m + pose[0], fit.y_m + pose[1]
        cos, sin = math.cos(middle_rad + pose[2]), math.sin(middle_rad + pose[2])
        expected = sum(
            int(
                grid[
                    int((sin * x + cos * y + y_m + HALF_M) / FINE_M),
                    int((cos * x - sin * y + x_m + HALF_M) / FINE_M),
                ]
            )
            for x, y in points.tolist()
        )
        assert abs(int(total) - expected) <= PEAK
    best = fit.sums.max()
    assert int(fit.explained.astype(int).sum()) == best > fit.elsewhere > 0


def test_a_return_is_drawn_as_high_as_it_is_near() -> None:
    returns_cm = np.full((3, 2), NO_RETURN, np.int16)
    returns_cm[0], returns_cm[1] = (1000, -512), (-8700, 0)  # the second lies outside
    grids = drawn(numpy_search, returns_cm)
    assert grids.num_returns == 1
    row, column = int((-5.12 + 88) * 4), (10 + 88) * 4
    grid = grids.fine[: NUM_FINE**2].reshape(NUM_FINE, NUM_FINE)
    assert grid[row, column : column + 4].tolist() == [100, 89, 56, 0]
    assert grid.sum() == 100 + 4 * (89 + 56 + 78) + 8 * 44 + 4 * 11


def test_compiled_code_is_used_once_it_is_ready(compiled_search: ModuleType) -> None:
    assert chosen_search.pose_search() is numpy_search
    assert why_numpy() == 'not asked for'
    use_compiled()
    assert chosen_search.pose_search() is compiled_search
    assert why_numpy() == ''


def test_without_numba_numpy_searches(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, 'numba', None)
    monkeypatch.delitem(sys.modules, 'ssd_ros.verification.compiled_search', raising=False)
    monkeypatch.delattr('ssd_ros.verification.compiled_search', raising=False)
    monkeypatch.delitem(sys.modules, 'ssd_ros.compiled', raising=False)
    use_compiled()
    assert chosen_search.pose_search() is numpy_search
    assert why_numpy() == 'numba is not installed'


def test_code_that_finds_another_pose_is_not_used(
    compiled_search: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    def shifted(points: Points, headings: Headings, grids: KeyframeGrids) -> object:
        fit = compiled_search.fit(points, headings, grids)
        return fit._replace(x_m=fit.x_m + FINE_M)

    other = SimpleNamespace(draw=compiled_search.draw, fit=shifted)
    monkeypatch.setattr('ssd_ros.verification.compiled_search', other)
    use_compiled()
    assert chosen_search.pose_search() is numpy_search
    assert 'compiled code finds another pose than NumPy' in why_numpy()
