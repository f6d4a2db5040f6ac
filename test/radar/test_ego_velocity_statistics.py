# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Check over many made-up clouds that ego-velocity is right, honest about it, or unknown."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
import math

import numpy as np
from numpy.typing import NDArray
import pytest
from ssd_ros.radar.ego_velocity import (
    EgoVelocity,
    EgoVelocityConfig,
    estimate_ego_velocity,
    Motion,
)

CONFIG = EgoVelocityConfig()


@dataclass(frozen=True)
class Clouds:
    """
    How clouds are made up; the radar drives at 1 to 25 m/s unless speed_mps says otherwise.

    :param movers: share of the returns; each with a speed of its own, or, if they are coherent,
        all of one rigid body
    :param fan_deg: azimuth of the returns
    :param step_mps: of Doppler, 0 = none
    """

    num: int = 100
    movers: float = 0.2
    coherent: bool = False
    fan_deg: tuple[float, float] = (-57.0, 57.0)
    elevation_deg: tuple[float, float] = (-2.0, 8.0)
    noise_mps: float = 0.05
    step_mps: float = 0.0
    speed_mps: float | None = None

    def make(self, num_clouds: int) -> Iterator[tuple[NDArray[np.float64], EgoVelocity]]:
        """Yield true velocities and estimates."""
        generator = np.random.default_rng(5)
        for _ in range(num_clouds):
            directions = self._directions(generator)
            speed_mps = self.speed_mps
            ahead = generator.uniform(1, 25) if speed_mps is None else speed_mps
            aside = generator.normal(0, [0.3, 0.1]) * (speed_mps != 0)
            velocity = np.array([ahead, *aside])
            doppler = -directions @ velocity + generator.normal(0, self.noise_mps, self.num)
            num = round(self.movers * self.num)
            if self.coherent:
                body = [generator.uniform(3, 20) * generator.choice([-1, 1]), 0.5, 0]
                doppler[:num] += directions[:num] @ body
            else:
                sign = generator.choice([-1, 1], num)
                doppler[:num] += generator.uniform(0.5, 15, num) * sign
            if self.step_mps:
                doppler = np.round(doppler / self.step_mps) * self.step_mps
            range_m = generator.uniform(3, 140, self.num)
            yield velocity, estimated(directions * range_m[:, None], doppler)

    def _directions(self, generator: np.random.Generator) -> NDArray[np.float64]:
        azimuth = np.radians(generator.uniform(*self.fan_deg, self.num))
        elevation = np.radians(generator.uniform(*self.elevation_deg, self.num))
        return unit(azimuth, elevation)

    def judge(self, num_clouds: int) -> tuple[int, int, float]:
        """
        Return how many velocities are unknown, how many wrong, and the error that is normalised.

        :return: the last one is 1 in the mean if the deviations over the ground are those stated
        """
        unknown, wrong, normalised = 0, 0, []
        for velocity, found in self.make(num_clouds):
            if found.motion is Motion.UNKNOWN:
                unknown += 1
                continue
            error = (found.velocity_mps - velocity)[:2]
            wrong += bool(np.hypot(*error) > 1)
            normalised.append(np.mean((error / found.sigma_mps[:2]) ** 2))
        return unknown, wrong, float(np.mean(normalised)) if normalised else math.nan


def unit(azimuth: NDArray[np.float64], elevation: NDArray[np.float64]) -> NDArray[np.float64]:
    flat = np.cos(elevation)
    return np.stack([flat * np.cos(azimuth), flat * np.sin(azimuth), np.sin(elevation)], axis=1)


def estimated(
    xyz: NDArray[np.float64], doppler: NDArray[np.float64], config: EgoVelocityConfig = CONFIG
) -> EgoVelocity:
    none = np.zeros(len(xyz), np.float32)
    return estimate_ego_velocity(xyz.astype(np.float32), none, doppler.astype(np.float32), config)


@pytest.mark.parametrize('movers', [0.05, 0.2, 0.4, 0.6])
@pytest.mark.parametrize(('num', 'num_clouds'), [(30, 100), (100, 60), (400, 40), (3000, 25)])
def test_the_velocity_is_right_whatever_else_moves(
    num: int, num_clouds: int, movers: float
) -> None:
    unknown, wrong, normalised = Clouds(num, movers).judge(num_clouds)
    assert wrong == 0
    assert unknown <= (0.12 * num_clouds if (num, movers) == (30, 0.6) else 0)
    # Chi-square of 50 degrees of freedom at least: 0.6 .. 1.5 holds 99 %.
    assert 0.6 < normalised < 1.5


@pytest.mark.parametrize('noise_mps', [0.02, 0.05, 0.1, 0.15])
def test_the_deviation_grows_with_the_noise_though_outliers_are_cut_off(noise_mps: float) -> None:
    unknown, wrong, normalised = Clouds(300, noise_mps=noise_mps).judge(60)
    assert (wrong, unknown <= 1) == (0, True)
    assert 0.3 < normalised < 1.5


@pytest.mark.parametrize('step_mps', [0.1, 0.25, 0.5])
@pytest.mark.parametrize('num', [60, 300])
def test_doppler_in_steps_is_judged_by_its_steps(num: int, step_mps: float) -> None:
    clouds = Clouds(num, noise_mps=0.03, step_mps=step_mps)
    unknown, wrong, normalised = clouds.judge(50)
    assert (unknown, wrong) == (0, 0)
    assert 0.4 < normalised < 1.5
    kept = [found.usable.mean() for _, found in clouds.make(20)]
    assert np.mean(kept) > 0.78  # of 80 % that stand still


