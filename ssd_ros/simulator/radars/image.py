# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""
From echoes to the 8-bit image of a spinning radar.

Point responses add up in a complex field, receiver noise joins them, power becomes half-decibel
steps.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from ssd_ros.compiled import compiled
from ssd_ros.simulator.sensors import SpinningRadarConfig

# Two-way antenna pattern at multiples of 0.9 degrees from its axis; beyond two are side lobes.
AZIMUTH_PATTERN_DB = (0.0, -5.0, -16.0, -25.0, -31.0, -35.5, -38.5, -40.5, -42.0)
MAIN_LOBE_STEPS = 2
REACH_SIGMAS = 0.75 / 0.155  # as far as a point is deposited in range
STEPS_PER_AZIMUTH = 16
SKIRT_DB, SKIRT_DB_PER_M = -27.0, -8.0  # side lobes in range, falling with the distance
STRONG_COUNTS = 3e4  # from here on side lobes in range are visible
NOISE_TAPS = (0.34, 0.88)  # range correlation of the noise: outer, middle


class PointResponse(NamedTuple):
    """
    What a point becomes in the image.

    :param range_sigma_m: depth of the point, in power
    :param pattern: amplitude at steps of 1/16 azimuth from its axis, shape (N,)
    :param skirt_db: of the first side lobes in range
    """

    range_sigma_m: float
    pattern: NDArray[np.float32]
    skirt_db: float


def point_response(config: SpinningRadarConfig) -> PointResponse:
    """Return the response of a radar; its main lobe falls like a power law."""
    num = round(config.beam_scale * (len(AZIMUTH_PATTERN_DB) - 1) * STEPS_PER_AZIMUTH)
    at = np.arange(num + 1) / STEPS_PER_AZIMUTH / config.beam_scale
    table = np.interp(at, np.arange(len(AZIMUTH_PATTERN_DB)), AZIMUTH_PATTERN_DB)
    main_lobe = AZIMUTH_PATTERN_DB[1] * at ** math.log2(
        AZIMUTH_PATTERN_DB[2] / AZIMUTH_PATTERN_DB[1]
    )
    lobe_db = AZIMUTH_PATTERN_DB[MAIN_LOBE_STEPS]
    side_lobes = np.minimum(table + config.sidelobe_gain_db, lobe_db)
    decibels = np.where(at <= MAIN_LOBE_STEPS, main_lobe, side_lobes)
    pattern = (10 ** (decibels / 20)).astype(np.float32)
    return PointResponse(config.range_sigma_m, pattern, SKIRT_DB + config.sidelobe_gain_db)


_PIXEL_OF_COUNTS = np.round(20 * np.log10(np.maximum(np.arange(1 << 16), 1))).astype(np.uint8)


@compiled()
def deposit(  # type: ignore[no-untyped-def]
    field, row_power, echoes, phases, bin_m, least, response
):
    """
    Add point responses to the field.

    :param field: shape (2, num_azimuths, num_bins): real and imaginary part of the amplitude
    :param row_power: sum of the power per azimuth, shape (num_azimuths,)
    :param echoes: range, clockwise azimuth, power; shape (3, N)
    :param phases: in turns, shape (N,)
    :param least: contributions below these counts are left out
    :param response: PointResponse
    """
    num_azimuths, num_bins = field.shape[1], field.shape[2]
    reach_bins = math.ceil(REACH_SIGMAS * response.range_sigma_m / bin_m)
    reach = len(response.pattern) // STEPS_PER_AZIMUTH - 1
    weights = np.empty(2 * reach_bins + 1, np.float32)
    for echo in range(echoes.shape[1]):
        power = echoes[2, echo]
        place = echoes[0, echo] / bin_m - 0.5
        middle = math.floor(place + 0.5)
        if middle >= num_bins + reach_bins:
            continue
        for k in range(len(weights)):
            offset_m = (middle - reach_bins + k - place) * bin_m
            weights[k] = math.exp(-offset_m * offset_m / (4 * response.range_sigma_m**2))
        angle = 2 * math.pi * phases[echo]
        amplitude = math.sqrt(power)
        real, imaginary = amplitude * math.cos(angle), amplitude * math.sin(angle)
        azimuth = echoes[1, echo] * num_azimuths / (2 * math.pi)
        nearest = math.floor(azimuth + 0.5)
        for offset in range(-reach, reach + 1):
            step = int(abs(nearest + offset - azimuth) * STEPS_PER_AZIMUTH + 0.5)
            gain = response.pattern[step]
            if power * gain * gain < least:
                continue
            row = (nearest + offset) % num_azimuths
            row_power[row] += power * gain * gain
            for k in range(len(weights)):
                column = middle - reach_bins + k
                if 0 <= column < num_bins:
                    field[0, row, column] += real * gain * weights[k]
                    field[1, row, column] += imaginary * gain * weights[k]
            if power * gain * gain > STRONG_COUNTS:
                values = real * gain, imaginary * gain
                _deposit_skirt(field, row, middle, reach_bins, values, bin_m, response.skirt_db)


