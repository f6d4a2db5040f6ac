# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""
Statistics of radar data with the bands in which real sensors lie.

The bands come from samples of real Navtech and ARS548 data, collected in the simulator's design
specification, section 15; they hold for dry weather and the default difficulty.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from ssd_ros.datasets.sequence import RadarSequence
from ssd_ros.radar.ego_velocity import EgoVelocityConfig, estimate_ego_velocity
from ssd_ros.radar.types import RadarPointCloud, SpinningRadarScan

MIN_CLOUDS_PER_POSE_STEP = 3  # true speed is the mean over so many 4D scans


@dataclass(frozen=True, slots=True)
class Statistic:
    """One number and the band in which it should lie, ends included."""

    name: str
    value: float
    low: float
    high: float

    @property
    def is_in_band(self) -> bool:
        """Tell whether the number is as in real data; NaN is not."""
        return self.low <= self.value <= self.high


def sequence_statistics(sequence: RadarSequence, num_samples: int = 24) -> list[Statistic]:
    """
    Return the statistics of a drive, sampled evenly.

    :raise ValueError: the drive lacks one of the radars
    """
    num_scans, num_clouds = len(sequence.scan_stamps_ns), len(sequence.cloud_stamps_ns)
    if num_scans == 0 or num_clouds == 0:
        raise ValueError(
            f'{sequence.name} has {num_scans} scans and {num_clouds} clouds, expected both'
        )
    scans = [sequence.scan(index) for index in _evenly(num_scans, num_samples)]
    at_clouds = _evenly(num_clouds, num_samples)
    clouds = [sequence.cloud(index) for index in at_clouds]
    return [
        *scan_statistics(scans),
        *cloud_statistics(clouds),
        *doppler_statistics(clouds, _true_speeds_mps(sequence, at_clouds)),
    ]


def scan_statistics(scans: Sequence[SpinningRadarScan]) -> list[Statistic]:
    """Return brightness statistics of spinning radar scans of equal shape."""
    power = np.stack([scan.power for scan in scans])
    range_m = (np.arange(power.shape[1]) + 0.5) * scans[0].range_resolution_m
    middle = power[:, (range_m > 20) & (range_m < 60)]
    far = power[:, (range_m > 80) & (range_m < 150)]
    return [
        Statistic('scan: mean pixel', float(power.mean()), 9, 14),
        # Real: 0.56-0.58 in closed streets; towns of open parking lots reach 0.71.
        Statistic('scan: share of pixels > 0', float((power > 0).mean()), 0.5, 0.72),
        # 3 counts are 9.54 half-decibels, which sensors write as 9 or 10.
        Statistic('scan: median at 80-150 m', float(np.median(far)), 3, 10),
        Statistic('scan: p95 at 20-60 m', float(np.percentile(middle, 95)), 30, 58),
        Statistic('scan: p99 at 20-60 m', float(np.percentile(middle, 99)), 58, 90),
        Statistic('scan: brightest pixel', float(power.max()), 0, 254),
    ]


def cloud_statistics(clouds: Sequence[RadarPointCloud]) -> list[Statistic]:
    """Return statistics of numbers and RCS of 4D radar detections."""
    counts = [len(cloud) for cloud in clouds]
    xyz_m = np.concatenate([cloud.xyz_m for cloud in clouds])
    rcs_dbsm = np.concatenate([cloud.rcs_dbsm for cloud in clouds])
    range_m = np.linalg.norm(xyz_m, axis=1)
    azimuth_deg = np.degrees(np.arctan2(xyz_m[:, 1], xyz_m[:, 0]))

    def weak_dbsm(near_m: float, far_m: float) -> float:
        chosen = rcs_dbsm[(range_m > near_m) & (range_m < far_m)]
        return float(np.percentile(chosen, 5)) if len(chosen) else np.nan

    return [
        Statistic('cloud: p5 of detections', float(np.percentile(counts, 5)), 60, 800),
        Statistic('cloud: median of detections', float(np.median(counts)), 200, 500),
        Statistic('cloud: most detections', float(max(counts)), 60, 800),
        Statistic('cloud: lowest RCS [dBsm]', float(rcs_dbsm.min()), -20, 0),
        Statistic('cloud: median RCS [dBsm]', float(np.median(rcs_dbsm)), -10, 5),
        Statistic('cloud: highest RCS [dBsm]', float(rcs_dbsm.max()), 5, 40),
        Statistic('cloud: p5 of RCS at 10-30 m [dBsm]', weak_dbsm(10, 30), -20, -16),
        Statistic('cloud: p5 of RCS at 60-100 m [dBsm]', weak_dbsm(60, 100), -14, -6),
        Statistic('cloud: widest azimuth [deg]', float(np.abs(azimuth_deg).max()), 0, 60.5),
        Statistic('cloud: farthest range [m]', float(range_m.max()), 0, 150.5),
    ]


def doppler_statistics(
    clouds: Sequence[RadarPointCloud], true_speeds_mps: NDArray[np.float64]
) -> list[Statistic]:
    """
    Return how well the Doppler of static detections fits the motion of the radar.

    :param true_speeds_mps: shape (len(clouds),)
    """
    errors_mps, shares, residuals_mps = [], [], []
    for cloud, true_speed_mps in zip(clouds, true_speeds_mps, strict=True):
        motion = estimate_ego_velocity(
            cloud.xyz_m, cloud.rcs_dbsm, cloud.radial_velocity_mps, EgoVelocityConfig()
        )
        errors_mps.append(abs(np.linalg.norm(motion.velocity_mps[:2]) - true_speed_mps))
        shares.append(motion.usable.mean())
        direction = cloud.xyz_m / np.linalg.norm(cloud.xyz_m, axis=1, keepdims=True)
        residual = cloud.radial_velocity_mps + direction @ motion.velocity_mps
        residuals_mps.append(residual[motion.usable])
    spread_mps = 1.4826 * np.median(np.abs(np.concatenate(residuals_mps)))
    return [
        Statistic('doppler: median error of speed [m/s]', float(np.median(errors_mps)), 0, 0.1),
        Statistic('doppler: share that stands still', float(np.median(shares)), 0.8, 1),
        Statistic('doppler: spread of residuals [m/s]', float(spread_mps), 0.04, 0.1),
    ]


def _true_speeds_mps(sequence: RadarSequence, indices: list[int]) -> NDArray[np.float64]:
    """Return the speed by the poses around each 4D scan."""
    poses = sequence.cloud_poses
    reach = MIN_CLOUDS_PER_POSE_STEP
    at = np.searchsorted(poses.stamps_ns, sequence.cloud_stamps_ns[indices])
    before, after = np.maximum(at - reach, 0), np.minimum(at + reach, len(poses) - 1)
    moved_m = np.hypot(*(poses.positions_m[after] - poses.positions_m[before])[:, :2].T)
    seconds: NDArray[np.float64] = (poses.stamps_ns[after] - poses.stamps_ns[before]) / 1e9
    return moved_m / seconds


def _evenly(num: int, num_samples: int) -> list[int]:
    return np.unique(np.linspace(0, num - 1, num_samples).astype(int)).tolist()
