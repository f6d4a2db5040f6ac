# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Point targets, walls and noise seen by the simulated spinning radar."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray
import pytest
from ssd_ros.simulator.radars.echoes import spinning_echoes, SpinningBudget, Viewpoint
from ssd_ros.simulator.radars.image import deposit, point_response, to_pixels
from ssd_ros.simulator.radars.spinning import noise_counts
from ssd_ros.simulator.scene.elements import ElementBuilder, Kind
from ssd_ros.simulator.scene.sight_lines import Lines
from ssd_ros.simulator.scene.visibility import panorama, Place
from ssd_ros.simulator.sensors import SpinningRadarConfig

CONFIG = SpinningRadarConfig()
BUDGET = SpinningBudget(10 ** (CONFIG.brightness_px / 20), 0.05, 150.0, 0.0, 0.0)
NO_LINES = Lines(np.zeros(0, np.int32), np.zeros(0, np.int32), np.zeros(0, np.float32))
STANDING = Viewpoint(0.0, 0.0, CONFIG.height_m, 0.0, 0.0, 0.0, 0.0, CONFIG.period_s)


def echoes_of(
    builder: ElementBuilder, view: Viewpoint = STANDING, budget: SpinningBudget = BUDGET
) -> NDArray[np.float32]:
    """Return range, clockwise azimuth and power of what the radar receives, shape (3, N)."""
    scatterers, occluders = builder.scatterers(), builder.occluders()
    num = len(scatterers.x)
    still, mean = np.zeros((num, 2), np.float32), np.ones(num, np.float32)
    place = Place(view.x, view.y, 0.5 * view.sweep_s * math.hypot(view.vx, view.vy), 160.0)
    around = panorama(occluders, place)
    _, found = spinning_echoes(scatterers, still, mean, around, NO_LINES, view, budget)
    return np.asarray(found)


def target(
    x_m: float, y_m: float, rcs_dbsm: float = 10.0, z_m: float = CONFIG.height_m
) -> ElementBuilder:
    builder = ElementBuilder()
    builder.add_scatterers(Kind.PEDESTRIAN, np.array([[x_m, y_m]]), z_m, rcs_dbsm)
    return builder


def field_of(
    echoes: NDArray[np.float32],
    num_bins: int = CONFIG.num_bins,
    config: SpinningRadarConfig = CONFIG,
) -> NDArray[np.float32]:
    """Return the complex field without noise, shape (2, 400, num_bins)."""
    field = np.zeros((2, CONFIG.num_azimuths, num_bins), np.float32)
    phases = np.zeros(echoes.shape[1], np.float32)
    row_power, response = np.zeros(CONFIG.num_azimuths), point_response(config)
    deposit(field, row_power, echoes, phases, 150.0 / num_bins, 0.05, response)
    return field


def test_a_point_is_52_cm_deep_at_minus_6_db() -> None:
    num_bins = 8 * CONFIG.num_bins  # 2.2 cm
    power = (field_of(echoes_of(target(40.0, 0.0, 0.0)), num_bins)[:, 0] ** 2).sum(axis=0)
    depth_m = np.count_nonzero(power > power.max() / 10**0.6) * 150.0 / num_bins
    assert depth_m == pytest.approx(0.52, rel=0.15)


def test_the_azimuths_beside_a_point_are_5_and_16_db_weaker() -> None:
    power = (field_of(echoes_of(target(0.0, -40.0))) ** 2).sum(axis=0).max(axis=1)
    decibels = 10 * np.log10(power / power.max() + 1e-12)
    # 90 degrees to the right is column 100 of 400.
    np.testing.assert_allclose(decibels[98:103], [-16, -5, 0, -5, -16], atol=1.0)


def test_a_wider_beam_a_deeper_point_and_higher_side_lobes_are_what_they_say() -> None:
    def power(config: SpinningRadarConfig, num_bins: int = CONFIG.num_bins) -> NDArray[np.float32]:
        field = field_of(echoes_of(target(0.0, -40.0)), num_bins, config)
        return np.asarray((field**2).sum(axis=0))

    wide = power(SpinningRadarConfig(beam_scale=2.0)).max(axis=1)
    decibels = 10 * np.log10(wide / wide.max() + 1e-12)
    np.testing.assert_allclose(decibels[[96, 98, 100, 102, 104]], [-16, -5, 0, -5, -16], atol=1)
    fine = 8 * CONFIG.num_bins
    deep = power(SpinningRadarConfig(range_sigma_m=0.31), fine)[100]
    shallow = power(CONFIG, fine)[100]
    depths = [np.count_nonzero(row > row.max() / 10**0.6) for row in (deep, shallow)]
    assert depths[0] / depths[1] == pytest.approx(2.0, rel=0.05)
    lobes = power(SpinningRadarConfig(sidelobe_gain_db=6.0)).max(axis=1)[105]
    assert 10 * np.log10(lobes / power(CONFIG).max(axis=1)[105]) == pytest.approx(6.0, abs=0.1)


@pytest.mark.parametrize('range_m', [10.0, 30.0, 80.0])
def test_the_brightest_pixel_of_a_point_follows_the_radar_equation(range_m: float) -> None:
    field = field_of(echoes_of(target(range_m, 0.0, rcs_dbsm=5.0)))
    silence = np.zeros((2, CONFIG.num_azimuths, CONFIG.num_bins + 2), np.float32)
    image = to_pixels(field, silence, np.zeros(CONFIG.num_bins), np.zeros(CONFIG.num_azimuths), 1)
    row, column = np.unravel_index(image.argmax(), image.shape)
    assert column == 0
    assert (row + 0.5) * CONFIG.bin_m == pytest.approx(range_m, abs=CONFIG.bin_m)
    expected = 155.5 + 2 * 5.0 - 40 * math.log10(range_m)
    assert image.max() == pytest.approx(expected, abs=2)


