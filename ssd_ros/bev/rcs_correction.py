# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""
The correction C_corr that makes pixels of a spinning radar comparable with those of a 4D radar.

One offset for each pair of images of the same moment, fitted to the differences of the pixels that
both radars fill, with a robust loss and little change from pair to pair; their mean is the
correction. Formula and constants: the project's method specification, section 5.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from ssd_ros.bev.polar_bev import views_of_panorama
from ssd_ros.bev.preprocessing import CloudPreprocessor, PreprocessingConfig, scan_panorama
from ssd_ros.datasets.left_out import LeftOut
from ssd_ros.datasets.sequence import RadarSequence
from ssd_ros.motion.trajectory import thin_by_distance

HUBER_DELTA = 10.0  # pixels
SMOOTHNESS = 0.1  # lambda, on the squared change from pair to pair
# Half a turn of the spinning radar; further apart, the two saw something else.
MAX_GAP_NS = 125_000_000
_LARGEST = 255  # difference of two pixels
_CONVERGED_PX = 1e-6
_MAX_ITERATIONS = 500


@dataclass(frozen=True, slots=True)
class FitConfig:
    """Constants of the fit."""

    huber_delta: float = HUBER_DELTA
    smoothness: float = SMOOTHNESS

    def __post_init__(self) -> None:
        if not self.huber_delta > 0:
            raise ValueError(f'huber_delta is {self.huber_delta}, expected more than 0')
        if not self.smoothness >= 0:
            raise ValueError(f'smoothness is {self.smoothness}, expected 0 or more')


def estimate_offsets(
    sequence: RadarSequence,
    preprocessing: PreprocessingConfig,
    spacing_m: float = 2.0,
    config: FitConfig | None = None,
    progress: Callable[[int, int], None] = lambda done, total: None,
    left_out: LeftOut | None = None,
) -> NDArray[np.float64]:
    """
    Return the offset of each pair of a drive in pixels; their mean is the correction.

    :param preprocessing: its own correction is not applied
    :param spacing_m: between the pairs
    :param progress: called after each pair with the number done and the number of all
    :param left_out: counts the pairs that cannot be read
    :return: shape (N,), in order of time; pairs without a common return are left out
    :raise ValueError: there is no pair with a common return, or most cannot be read
    """
    left_out = left_out or LeftOut(sequence.name, 'pair')
    histograms = [
        histogram
        for cloud_bev, view in aligned_pairs(
            sequence, preprocessing, spacing_m, left_out, progress
        )
        if (histogram := difference_histogram(cloud_bev, view)).any()
    ]
    left_out.require_few()
    if not histograms:
        raise ValueError(
            f'{sequence.name} has no pair of scans of both radars within '
            f'{MAX_GAP_NS / 1e6:.0f} ms that share a return: it needs both radars'
        )
    return fit_offsets(np.stack(histograms), config or FitConfig())


