# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Check that C_corr is found where it was planted, by the fit and by the whole chain."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
import pytest
from ssd_ros.bev.rcs_correction import (
    difference_histogram,
    estimate_offsets,
    fit_offsets,
    FitConfig,
)
from ssd_ros.datasets.sequence import WithoutLidar
from ssd_ros.motion.trajectory import quaternion_from_yaw, Trajectory
from ssd_ros.radar.types import RadarPointCloud, SpinningRadarScan
from support.drives.tiny import TINY_PREPROCESSING

PLANTED_PX = 6.0
GRID = TINY_PREPROCESSING.grid


def histogram_of(*differences: int) -> NDArray[np.float64]:
    cloud_bev = np.full(len(differences), 100, np.uint8)
    return difference_histogram(cloud_bev, (100 - np.array(differences)).astype(np.uint8))


@dataclass(frozen=True)
class Posts(WithoutLidar):
    """
    A vehicle that stands among posts of known RCS, seen by both radars.

    The spinning radar is darker than its range law by PLANTED_PX.
    """

    cloud_stamps_ns: NDArray[np.int64]
    scan_stamps_ns: NDArray[np.int64]
    name: str = 'Posts/01'

    @property
    def cloud_poses(self) -> Trajectory:
        return poses_along_x(self.cloud_stamps_ns)

    @property
    def scan_poses(self) -> Trajectory:
        return poses_along_x(self.scan_stamps_ns)

    def posts(self) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.float64]]:
        """Return row, column and RCS of 40 posts, none beside another."""
        rng = np.random.default_rng(5)
        cells = rng.choice(20 * 10, 40, replace=False)
        return 2 + 3 * (cells // 10), 1 + 3 * (cells % 10), rng.uniform(5, 15, 40)

    def cloud(self, index: int) -> RadarPointCloud:
        row, column, rcs_dbsm = self.posts()
        range_m = (row + 0.5) * GRID.max_range_m / GRID.num_ranges
        azimuth = np.deg2rad(GRID.fov_deg / 2 - (column + 0.5) * GRID.fov_deg / GRID.num_azimuths)
        xyz_m = np.column_stack(
            [range_m * np.cos(azimuth), range_m * np.sin(azimuth), np.zeros(len(row))]
        )
        still = np.zeros(len(row), np.float32)
        stamp_ns = int(self.cloud_stamps_ns[index])
        return RadarPointCloud(
            stamp_ns, xyz_m.astype(np.float32), rcs_dbsm.astype(np.float32), still
        )

    def scan(self, index: int) -> SpinningRadarScan:
        row, column, rcs_dbsm = self.posts()
        num_columns = GRID.panorama_azimuths
        range_m = np.linspace(0.0, GRID.max_range_m, GRID.num_ranges)[row]
        power = 2 * (75 + rcs_dbsm) - 40 * np.log10(range_m) - PLANTED_PX
        image = np.zeros((GRID.num_ranges, num_columns), np.uint8)
        image[row, (column - GRID.num_azimuths // 2) % num_columns] = np.rint(power)
        resolution_m = GRID.max_range_m / GRID.num_ranges
        azimuths_rad = (np.arange(num_columns) + 0.5) * (2 * np.pi / num_columns)
        return SpinningRadarScan(
            int(self.scan_stamps_ns[index]), image, azimuths_rad, resolution_m
        )


def poses_along_x(stamps_ns: NDArray[np.int64]) -> Trajectory:
    """Go 4 m in a second."""
    positions_m = np.column_stack([stamps_ns / 1e9 * 4, np.zeros((len(stamps_ns), 2))])
    return Trajectory(stamps_ns, positions_m, quaternion_from_yaw(np.zeros(len(stamps_ns))))


def test_a_planted_offset_is_recovered_among_outliers() -> None:
    rng = np.random.default_rng(0)
    histograms = []
    for _ in range(60):
        good = np.rint(rng.normal(PLANTED_PX, 4, 400)).astype(int)
        bad = rng.integers(-100, 100, 60)
        histograms.append(histogram_of(*good, *bad))
    offsets = fit_offsets(np.stack(histograms), FitConfig())
    # Mean of the outliers: 0, of which 60 / 460 would pull a plain mean to 5.2.
    assert offsets.mean() == pytest.approx(PLANTED_PX, abs=0.25)
    assert offsets.std() < 0.5


def test_one_pair_within_delta_has_the_mean_of_its_differences() -> None:
    offsets = fit_offsets(histogram_of(1, 2, 6)[None], FitConfig())
    assert offsets == pytest.approx([3.0])


def test_the_fit_is_the_minimum_of_the_loss() -> None:
    rng = np.random.default_rng(1)
    histograms = np.stack([histogram_of(*rng.integers(-40, 60, 9)) for _ in range(4)])
    values = np.arange(-255, 256)

    def loss(offsets: NDArray[np.float64]) -> float:
        residual = np.abs(values - offsets[:, None])
        huber = np.where(residual <= 10, residual**2 / 2, 10 * (residual - 5))
        return float((histograms * huber).sum() + 0.1 * (np.diff(offsets) ** 2).sum())

    offsets = fit_offsets(histograms, FitConfig())
    for step in np.eye(4) * 0.01:
        assert loss(offsets) < min(loss(offsets + step), loss(offsets - step))


def test_smoothness_draws_neighbours_together() -> None:
    histograms = np.stack([histogram_of(0), histogram_of(8)])
    free = fit_offsets(histograms, FitConfig(smoothness=0.0))
    drawn = fit_offsets(histograms, FitConfig(smoothness=1.0))
    np.testing.assert_allclose(free, [0, 8], atol=1e-5)
    # k0 + 2 (k0 - k1) = 0 and k1 - 8 + 2 (k1 - k0) = 0.
    np.testing.assert_allclose(drawn, [3.2, 4.8], atol=1e-5)


def test_only_cells_that_both_radars_fill_are_compared() -> None:
    cloud_bev = np.array([[0, 120, 130]], np.uint8)
    view = np.array([[110, 0, 127]], np.uint8)
    histogram = difference_histogram(cloud_bev, view)
    assert np.flatnonzero(histogram).tolist() == [255 + 3]
    assert histogram.sum() == 1.0
    assert not difference_histogram(cloud_bev, np.zeros_like(view)).any()


def test_a_planted_offset_is_recovered_through_the_preprocessing() -> None:
    scans_ns = np.arange(5, dtype=np.int64) * 1_000_000_000
    drive = Posts(scans_ns + 20_000_000, scans_ns)
    offsets = estimate_offsets(drive, TINY_PREPROCESSING)
    assert len(offsets) == 5
    # The 4D image shows each post in nine cells, the view in one: 1 pixel of rounding is left.
    assert offsets.mean() == pytest.approx(PLANTED_PX, abs=1.0)


def test_scans_without_a_4d_scan_within_an_eighth_of_a_second_are_left_out() -> None:
    scans_ns = np.arange(5, dtype=np.int64) * 1_000_000_000
    drive = Posts(scans_ns[:2] + 20_000_000, scans_ns)
    assert len(estimate_offsets(drive, TINY_PREPROCESSING)) == 2


def test_a_drive_without_one_of_the_radars_is_refused() -> None:
    drive = Posts(np.zeros(0, np.int64), np.arange(3, dtype=np.int64))
    with pytest.raises(ValueError, match=r'Posts/01 has no pair of scans .* needs both radars'):
        estimate_offsets(drive, TINY_PREPROCESSING)


def test_constants_without_meaning_are_refused() -> None:
    with pytest.raises(ValueError, match=r'huber_delta is 0\.0, expected more than 0'):
        FitConfig(huber_delta=0.0)
    with pytest.raises(ValueError, match=r'smoothness is -1, expected 0 or more'):
        FitConfig(smoothness=-1)
