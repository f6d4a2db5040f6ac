# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""
The detector of the 4D radar: echoes fall into resolution cells, cells become detections.

What a cell holds adds up to one detection at the power-weighted mean, which glints as in a real
sensor; weak cells, side lobes and too many angles in one range and Doppler cell are lost.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from ssd_ros.compiled import compiled
from ssd_ros.simulator.sensors import CloudRadarConfig

_RESPONSE_DB = 3.0  # loss one cell beside a peak; it grows with the square of the distance
_THINNING_CELLS = 1.5  # a peak suppresses weaker ones this near in range and azimuth


class CellSizes(NamedTuple):
    """Resolution: metres, sine of azimuth, radians of elevation, metres per second."""

    range_m: float
    sine: float
    elevation_rad: float
    velocity_mps: float


def detect(
    config: CloudRadarConfig,
    echoes: NDArray[np.float32],
    uniform: NDArray[np.float32],
) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """
    Return what the radar detects, strongest first.

    :param echoes: range, azimuth, elevation, velocity, signal-to-noise ratio; shape (5, N)
    :param uniform: random in [0, 1), shape (N,)
    :return: the same five rows for M detections, and the strongest echo of each
    """
    sizes = CellSizes(
        config.range_cell_m,
        math.sin(math.radians(config.azimuth_cell_deg)),
        math.radians(config.elevation_cell_deg),
        config.velocity_cell_mps,
    )
    keys = _cell_keys(echoes, sizes)
    order = np.argsort(keys, kind='stable')
    cells, strongest = _merge(keys, order, np.ascontiguousarray(echoes))
    snr = cells[4]
    probability = config.false_alarm_probability ** (1 / (1 + snr))
    # The draw belongs to an echo, so that other cells do not shift it.
    seen = np.flatnonzero((snr > config.min_snr) & (uniform[strongest] < probability))
    seen = seen[np.argsort(-snr[seen], kind='stable')]
    is_kept = _thin(cells[:, seen], sizes, 10 ** (-config.sidelobe_db / 10), config.max_angles)
    kept = seen[is_kept]
    peaks, strongest = _with_beside(config, sizes, cells[:, kept], strongest[kept])
    return peaks[:, : config.max_detections], strongest[: config.max_detections]


def _with_beside(
    config: CloudRadarConfig,
    sizes: CellSizes,
    peaks: NDArray[np.float64],
    strongest: NDArray[np.int64],
) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Add the cells beside each peak that its point response lifts over the threshold."""
    if config.num_beside == 0:
        return peaks, strongest
    parts = [peaks]
    for step in range(1, config.num_beside + 1):
        weaker = peaks[4] * 10 ** (-_RESPONSE_DB / 10 * step**2)
        for sign in (-1, 1):
            in_range, in_azimuth = peaks.copy(), peaks.copy()
            in_range[0] += sign * step * sizes.range_m
            in_azimuth[1] += sign * step * math.radians(config.azimuth_cell_deg)
            in_range[4] = in_azimuth[4] = weaker
            parts += [in_range, in_azimuth]
    cells = np.concatenate(parts, axis=1)
    index = np.flatnonzero((cells[4] > config.min_snr) & (cells[0] > 0))
    index = index[np.argsort(-cells[4, index], kind='stable')]
    return cells[:, index], np.tile(strongest, len(parts))[index]


def _cell_keys(echoes: NDArray[np.float32], sizes: CellSizes) -> NDArray[np.int64]:
    """Return one number for each resolution cell, shape (N,)."""
    places = (
        (echoes[0] / sizes.range_m, 1 << 12),
        (np.sin(echoes[1]) / sizes.sine, 1 << 8),
        (echoes[2] / sizes.elevation_rad, 1 << 6),
        (echoes[3] / sizes.velocity_mps, 1 << 12),
    )
    key: NDArray[np.int64] = np.zeros(echoes.shape[1], np.int64)
    for place, num in places:
        number = np.clip(np.floor(place) + num // 2, 0, num - 1).astype(np.int64)
        key = np.asarray(key * num + number)
    return key


@compiled()
def _merge(keys, order, echoes):  # type: ignore[no-untyped-def]
    """Return the power-weighted mean of each cell (5, M) and its strongest echo (M,)."""
    cells = np.zeros((5, len(keys)))
    strongest = np.zeros(len(keys), np.int64)
    cell = -1
    for place in range(len(order)):
        echo = order[place]
        if place == 0 or keys[echo] != keys[order[place - 1]]:
            cell += 1
            strongest[cell] = echo
        snr = echoes[4, echo]
        for row in range(4):
            cells[row, cell] += snr * echoes[row, echo]
        cells[4, cell] += snr
        if snr > echoes[4, strongest[cell]]:
            strongest[cell] = echo
    for row in range(4):
        for place in range(cell + 1):
            cells[row, place] /= cells[4, place]
    return cells[:, : cell + 1].copy(), strongest[: cell + 1]


@compiled()
def _thin(cells, sizes, sidelobe, max_angles):  # type: ignore[no-untyped-def]
    """Return which cells, strongest first, are separate detections, shape (M,)."""
    num = cells.shape[1]
    keep = np.zeros(num, np.bool_)
    num_ranges, num_sines, num_velocities = 1024, 256, 1024
    range_place, sine_place = cells[0] / sizes.range_m, np.sin(cells[1]) / sizes.sine
    peak = np.zeros(num_ranges)
    angles = np.zeros((num_ranges, num_velocities), np.uint8)
    taken = np.full((num_ranges, num_sines), -1, np.int32)
    for cell in range(num):
        gate = min(int(range_place[cell]), num_ranges - 3)
        column = math.floor(sine_place[cell]) + num_sines // 2
        speed = math.floor(cells[3, cell] / sizes.velocity_mps) + num_velocities // 2
        speed = min(max(speed, 0), num_velocities - 1)
        # Strongest first: the first cell of a gate is its peak.
        peak[gate] = max(peak[gate], cells[4, cell])
        if cells[4, cell] < sidelobe * peak[gate] or angles[gate, speed] >= max_angles:
            continue
        is_peak = True
        for row in range(max(gate - 2, 0), gate + 3):
            for near in range(column - 2, column + 3):
                other = taken[row, near]
                if (
                    other >= 0
                    and abs(range_place[other] - range_place[cell]) < _THINNING_CELLS
                    and abs(sine_place[other] - sine_place[cell]) < _THINNING_CELLS
                ):
                    is_peak = False
        if is_peak:
            keep[cell] = True
            taken[gate, column] = cell
            angles[gate, speed] += 1
    return keep
