# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""
The loop closures of Dr-PoGO: RaPlace on dense local maps, then registration of the best place.

Le Gentil et al., Dr-PoGO: Direct Radar Pose-Graph Optimization, ICRA 2026 (arXiv 2605.04806),
with constants of its ROS 2 branch. The local map is a running mean of the scans on the way, each
moved to the newest. Of its spectra RaPlace keeps 3 of 5 angles and frequencies. No score is too
low: the best place goes to the registration, which refuses (see image_registration.py).

As released, spectra are shifted along the frequencies instead of the angles, and those of the
query are normalised, but not those of the places, so that the brightest place wins. Repaired,
both are, and the shifts are along the angles.

Left out is that its node looks only where odometry allows, within 50 m + 1 % of the way: here all
methods ask in the whole map.
"""

from __future__ import annotations

from functools import partial
import math

import cv2
import numpy as np
from numpy.typing import NDArray
from ssd_ros.baselines.image_registration import register, transform_of
from ssd_ros.baselines.method import Closure, Handcrafted, Matches
from ssd_ros.baselines.polar_image import PolarImage
from ssd_ros.baselines.raplace import cartesian, CorrelationIndex, RaPlaceConfig, sinogram
from ssd_ros.baselines.variants import check_variant, Variant

PIXEL_M, NUM_PIXELS = 0.4, 750  # 150 m around the radar, as its registration sees them
_SHAPE = NUM_PIXELS, NUM_PIXELS
_SHARE = 0.1  # of the newest scan in the local map
_WAY_M = 50.0  # what came before has a tenth of the weight
_SQUARE = RaPlaceConfig(NUM_PIXELS, PIXEL_M, NUM_PIXELS, 180, 0, 0)
_SIDE = 600  # pixels of the image that is projected
_KEPT = 0.6  # of its angles and offsets
_SPECTRUM_SHAPE = (round(180 * _KEPT), round(_SIDE * _KEPT) // 2)
_PLACE = np.dtype([('spectrum', np.float32, _SPECTRUM_SHAPE), ('map', np.uint8, _SHAPE)])


class DrPogo(Handcrafted):
    """RaPlace on dense local maps, and their registration."""

    way_m = _WAY_M

    def __init__(self, variant: str) -> None:
        self._variant = check_variant(variant)

    def describe(self, image: PolarImage) -> NDArray[np.void]:
        """Return the local map and its spectrum, a record of shape ()."""
        there = local_map(image)
        return np.array((spectrum(there), there), _PLACE)

    def index(self, places: NDArray[np.void]) -> LoopIndex:
        """Return places to be ranked by RaPlace and registered."""
        return LoopIndex(places, self._variant)


class LoopIndex:
    """Local maps with their spectra."""

    def __init__(self, places: NDArray[np.void], variant: Variant) -> None:
        """
        Take over places.

        :param places: shape (N, 1), records that DrPogo describes
        """
        self._is_repaired = variant == 'repaired'
        self._maps = places['map'][:, 0]
        spectra = places['spectrum'][:, 0]
        if self._is_repaired:
            spectra = _along_angles(_normalised(spectra))
        self._spectra = CorrelationIndex(spectra[:, None])

    def search(self, queries: NDArray[np.void]) -> Matches:
        """Return how far the correlation of each place is from 1; any can be registered."""
        spectra = _normalised(queries['spectrum'])
        ranked = self._spectra.search(_along_angles(spectra) if self._is_repaired else spectra)
        close = partial(self._close, queries['map'])
        return Matches(ranked.distances, ranked.relative_yaws_rad, close)

    def _close(self, queries: NDArray[np.uint8], query: int, place: int) -> Closure:
        registered = register(queries[query], self._maps[place], PIXEL_M)
        if registered is None:
            return Closure(math.nan, False)
        return Closure(float(registered.pose[2]), registered.is_accepted)


def local_map(image: PolarImage) -> NDArray[np.uint8]:
    """Return the running mean of the images on the way, shape (750, 750): ahead is up."""
    seen = [
        cv2.warpAffine(_square(one), transform_of(pose, NUM_PIXELS, PIXEL_M), _SHAPE)
        for one, pose in image.before()
    ]
    oldest, *newer = [*seen, _square(image)]
    mean = oldest.astype(np.float32)
    for one in newer:
        cv2.accumulateWeighted(one, mean, _SHARE)
    return np.rint(mean).astype(np.uint8)


def _square(image: PolarImage) -> NDArray[np.uint8]:
    return cartesian(image, _SQUARE).astype(np.uint8)


def spectrum(square: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Return the magnitudes of the projections' spectra, shape (108, 180): angles, frequencies."""
    sums = sinogram(np.asarray(cv2.resize(square, (_SIDE, _SIDE)), np.uint8), 180)
    sums = cv2.resize(sums / max(sums.max(), 1e-8), (_SPECTRUM_SHAPE[0], 2 * _SPECTRUM_SHAPE[1]))
    magnitudes = np.abs(np.fft.fft(sums, axis=0))[: _SPECTRUM_SHAPE[1]]
    return np.ascontiguousarray(magnitudes.T, np.float32)


def _normalised(spectra: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return each with mean 0 and variance 1; all 0 if there is no return: shape (N, 108, 180)."""
    deviations = spectra - spectra.mean(axis=(1, 2), keepdims=True)
    spread = deviations.std(axis=(1, 2), keepdims=True)
    return np.asarray(deviations / np.where(spread > 0, spread, 1))


def _along_angles(spectra: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return them with the axis last along which the index shifts them."""
    return np.ascontiguousarray(spectra.transpose(0, 2, 1))
