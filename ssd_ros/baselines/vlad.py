# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""
RadVLAD and FFT-RadVLAD: azimuths sorted into clusters, and how far they lie from their centres.

Gadd and Newman, Open-RadVLAD: Fast and Robust Radar Place Recognition (Radar 2024). The clusters
are those of the map; a turn of the radar changes the order of its azimuths, which does not count.
Released, azimuths that are not seen or have no return take part as zeros; repaired, they do not.
"""

from __future__ import annotations

from collections.abc import Sequence
import math

import cv2
import faiss
import numpy as np
from numpy.typing import NDArray
from ssd_ros.baselines.azimuth_rows import azimuth_rows, NUM_BINS, unit_rows
from ssd_ros.baselines.empty_image import unlike_all
from ssd_ros.baselines.method import Handcrafted
from ssd_ros.baselines.polar_image import PolarImage
from ssd_ros.baselines.variants import check_variant, NUM_VIEWS

_NUM_CLUSTERS = 64
_NUM_ITERATIONS = 25
_MAX_FIT_ROWS = 65_536  # drawn by chance, alike from all images; the paper takes all
_SEED = 0


class RadVlad(Handcrafted):
    """32,768 numbers of unit length, compared by their Euclidean distance."""

    fits_map = True
    _weights: NDArray[np.float32] = np.ones(NUM_BINS, np.float32)
    """How often each number of a row counts, as a square root."""

    def __init__(self, variant: str) -> None:
        self._variant = check_variant(variant)
        self.num_views = NUM_VIEWS[self._variant]
        self.centres: NDArray[np.float32] | None = None

    def fit(self, images: Sequence[PolarImage]) -> None:
        """
        Find the clusters of the azimuths of a map.

        The released code starts from k-means++ of scikit-learn, this one from chance azimuths.

        :raise ValueError: fewer azimuths than clusters
        """
        generator = np.random.default_rng(_SEED)
        num_kept = math.ceil(_MAX_FIT_ROWS / max(len(images), 1))
        kept: list[NDArray[np.float32]] = [np.zeros((0, len(self._weights)), np.float32)]
        for image in images:
            of_image = self._rows(image)
            kept.append(of_image[generator.permutation(len(of_image))[:num_kept]])
        rows = np.concatenate(kept)
        if len(rows) < _NUM_CLUSTERS:
            raise ValueError(
                f'{len(images)} images have {len(rows)} azimuths to learn {_NUM_CLUSTERS} '
                'clusters from: fit on more images of the map'
            )
        self.centres = cluster_centres(rows)

    def describe(self, image: PolarImage) -> NDArray[np.float32]:
        """
        Return the roots of the summed residuals of each cluster.

        :raise ValueError: before `fit`
        """
        if self.centres is None:
            raise ValueError('the clusters of the map are not known yet: call fit first')
        rows = self._rows(image)
        if not rows.any():
            return unlike_all(self.centres.size)
        sums = residual_sums(rows, self.centres) / self._weights
        roots = np.sign(sums) * np.sqrt(np.abs(sums)) * self._weights
        return unit_rows(roots.reshape(1, -1))[0]

    def _rows(self, image: PolarImage) -> NDArray[np.float32]:
        """Return azimuths of unit length, weighted, shape (A, len(_weights))."""
        rows = azimuth_rows(image, self._variant)
        if self._variant == 'repaired':
            rows = rows[rows.any(axis=1)]
        return unit_rows(self._features(rows) * self._weights)

    def _features(self, rows: NDArray[np.float32]) -> NDArray[np.float32]:
        return rows


class FftRadVlad(RadVlad):
    """
    16,448 numbers of unit length, compared by their Euclidean distance.

    Of each azimuth the amplitudes of its 512 frequencies count. 255 of the 257 that are kept
    occur twice, and weigh as much: distances equal those of all 512. Repaired, the few sharp
    returns of a 4D radar, which have all frequencies alike, are smoothed before.
    """

    _weights = np.sqrt(np.r_[1, np.full(NUM_BINS // 2 - 1, 2), 1]).astype(np.float32)

    def _features(self, rows: NDArray[np.float32]) -> NDArray[np.float32]:
        return amplitudes(smoothed(rows) if self._variant == 'repaired' else rows)


def smoothed(rows: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return rows after a Gaussian of one bin."""
    if not len(rows):
        return rows
    smooth = cv2.GaussianBlur(rows, (9, 1), sigmaX=1, borderType=cv2.BORDER_CONSTANT)
    return np.asarray(smooth, np.float32)


def amplitudes(rows: NDArray[np.float32]) -> NDArray[np.float32]:
    """
    Return the amplitudes of the frequencies of real rows.

    :param rows: shape (A, 512)
    :return: shape (A, 257)
    """
    return np.abs(np.fft.rfft(rows)).astype(np.float32)


def cluster_centres(rows: NDArray[np.float32]) -> NDArray[np.float32]:
    """
    Return the centres of k-means.

    :param rows: shape (N, D)
    :return: shape (64, D)
    """
    kmeans = faiss.Kmeans(
        rows.shape[1],
        _NUM_CLUSTERS,
        niter=_NUM_ITERATIONS,
        seed=_SEED,
        min_points_per_centroid=1,
        max_points_per_centroid=math.ceil(len(rows) / _NUM_CLUSTERS),
    )
    kmeans.train(rows)
    return np.asarray(kmeans.centroids, np.float32)


def residual_sums(rows: NDArray[np.float32], centres: NDArray[np.float32]) -> NDArray[np.float32]:
    """
    Sum what lies between the rows of each cluster and its centre.

    :param rows: shape (A, D)
    :param centres: shape (K, D)
    :return: shape (K, D)
    """
    nearness = rows @ centres.T - np.einsum('ij,ij->i', centres, centres) / 2
    belongs = (nearness.argmax(axis=1) == np.arange(len(centres))[:, None]).astype(np.float32)
    return belongs @ rows - belongs.sum(axis=1, keepdims=True) * centres