def test_a_turn_takes_time_so_a_target_on_the_right_seems_ahead() -> None:
    view = STANDING._replace(vx=12.0)
    range_m, azimuth_rad, _ = echoes_of(target(0.0, -20.0), view)[:, 0]
    # Column 100 is looked at a quarter turn before the stamp, 12 m/s * 0.0625 s further back.
    assert range_m * math.cos(azimuth_rad) == pytest.approx(0.75, abs=0.05)


def test_a_standing_radar_sees_mirrored_targets_mirrored() -> None:
    builder = target(30.0, 12.0)
    builder.add_scatterers(Kind.PEDESTRIAN, np.array([[30.0, -12.0]]), CONFIG.height_m, 10.0)
    (left_m, right_m), (left_rad, right_rad), (left, right) = echoes_of(builder)
    assert left_m == right_m
    assert left == right
    assert left_rad + right_rad == pytest.approx(2 * math.pi, abs=1e-5)


@pytest.mark.parametrize('transmission', [0.28, 0.5, 0.75])
def test_a_wall_weakens_what_is_behind_on_the_way_there_and_back(transmission: float) -> None:
    free = echoes_of(target(50.0, 0.0))[2, 0]
    builder = target(50.0, 0.0)
    ends = np.array([[20.0, -5.0]]), np.array([[20.0, 5.0]])
    builder.add_walls(Kind.BUILDING, *ends, 0.0, 8.0, transmission)
    hidden = echoes_of(builder)[2, 0]
    assert 10 * math.log10(hidden / free) == pytest.approx(20 * math.log10(transmission), abs=0.1)


def test_a_car_does_not_hide_a_high_target_from_the_roof() -> None:
    def seen(z_m: float) -> float:
        builder = target(40.0, 0.0, z_m=z_m)
        ends = np.array([[10.0, -2.0]]), np.array([[10.0, 2.0]])
        builder.add_walls(Kind.VEHICLE, *ends, 0.25, 1.5, 0.28)
        with_car = echoes_of(builder)[2, 0]
        return float(with_car / echoes_of(target(40.0, 0.0, z_m=z_m))[2, 0])

    # At 10 m the sight lines pass 2.1 m and 1.55 m high, and 1.45 m below the roof of the car.
    assert seen(2.4) == 1.0
    assert seen(0.2) == 1.0
    assert seen(-0.2) == pytest.approx(0.28**2, rel=1e-5)


def test_a_wall_does_not_hide_its_own_facets() -> None:
    builder = ElementBuilder()
    owner = builder.new_owners(1)[0]
    ends = np.array([[20.0, -10.0]]), np.array([[20.0, 10.0]])
    builder.add_walls(Kind.BUILDING, *ends, 0.0, 8.0, 0.02, owner)
    xy_m = np.array([[20.1, 3.0], [20.1, 4.0]])
    builder.add_scatterers(Kind.BUILDING, xy_m, 2.0, 10.0, owner=np.array([owner, -1]))
    own, foreign = echoes_of(builder)[2]
    assert foreign / own == pytest.approx(0.02**2, rel=0.05)


def test_a_wall_is_invisible_from_behind() -> None:
    def num_echoes(normal_rad: float) -> int:
        builder = ElementBuilder()
        xy_m = np.array([[20.0, 0.0]])
        builder.add_scatterers(
            Kind.BUILDING, xy_m, 2.0, 10.0, width_deg=35.0, normal_rad=normal_rad
        )
        return echoes_of(builder).shape[1]

    assert num_echoes(math.pi) == 1
    assert num_echoes(0.0) == 0


def test_rain_of_8_mm_per_h_costs_1_db_over_100_m() -> None:
    # ITU-R P.838-3 at 80 GHz: 5.1 dB/km one way, so 1.03 dB there and back.
    wet = BUDGET._replace(attenuation_db_per_m=2 * 1.17 * 8**0.711 / 1000)
    ratio = echoes_of(target(100.0, 0.0), budget=wet)[2] / echoes_of(target(100.0, 0.0))[2]
    assert -10 * math.log10(ratio[0]) == pytest.approx(1.03, abs=0.02)


def test_far_noise_has_the_quantiles_of_a_real_sensor() -> None:
    noise = np.random.default_rng(1).standard_normal((2, 400, 858), np.float32)
    silence = np.zeros((2, 400, 856), np.float32)
    image = to_pixels(silence, noise, noise_counts(CONFIG, 0.0), np.zeros(400), 1)
    far = image[int(100 / CONFIG.bin_m) :]
    p50, p75, p90, p95 = np.percentile(far, [50, 75, 90, 95])
    assert p50 == 6
    assert 10 <= p75 <= 12
    assert 16 <= p90 <= 18
    assert 17 <= p95 <= 23
    assert 0.40 <= (far == 0).mean() <= 0.47  # real: 0.42-0.44


def test_the_native_image_is_the_same_field_on_a_finer_grid() -> None:
    noise = np.random.default_rng(1).standard_normal((2, 400, 858), np.float32)
    field = field_of(echoes_of(target(60.0, 0.0, 20.0)))
    counts = noise_counts(CONFIG, 0.0)
    fast = to_pixels(field, noise, counts, np.zeros(400), 1)
    native = to_pixels(field, noise, counts, np.zeros(400), 4)
    assert native.shape == (3424, 400)
    assert native.argmax(axis=0)[0] // 4 == pytest.approx(fast.argmax(axis=0)[0], abs=1)
    assert native.mean() == pytest.approx(fast.mean(), rel=0.2)
