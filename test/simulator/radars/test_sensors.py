# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Radars that differ from those of the benchmark: dense, coarse, wide and bright ones."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
from ssd_ros.bev.polar_bev import panorama_from_scan, PolarGrid, ScanBevConfig
from ssd_ros.simulator.config import Conditions, PRESETS, UNIT_SEED
from ssd_ros.simulator.radars.detection import detect
from ssd_ros.simulator.radars.fourd import Detections
from ssd_ros.simulator.recordings.sequence import SimulatedSequence
from ssd_ros.simulator.scene.world import World
from ssd_ros.simulator.sensors import CloudRadarConfig, SpinningRadarConfig
from ssd_ros.simulator.visits.session import Session

WORLD = World(UNIT_SEED, PRESETS['unit'].world)
DENSE = CloudRadarConfig(
    snr_db=32.0,
    max_detections=4000,
    range_cell_m=0.2,
    azimuth_cell_deg=0.8,
    elevation_cell_deg=2.0,
    velocity_cell_mps=0.06,
    max_angles=20,
    sidelobe_db=40.0,
    min_snr=5.0,
    num_beside=2,
)
CLUSTERED = CloudRadarConfig(
    max_range_m=40.0,
    snr_db=-6.0,
    azimuth_cell_deg=15.0,
    azimuth_step_deg=15.0,
    elevation_cell_deg=30.0,
    max_detections=64,
    num_false_alarms=2.0,
)


def scans_of(radar: CloudRadarConfig) -> list[Detections]:
    drive = SimulatedSequence(Session(WORLD, 0, Conditions(cloud=radar)))
    return [drive.detections(index) for index in range(0, 800, 100)]


def azimuths_deg(scans: list[Detections]) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    return np.degrees(np.concatenate([scan.azimuth_rad for scan in scans]))


def test_a_dense_radar_sends_more_than_2000_points_a_scan() -> None:
    scans = scans_of(DENSE)
    assert np.median([len(scan.range_m) for scan in scans]) > 2000
    assert max(len(scan.range_m) for scan in scans) <= 4000
    assert np.median([len(scan.range_m) for scan in scans_of(CloudRadarConfig())]) < 500


def test_a_coarse_radar_sends_few_points_in_nine_directions() -> None:
    scans = scans_of(CLUSTERED)
    assert 20 < np.median([len(scan.range_m) for scan in scans]) < 64
    assert max(scan.range_m.max() for scan in scans) < 40
    directions = np.unique(np.round(azimuths_deg(scans), 6))
    np.testing.assert_allclose(directions, np.arange(-60, 61, 15))


def test_a_field_of_view_of_150_degrees_is_seen_to_its_ends() -> None:
    beside = np.abs(azimuths_deg(scans_of(CloudRadarConfig(half_fov_deg=75.0))))
    assert 72 < beside.max() <= 75
    # Fewer there, where the antenna is 12 to 19 dB weaker.
    assert 0.03 < np.mean(beside > 60) < 0.12


def test_cells_beside_a_strong_peak_are_reported_as_well() -> None:
    peak = np.array([[20.1], [0.01], [0.01], [-5.0], [200.0]], np.float32)
    radar = CloudRadarConfig(num_beside=3)
    found, strongest = detect(radar, peak, np.zeros(1, np.float32))
    # 23 dB, and 3, 12 and 27 dB less one, two and three cells beside it; the threshold is 9 dB.
    np.testing.assert_allclose(10 * np.log10(found[4]), [23.0, *[20.0] * 4, *[11.0] * 4], atol=0.1)
    steps_m = [-0.6, -0.3, 0, 0, 0, 0, 0, 0.3, 0.6]
    np.testing.assert_allclose(np.sort(found[0] - 20.1), steps_m, atol=1e-5)
    assert strongest.tolist() == [0] * 9
    assert detect(CloudRadarConfig(), peak, np.zeros(1, np.float32))[0].shape == (5, 1)


def test_a_bright_spinning_radar_is_above_the_threshold_in_three_of_four_pixels() -> None:
    def share(radar: SpinningRadarConfig) -> float:
        drive = SimulatedSequence(Session(WORLD, 0, Conditions(spinning=radar)))
        config = ScanBevConfig(threshold=98)  # of the shipped models
        images = [panorama_from_scan(drive.scan(index), PolarGrid(), config) for index in (5, 90)]
        return float((np.stack(images) > 0).mean())

    usual = SpinningRadarConfig()
    assert share(usual) == pytest.approx(0.1, abs=0.03)
    # A scan of a real RAS6 has 75.6 % above the threshold of the shipped models.
    assert share(replace(usual, noise_counts=80.0)) == pytest.approx(0.756, abs=0.02)
    brighter = replace(usual, brightness_px=usual.brightness_px + 30)
    assert share(usual) < share(brighter) < 0.4  # it is the noise, not the echoes


@pytest.mark.parametrize(
    ('make', 'message'),
    [
        (lambda: CloudRadarConfig(azimuth_cell_deg=0.2), 'azimuth_cell_deg is 0.2, expected 0.5'),
        (lambda: CloudRadarConfig(half_fov_deg=120.0), 'half_fov_deg is 120.0, expected 1 .. 85'),
        (lambda: CloudRadarConfig(num_beside=9), 'num_beside is 9, expected 0 .. 8'),
        (lambda: SpinningRadarConfig(noise_counts=-1.0), 'noise_counts is -1.0, expected 0'),
    ],
)
def test_radars_that_the_simulator_cannot_make_are_refused(
    make: Callable[[], object], message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        make()


def image_of(radar: SpinningRadarConfig) -> np.ndarray[tuple[int, int], np.dtype[np.uint8]]:
    drive = SimulatedSequence(Session(WORLD, 0, Conditions(spinning=radar)))
    return drive.scan(3).power


def test_a_receiver_saturates_and_counts_in_steps() -> None:
    plain, coarse = (
        image_of(SpinningRadarConfig()),
        image_of(SpinningRadarConfig(saturation_px=90, pixel_step=8)),
    )
    assert plain.max() > 110
    assert set(np.unique(coarse).tolist()) <= set(range(0, 89, 8))
    np.testing.assert_array_equal(coarse, np.minimum(plain, 90) // 8 * 8)


def test_a_radar_with_ghosts_sees_more_where_something_strong_is() -> None:
    plain = image_of(SpinningRadarConfig()).astype(int)
    ghosts = image_of(SpinningRadarConfig(ghost_probability=1.0)) - plain
    assert np.count_nonzero(ghosts > 20) > 1000
    # At 1.15 times the range of the nearest strong thing, or farther.
    strong = np.flatnonzero((plain > 60).any(axis=1))
    assert np.flatnonzero((ghosts > 20).any(axis=1)).min() >= strong.min()
