# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Check what hides a point: sheets and cylinders in all directions, for radars that move."""

from __future__ import annotations

import math

import numpy as np
import pytest
from ssd_ros.simulator.scene.elements import ElementBuilder, Kind, Occluders
from ssd_ros.simulator.scene.sight_lines import (
    line_directions,
    Lines,
    shared_lines,
    transmission,
)
from ssd_ros.simulator.scene.visibility import panorama, Place

HEIGHT_M = 1.0
SHEET, CYLINDER = 0.5, 0.25
NO_LINES = Lines(np.zeros(0, np.int32), np.zeros(0, np.int32), np.zeros(0, np.float32))


def thicket(rng: np.random.Generator, num: int) -> Occluders:
    """Return sheets and cylinders at random, some of them around the radar."""
    builder = ElementBuilder()
    start = rng.uniform(-60, 60, (num, 2))
    end = start + rng.uniform(-15, 15, (num, 2))
    builder.add_walls(Kind.FENCE, start, end, 0.0, 2.0, SHEET)
    radii = rng.uniform(0.1, 4, num)
    builder.add_discs(Kind.VEGETATION, rng.uniform(-60, 60, (num, 2)), radii, 0.0, 2.0, CYLINDER)
    return builder.occluders()


def crossed(o: Occluders, start: tuple[float, ...], end: tuple[float, ...]) -> float:
    """Return the transmission of all occluders, each asked by plain geometry."""
    a, d = np.array(start[:2]), np.array(end[:2]) - start[:2]
    total = 1.0
    for index in range(len(o.ax)):
        p = np.array([o.ax[index], o.ay[index]], np.float64)
        if o.is_disc[index]:
            # Where |a + t d - p| = r for the first time.
            roots = np.roots([d @ d, 2 * d @ (a - p), (a - p) @ (a - p) - float(o.bx[index]) ** 2])
            hit = np.isreal(roots).all() and 0 <= roots.real.min() < 1
        else:
            q = np.array([o.bx[index], o.by[index]], np.float64)
            t, u = np.linalg.solve(np.column_stack([d, p - q]), p - a)
            hit = 0 <= t < 1 and 0 <= u <= 1
        total *= float(o.transmission[index]) if hit else 1.0
    return total


@pytest.mark.parametrize('shift_m', [0.0, 2.0])
def test_sight_lines_meet_what_lies_on_them_and_nothing_else(shift_m: float) -> None:
    rng = np.random.default_rng(5)
    occluders = thicket(rng, 60)
    around = panorama(occluders, Place(1.0, -2.0, shift_m, 200.0))
    seen = []
    for _ in range(300):
        way, angle = shift_m * rng.random(), rng.uniform(0, 2 * math.pi)
        start = (1.0 + way * math.cos(angle), -2.0 + way * math.sin(angle), HEIGHT_M)
        end = (*rng.uniform(-60, 60, 2).tolist(), HEIGHT_M)
        found = transmission(around, NO_LINES, start, end, -1, 0.0)
        assert found == pytest.approx(crossed(occluders, start, end), rel=1e-9)
        seen.append(found)
    assert len({round(math.log2(value)) for value in seen}) > 5  # from free to well hidden


def test_a_radar_that_looks_ahead_needs_nothing_of_what_is_behind_it() -> None:
    occluders = thicket(np.random.default_rng(6), 400)
    around = panorama(occluders, Place(0.0, 0.0, 0.0, 200.0, 1.0, 0.0))
    assert 300 < len(around.nearest_m) < 500  # of 800
    for y_m in np.linspace(-40, 40, 81).tolist():
        start, end = (0.0, 0.0, HEIGHT_M), (50.0, y_m, HEIGHT_M)
        expected = crossed(occluders, start, end)
        assert transmission(around, NO_LINES, start, end, -1, 0.0) == pytest.approx(
            expected, rel=1e-9
        )


def test_what_is_out_of_reach_and_what_passes_above_hides_nothing() -> None:
    builder = ElementBuilder()
    ends = np.array([[20.0, -5.0]]), np.array([[20.0, 5.0]])
    builder.add_walls(Kind.FENCE, *ends, 3.0, 4.0, SHEET)
    way = (0.0, 0.0, HEIGHT_M), (40.0, 0.0, HEIGHT_M)
    above = panorama(builder.occluders(), Place(0.0, 0.0, 0.0, 50.0))
    assert transmission(above, NO_LINES, *way, -1, 0.0) == 1
    builder.add_walls(Kind.FENCE, *ends, 0.0, 4.0, SHEET)
    near, far = (
        panorama(builder.occluders(), Place(0.0, 0.0, 0.0, reach_m)) for reach_m in (19.0, 50.0)
    )
    assert transmission(near, NO_LINES, *way, -1, 0.0) == 1
    assert transmission(far, NO_LINES, *way, -1, 0.0) == SHEET
    assert transmission(far, NO_LINES, *way, -1, 0.6) == 0  # it may stop below what is wanted


def test_shared_lines_lead_everywhere_and_tell_nearly_what_each_sight_line_meets() -> None:
    directions = line_directions()
    angles = np.degrees(np.unwrap(np.arctan2(directions[:, 1], directions[:, 0])))
    steps = np.diff(angles)
    assert 0.1 < steps.min() < steps.max() < 0.23
    assert angles[-1] - angles[0] == pytest.approx(360, abs=0.4)
    rng = np.random.default_rng(7)
    occluders = thicket(rng, 60)
    around = panorama(occluders, Place(0.0, 0.0, 0.0, 200.0))
    lines = shared_lines(around, np.zeros_like(directions), directions, 200.0)
    num_equal = 0
    for _ in range(500):
        start, end = (0.0, 0.0, HEIGHT_M), (*rng.uniform(-60, 60, 2).tolist(), HEIGHT_M)
        exact = transmission(around, NO_LINES, start, end, -1, 0.0)
        num_equal += transmission(around, lines, start, end, -1, 0.0) == exact
    assert num_equal > 470
    # Along a line itself the two are the same.
    for x, y in directions[::64].tolist():
        end = (40 * x, 40 * y, HEIGHT_M)
        exact = transmission(around, NO_LINES, start, end, -1, 0.0)
        assert transmission(around, lines, start, end, -1, 0.0) == exact
