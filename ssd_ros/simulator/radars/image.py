# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""
From echoes to the 8-bit image of a spinning radar.

Point responses add up in a complex field, receiver noise joins them, power becomes half-decibel
steps.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray
from ssd_ros.simulator.compiled import compiled

RANGE_SIGMA_M = 0.155  # of the point response, in power
# Two-way antenna pattern at multiples of 0.9 degrees from its axis.
AZIMUTH_PATTERN_DB = (0.0, -5.0, -16.0, -25.0, -31.0, -35.5, -38.5, -40.5, -42.0)
STEPS_PER_AZIMUTH = 16
STRONG_COUNTS = 3e4  # from here on side lobes in range are visible
LEAST_COUNTS = 0.05  # weaker contributions drown in noise
NOISE_TAPS = (0.34, 0.88)  # range correlation of the noise: outer, middle


def _pattern_amplitudes() -> NDArray[np.float32]:
    """Return the amplitude at steps of 1/16 azimuth; the main lobe falls like a power law."""
    at = np.arange((len(AZIMUTH_PATTERN_DB) - 1) * STEPS_PER_AZIMUTH + 1) / STEPS_PER_AZIMUTH
    table = np.interp(at, np.arange(len(AZIMUTH_PATTERN_DB)), AZIMUTH_PATTERN_DB)
    main_lobe = AZIMUTH_PATTERN_DB[1] * at ** math.log2(
        AZIMUTH_PATTERN_DB[2] / AZIMUTH_PATTERN_DB[1]
    )
    decibels = np.where(at <= 2, main_lobe, table)
    return (10 ** (decibels / 20)).astype(np.float32)


_PATTERN = _pattern_amplitudes()
_PIXEL_OF_COUNTS = np.round(20 * np.log10(np.maximum(np.arange(1 << 16), 1))).astype(np.uint8)


@compiled()
def deposit(field, row_power, echoes, phases, bin_m):  # type: ignore[no-untyped-def]
    """
    Add point responses to the field.

    :param field: shape (2, num_azimuths, num_bins): real and imaginary part of the amplitude
    :param row_power: sum of the power per azimuth, shape (num_azimuths,)
    :param echoes: range, clockwise azimuth, power; shape (3, N)
    :param phases: in turns, shape (N,)
    """
    num_azimuths, num_bins = field.shape[1], field.shape[2]
    reach_bins = math.ceil(0.75 / bin_m)
    weights = np.empty(2 * reach_bins + 1, np.float32)
    for echo in range(echoes.shape[1]):
        power = echoes[2, echo]
        place = echoes[0, echo] / bin_m - 0.5
        middle = math.floor(place + 0.5)
        if middle >= num_bins + reach_bins:
            continue
        for k in range(len(weights)):
            offset_m = (middle - reach_bins + k - place) * bin_m
            weights[k] = math.exp(-offset_m * offset_m / (4 * RANGE_SIGMA_M**2))
        angle = 2 * math.pi * phases[echo]
        amplitude = math.sqrt(power)
        real, imaginary = amplitude * math.cos(angle), amplitude * math.sin(angle)
        azimuth = echoes[1, echo] * num_azimuths / (2 * math.pi)
        nearest = math.floor(azimuth + 0.5)
        for offset in range(-7, 8):
            step = int(abs(nearest + offset - azimuth) * STEPS_PER_AZIMUTH + 0.5)
            gain = _PATTERN[step]
            if power * gain * gain < LEAST_COUNTS:
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
                _deposit_skirt(field, row, middle, reach_bins, values, bin_m)


@compiled()
def _deposit_skirt(field, row, middle, inner, values, bin_m):  # type: ignore[no-untyped-def]
    """Add the range side lobes of a strong echo: -27 dB, falling by 8 dB per metre."""
    for offset in range(inner + 1, int(3.0 / bin_m)):
        gain = 10 ** ((-27 - 8 * offset * bin_m) / 20)
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
    for azimuth in range(num_azimuths):
        for column in range(num_bins):
            # Half of the power is in each part; the taps keep it.
            scale = math.sqrt((noise_power[column] + row_noise[azimuth]) / 2)
            for part in range(2):
                value = noise[part, azimuth]
                blur = outer * (value[column] + value[column + 2]) + centre * value[column + 1]
                row[part, column] = field[part, azimuth, column] + scale * blur
        for pixel in range(num_bins * upsampling):
            place = (pixel + 0.5) / upsampling - 0.5
            left = min(max(math.floor(place), 0), num_bins - 1)
            right = min(left + 1, num_bins - 1)
            share = min(max(place - left, 0.0), 1.0)
            real = row[0, left] + share * (row[0, right] - row[0, left])
            imaginary = row[1, left] + share * (row[1, right] - row[1, left])
            counts = real * real + imaginary * imaginary + 0.5
            if counts < len(_PIXEL_OF_COUNTS):
                image[azimuth, pixel] = _PIXEL_OF_COUNTS[int(counts)]
            else:
                image[azimuth, pixel] = min(int(20 * math.log10(counts) + 0.5), 255)
    return image.T.copy()