@compiled()
def _deposit_skirt(  # type: ignore[no-untyped-def]
    field, row, middle, inner, values, bin_m, skirt_db
):
    """Add the range side lobes of a strong echo."""
    for offset in range(inner + 1, int(3.0 / bin_m)):
        gain = 10 ** ((skirt_db + SKIRT_DB_PER_M * offset * bin_m) / 20)
        for column in (middle - offset, middle + offset):
            if 0 <= column < field.shape[2]:
                field[0, row, column] += values[0] * gain
                field[1, row, column] += values[1] * gain


@compiled()
def to_pixels(field, noise, noise_power, row_noise, upsampling):  # type: ignore[no-untyped-def]
    """
    Add noise to the field and return 8-bit half-decibel steps.

    Noise comes before the upsampling, as in a real receiver, so that it stays correlated.

    :param noise: standard normal, shape (2, num_azimuths, num_bins + 2)
    :param noise_power: mean counts per bin, shape (num_bins,)
    :param row_noise: counts added to them per azimuth, shape (num_azimuths,)
    :return: shape (num_bins * upsampling, num_azimuths) uint8
    """
    _, num_azimuths, num_bins = field.shape
    image = np.empty((num_azimuths, num_bins * upsampling), np.uint8)
    row = np.empty((2, num_bins), np.float32)
    outer, centre = NOISE_TAPS
    # Between which bins each pixel lies, the same in all azimuths.
    place = np.maximum((np.arange(num_bins * upsampling) + 0.5) / upsampling - 0.5, 0.0)
    lefts = np.floor(place).astype(np.int64)
    rights, shares = np.minimum(lefts + 1, num_bins - 1), np.minimum(place - lefts, 1.0)
    for azimuth in range(num_azimuths):
        for column in range(num_bins):
            # Half of the power is in each part; the taps keep it.
            scale = math.sqrt((noise_power[column] + row_noise[azimuth]) / 2)
            for part in range(2):
                value = noise[part, azimuth]
                blur = outer * (value[column] + value[column + 2]) + centre * value[column + 1]
                row[part, column] = field[part, azimuth, column] + scale * blur
        for pixel in range(num_bins * upsampling):
            left, right, share = lefts[pixel], rights[pixel], shares[pixel]
            real = row[0, left] + share * (row[0, right] - row[0, left])
            imaginary = row[1, left] + share * (row[1, right] - row[1, left])
            counts = real * real + imaginary * imaginary + 0.5
            if counts < len(_PIXEL_OF_COUNTS):
                image[azimuth, pixel] = _PIXEL_OF_COUNTS[int(counts)]
            else:
                image[azimuth, pixel] = min(int(20 * math.log10(counts) + 0.5), 255)
    return image.T.copy()