def aligned_pairs(
    sequence: RadarSequence,
    preprocessing: PreprocessingConfig,
    spacing_m: float,
    left_out: LeftOut,
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> Iterator[tuple[NDArray[np.uint8], NDArray[np.uint8]]]:
    """
    Yield the 4D image nearest in time to each spinning scan, and the scan's forward view.

    :param left_out: counts the pairs of which a scan cannot be read
    :return: two images of shape (num_ranges, num_azimuths), the view without any correction
    """
    scan = replace(preprocessing.scan, rcs_correction=0.0)
    # What lies back on the way was seen from there, by the 4D radar alone.
    plain = replace(preprocessing, scan=scan, window_m=0.0)
    preprocessor = CloudPreprocessor(plain)
    pairs = _nearest_in_time(sequence, spacing_m)

    def read(number: int) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
        scan, cloud = pairs[number]
        preprocessor.clear()
        for index in range(max(0, cloud - plain.num_scans + 1), cloud + 1):
            image = preprocessor.process(sequence.cloud(index))
        panorama = scan_panorama(sequence.scan(scan), plain)
        return image.bev, views_of_panorama(panorama, plain.grid, num_views=1)[0]

    for number in range(len(pairs)):
        if (pair := left_out.read(read, number)) is not None:
            yield pair
        progress(number + 1, len(pairs))


def difference_histogram(
    cloud_bev: NDArray[np.uint8], view: NDArray[np.uint8]
) -> NDArray[np.float64]:
    """
    Count how much brighter the 4D image is, where both images have a return.

    :return: shape (511,), shares of the differences -255 ... 255; zeros if nothing is common
    """
    common = (cloud_bev > 0) & (view > 0)
    difference = cloud_bev[common].astype(np.int64) - view[common]
    counts = np.bincount(difference + _LARGEST, minlength=2 * _LARGEST + 1)
    return counts / max(len(difference), 1)


def fit_offsets(histograms: NDArray[np.float64], config: FitConfig) -> NDArray[np.float64]:
    """
    Minimise the Huber loss of the differences and the squared changes between the offsets.

    Reweighted least squares: each step solves the quadratic problem that touches the convex loss
    at the present offsets from above, so that the loss never rises.

    :param histograms: shape (N, 511), each with a sum of 1
    :return: shape (N,) in pixels
    """
    values = np.arange(-_LARGEST, _LARGEST + 1)
    offsets: NDArray[np.float64] = histograms @ values
    coupling = np.full(len(offsets) - 1, 2 * config.smoothness)
    around = np.append(coupling, 0.0) + np.append(0.0, coupling)
    for _ in range(_MAX_ITERATIONS):
        residual = np.abs(values - offsets[:, None])
        weights = histograms * (config.huber_delta / np.maximum(residual, config.huber_delta))
        newer = _solve_tridiagonal(weights.sum(axis=1) + around, -coupling, weights @ values)
        moved_px = np.abs(newer - offsets).max()
        offsets = newer
        if moved_px < _CONVERGED_PX:
            break
    return offsets


def _nearest_in_time(sequence: RadarSequence, spacing_m: float) -> list[tuple[int, int]]:
    """Return indices of spinning scans, and for each of the 4D scan nearest in time."""
    clouds_ns, scans_ns = sequence.cloud_stamps_ns, sequence.scan_stamps_ns
    if len(clouds_ns) == 0 or len(scans_ns) == 0:
        return []
    posed, poses = sequence.scan_poses.at(scans_ns)
    scans = posed[thin_by_distance(poses.positions_m, spacing_m)]
    after = np.minimum(np.searchsorted(clouds_ns, scans_ns[scans]), len(clouds_ns) - 1)
    before = np.maximum(after - 1, 0)
    gap_before, gap_after = (
        np.abs(clouds_ns[index] - scans_ns[scans]) for index in (before, after)
    )
    nearest = np.where(gap_before <= gap_after, before, after)
    is_near = np.minimum(gap_before, gap_after) <= MAX_GAP_NS
    return list(zip(scans[is_near].tolist(), nearest[is_near].tolist(), strict=True))


def _solve_tridiagonal(
    diagonal: NDArray[np.float64], beside: NDArray[np.float64], right: NDArray[np.float64]
) -> NDArray[np.float64]:
    """
    Solve a symmetric, diagonally dominant system.

    :param diagonal: shape (N,)
    :param beside: shape (N - 1,), above and below the diagonal
    """
    pivots, values = diagonal.tolist(), right.tolist()
    off = beside.tolist()
    for index in range(1, len(pivots)):
        factor = off[index - 1] / pivots[index - 1]
        pivots[index] -= factor * off[index - 1]
        values[index] -= factor * values[index - 1]
    values[-1] /= pivots[-1]
    for index in range(len(pivots) - 2, -1, -1):
        values[index] = (values[index] - off[index] * values[index + 1]) / pivots[index]
    return np.array(values)