@pytest.mark.parametrize('half_deg', [5, 10, 20])
@pytest.mark.parametrize('middle_deg', [0, 35])
def test_a_narrow_fan_says_less_and_knows_it(half_deg: int, middle_deg: int) -> None:
    fan = (middle_deg - half_deg, middle_deg + half_deg)
    _, wrong, normalised = Clouds(fan_deg=fan).judge(60)
    assert wrong == 0
    assert 0.6 < normalised < 1.5
    (_, narrow), (_, wide) = next(Clouds(fan_deg=fan).make(1)), next(Clouds().make(1))
    assert narrow.sigma_mps[1] > 40 / half_deg * wide.sigma_mps[1] > 0


@pytest.mark.parametrize('elevation_deg', [(0.0, 0.0), (-20.0, 20.0)])
def test_a_radar_without_elevation_knows_its_velocity_over_the_ground(
    elevation_deg: tuple[float, float],
) -> None:
    clouds = Clouds(movers=0.4, elevation_deg=elevation_deg)
    unknown, wrong, normalised = clouds.judge(60)
    assert (unknown, wrong) == (0, 0)
    assert 0.6 < normalised < 1.5
    _, found = next(clouds.make(1))
    assert (found.sigma_mps[2] == pytest.approx(1.0)) == (elevation_deg == (0.0, 0.0))


@pytest.mark.parametrize('num', [40, 200])
def test_where_two_velocities_have_alike_support_none_is_said(num: int) -> None:
    # Two bodies that fill the view: which of them is the road?
    assert Clouds(num, 0.5, coherent=True).judge(60)[:2] == (60, 0)
    for movers in (0.4, 0.6):
        unknown, wrong, _ = Clouds(num, movers, coherent=True).judge(60)
        assert (unknown >= 57, wrong <= 1) == (True, True)
    assert Clouds(num, 0.2, coherent=True).judge(60)[:2] == (0, 0)


@pytest.mark.parametrize('num', [4, 5, 6, 8, 12, 20, 40])
def test_movers_alone_say_nothing(num: int) -> None:
    unknown, _, _ = Clouds(num, movers=1.0).judge(100)
    assert unknown >= 99


@pytest.mark.parametrize(('num', 'movers'), [(5, 0.4), (7, 0.6), (7, 0.4), (12, 0.6)])
def test_a_parked_radar_with_few_returns_does_not_take_a_passing_car_for_the_road(
    num: int, movers: float
) -> None:
    for _, found in Clouds(num, movers, coherent=True, speed_mps=0.0).make(100):
        assert found.motion is Motion.UNKNOWN or np.hypot(*found.velocity_mps[:2]) < 0.3


@pytest.mark.parametrize('movers', [0.0, 0.05, 0.4])
def test_standing_still_among_movers_is_known(movers: float) -> None:
    unknown, wrong, normalised = Clouds(200, movers, speed_mps=0.0, noise_mps=0.03).judge(40)
    assert (unknown, wrong) == (0, 0)
    assert normalised < 1.5


def test_a_lorry_with_most_of_the_returns_does_not_outvote_the_road() -> None:
    generator = np.random.default_rng(3)
    # 300 returns of its side within 20 degrees, 100 of all else.
    azimuth = np.radians(
        np.append(generator.uniform(30, 50, 300), generator.uniform(-57, 57, 100))
    )
    directions = unit(azimuth, np.radians(generator.uniform(-2, 8, 400)))
    doppler = -directions @ [14.0, 0, 0] + generator.normal(0, 0.05, 400)
    doppler[:300] += directions[:300] @ [9.0, 0, 0]
    found = estimated(directions * 20, doppler)
    np.testing.assert_allclose(found.velocity_mps[:2], [14, 0], atol=0.1)
    assert not found.usable[:300].any()
    assert found.usable[300:].mean() > 0.95


@pytest.mark.parametrize('speed_mps', [0.0, 8.0])
def test_many_returns_in_few_directions_say_nothing(speed_mps: float) -> None:
    jitter = np.random.default_rng(0).uniform(-0.1, 0.1, 201)
    azimuth = np.radians(np.tile([-40.0, -10.37, 5.5], 67) + jitter)
    elevation = np.radians(np.linspace(-2, 8, 201))
    directions = unit(azimuth, elevation)
    found = estimated(directions * 30, -directions @ [speed_mps, 0, 0])
    assert found.motion is Motion.UNKNOWN
    assert found.usable.all()


def test_at_a_crawl_abeam_a_radar_does_not_take_itself_for_standing() -> None:
    # Looking aside, all Doppler is near 0, whatever the speed.
    azimuth = np.radians(np.linspace(-0.5, 0.5, 40))
    directions = unit(azimuth, np.zeros(40))
    found = estimated(directions * 30, -directions @ [0, 8.0, 0])
    assert found.motion is Motion.UNKNOWN


def test_whatever_the_draws_a_dense_cloud_with_many_movers_gives_the_same() -> None:
    generator = np.random.default_rng(8)
    directions = unit(
        np.radians(generator.uniform(-57, 57, 2000)), np.radians(generator.uniform(-2, 8, 2000))
    )
    doppler = -directions @ [11.0, 0.2, 0] + generator.normal(0, 0.08, 2000)
    doppler[:1000] += generator.uniform(-15, 15, 1000)
    velocities = np.array([
        estimated(directions * 40, doppler, replace(CONFIG, seed=seed)).velocity_mps
        for seed in range(100)
    ])  # fmt: skip
    np.testing.assert_allclose(velocities, velocities[0] + np.zeros((100, 3)), atol=0.02)
    np.testing.assert_allclose(velocities[0], [11, 0.2, 0], atol=0.1)
