# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Doppler, occlusion and resolution of the simulated 4D radar."""

from __future__ import annotations

from dataclasses import replace
import math

import numpy as np
from numpy.typing import NDArray
import pytest
from ssd_ros.simulator.radars.detection import detect
from ssd_ros.simulator.radars.echoes import cloud_echoes, CloudBudget, Viewpoint
from ssd_ros.simulator.scene.elements import ElementBuilder, join_occluders, Kind
from ssd_ros.simulator.scene.sight_lines import Lines
from ssd_ros.simulator.scene.vehicles import add_vehicles, draw_shapes
from ssd_ros.simulator.scene.visibility import panorama, Place
from ssd_ros.simulator.sensors import CloudRadarConfig

CONFIG = CloudRadarConfig()
BUDGET = CloudBudget(10**1.9 * 1e8, 0.1, 150.0, math.radians(60), math.radians(20), 0.0)
DRIVING = Viewpoint(0.0, 0.0, CONFIG.height_m, 0.0, 10.0, 0.0, 0.0, 0.0)
NO_LINES = Lines(np.zeros(0, np.int32), np.zeros(0, np.int32), np.zeros(0, np.float32))
HERE = Place(0.0, 0.0, 0.0, 160.0, 1.0, 0.0)
RANGE, AZIMUTH, ELEVATION, VELOCITY, SNR = range(5)


def echo_of(
    x_m: float,
    y_m: float,
    velocity_mps: tuple[float, float] = (0.0, 0.0),
    movers: ElementBuilder | None = None,
) -> NDArray[np.float32]:
    """Return range, azimuth, elevation, velocity and signal-to-noise ratio of a point."""
    builder = ElementBuilder(first_owner=100)
    builder.add_scatterers(Kind.PEDESTRIAN, np.array([[x_m, y_m]]), CONFIG.height_m, 10.0)
    moving = movers.occluders() if movers else join_occluders([])
    _, found = cloud_echoes(
        builder.scatterers(),
        np.array([velocity_mps], np.float32),
        np.ones(1, np.float32),
        panorama(join_occluders([builder.occluders(), moving]), HERE),
        NO_LINES,
        DRIVING,
        BUDGET,
    )
    return np.asarray(found[:, 0])


def echoes(*rows: tuple[float, float, float, float, float]) -> NDArray[np.float32]:
    return np.array(rows, np.float32).T


def test_what_stands_still_ahead_approaches_at_the_speed_of_the_radar() -> None:
    assert echo_of(30.0, 0.0)[VELOCITY] == pytest.approx(-10.0, abs=1e-4)


def test_doppler_falls_with_the_cosine_of_the_azimuth() -> None:
    aside = echo_of(30 * math.cos(math.radians(50)), 30 * math.sin(math.radians(50)))
    assert aside[AZIMUTH] == pytest.approx(math.radians(50), abs=1e-5)  # left is positive
    assert aside[VELOCITY] == pytest.approx(-10 * math.cos(math.radians(50)), abs=1e-4)


def test_a_faster_vehicle_ahead_recedes() -> None:
    assert echo_of(30.0, 0.0, (14.0, 0.0))[VELOCITY] == pytest.approx(4.0, abs=1e-4)


def test_0_dbsm_at_100_m_has_the_configured_signal_to_noise_ratio() -> None:
    assert 10 * math.log10(echo_of(100.0, 0.0)[SNR]) == pytest.approx(19.0 + 10.0, abs=0.01)


def test_a_vehicle_ahead_hides_what_is_behind_it() -> None:
    lead = ElementBuilder()
    shape = draw_shapes(np.random.default_rng(0), 1, truck_probability=1.0)
    add_vehicles(lead, shape, np.array([[15.0, 0.0]]), np.zeros(1))
    # In through the rear and out through the front: 0.28 twice, there and back.
    ratio = echo_of(60.0, 0.0, movers=lead)[SNR] / echo_of(60.0, 0.0)[SNR]
    assert ratio == pytest.approx(0.28**4, rel=1e-4)


def test_echoes_of_one_cell_become_one_detection_at_their_centre_of_power() -> None:
    pair = echoes((19.9, 0.001, 0.01, -5.05, 300.0), (20.0, 0.001, 0.01, -5.05, 100.0))
    found, strongest = detect(CONFIG, pair, np.zeros(2, np.float32))
    assert found.shape == (5, 1)
    assert found[RANGE, 0] == pytest.approx(19.925, abs=1e-4)
    assert found[SNR, 0] == pytest.approx(400.0)
    assert strongest.tolist() == [0]


def test_a_range_and_doppler_cell_has_at_most_two_angles() -> None:
    three = echoes(*((20.25, azimuth, 0.01, -5.05, 300.0) for azimuth in (-0.5, 0.0, 0.5)))
    assert detect(CONFIG, three, np.zeros(3, np.float32))[0].shape[1] == 2
    apart = echoes(*((20.25, azimuth, 0.01, 5 * azimuth, 300.0) for azimuth in (-0.5, 0.0, 0.5)))
    assert detect(CONFIG, apart, np.zeros(3, np.float32))[0].shape[1] == 3


def test_a_strong_echo_masks_one_24_db_weaker_at_its_range() -> None:
    def num_found(ratio_db: float, range_m: float) -> int:
        weak = 1e5 * 10 ** (-ratio_db / 10)
        both = echoes((20.25, 0.5, 0.01, -4.0, 1e5), (range_m, -0.5, 0.01, -5.0, weak))
        return detect(CONFIG, both, np.zeros(2, np.float32))[0].shape[1]

    assert num_found(23.0, 20.25) == 2
    assert num_found(25.0, 20.25) == 1
    assert num_found(25.0, 25.25) == 2


def test_no_scan_has_more_detections_than_the_sensor_sends() -> None:
    many = echoes(*((10 + 0.9 * i, 0.01, 0.01, -5.0, 1e3) for i in range(100)))
    few = replace(CONFIG, max_detections=7)
    assert detect(few, many, np.zeros(100, np.float32))[0].shape[1] == 7


def test_nothing_to_see_gives_no_detection() -> None:
    found, strongest = detect(CONFIG, np.zeros((5, 0), np.float32), np.zeros(0, np.float32))
    assert found.shape == (5, 0)
    assert len(strongest) == 0
