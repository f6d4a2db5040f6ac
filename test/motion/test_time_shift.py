# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Check that speeds which are stamped late are told by how much."""

from __future__ import annotations

import math

import numpy as np
import pytest
from ssd_ros.motion.time_shift import fit_time_shift

SECONDS = np.arange(0, 60, 0.1)
# Speeds up to 9 m/s and brakes to 3 m/s, in 15 s.
SPEED_MPS = 6 + 3 * np.sin(SECONDS * math.tau / 15)
POSITIONS_M = np.column_stack(
    [6 * SECONDS - 3 * 15 / math.tau * np.cos(SECONDS * math.tau / 15), 0 * SECONDS]
)


@pytest.mark.parametrize('late_s', [-0.3, 0.0, 0.05, 0.3, 0.8])
@pytest.mark.parametrize('scale', [1.0, 1.03])
def test_late_speeds_are_told_through_noise_and_a_wrong_scale(late_s: float, scale: float) -> None:
    rng = np.random.default_rng(0)
    measured = 6 + 3 * np.sin((SECONDS - late_s) * math.tau / 15)
    measured = scale * measured + 0.1 * rng.standard_normal(len(measured))
    measured[::200] = 0  # odd ones
    found = fit_time_shift(SECONDS, measured, POSITIONS_M)
    assert found.late_s == pytest.approx(late_s, abs=0.02)
    assert abs(found.late_s - late_s) < 3 * found.sigma_s < 0.15


def test_who_drives_steadily_tells_nothing() -> None:
    positions_m = np.column_stack([6 * SECONDS, 0 * SECONDS])
    assert fit_time_shift(SECONDS, np.full(600, 6.0), positions_m).sigma_s > 10
    assert math.isnan(fit_time_shift(SECONDS[:9], SPEED_MPS[:9], POSITIONS_M[:9]).late_s)


def test_noise_of_the_positions_does_not_hide_it() -> None:
    noise_m = np.random.default_rng(1).normal(0, 0.05, POSITIONS_M.shape)
    measured = 6 + 3 * np.sin((SECONDS - 0.3) * math.tau / 15)
    found = fit_time_shift(SECONDS, measured, POSITIONS_M + noise_m)
    assert found.late_s == pytest.approx(0.3, abs=0.03)
