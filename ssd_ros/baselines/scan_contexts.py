# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""
Radar Scan Context, by ring key and re-ranking or exhaustively.

Kim et al., MulRan: Multimodal Range Dataset for Urban Place Recognition, ICRA 2020; the images
and their comparison are ssd_ros/encoders/scan_context.py. Our polar BEV takes the place of the raw
image. As published, few lucky sectors of a part of a turn may win, and its ring key counts what
is not seen as empty.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from ssd_ros.baselines.method import Handcrafted, MapIndex, Matches
from ssd_ros.baselines.polar_image import PolarImage
from ssd_ros.baselines.variants import check_variant
from ssd_ros.encoders.scan_context import scan_context, ScanContextConfig, ScanContextIndex

NUM_CANDIDATES = 50
CONFIGS = {
    'released': ScanContextConfig(num_rings=40, num_sectors=120, min_overlap=0),
    'repaired': ScanContextConfig(num_rings=40, num_sectors=120, min_overlap=0.5),
}
SEARCHES = ('ring_key', 'exhaustive')


class RadarScanContext(Handcrafted):
    """
    Scan contexts of 40 rings by 120 sectors; one of a part of a turn fits into one of a turn.

    Where the search is by ring key, the key is the last column.
    """

    def __init__(self, search: str, variant: str) -> None:
        """
        Choose the form.

        :param search: one of SEARCHES
        """
        if search not in SEARCHES:
            raise ValueError(f'unknown search {search!r}: choose from {", ".join(SEARCHES)}')
        self._has_key = search == 'ring_key'
        self._variant = check_variant(variant)

    def describe(self, image: PolarImage) -> NDArray[np.float32]:
        """Return the scan context, shape (40, 120), with its ring key (40, 121)."""
        context = scan_context(image.cells, image.grid, CONFIGS[self._variant])
        if not self._has_key:
            return context
        key = context.mean(axis=1)
        if self._variant == 'repaired':
            key /= np.float32(image.is_seen.mean())
        return np.column_stack([context, key])

    def index(self, places: NDArray[np.float32]) -> MapIndex:
        """Return places to be compared at every rotation, all or the candidates of the key."""
        contexts = places[:, 0]
        config = CONFIGS[self._variant]
        if self._has_key:
            return RingKeyIndex(contexts, config)
        return ExhaustiveIndex(contexts, config)


class ExhaustiveIndex:
    """Scan contexts that are all compared."""

    def __init__(self, places: NDArray[np.float32], config: ScanContextConfig) -> None:
        self._index = ScanContextIndex(config)
        self._index.add(places)

    def search(self, queries: NDArray[np.float32]) -> Matches:
        """Return 1 minus the similarity at the best rotation, and that rotation."""
        found = [self._index.search(query) for query in queries]
        distances = np.stack([1 - matches.similarities for matches in found])
        return Matches(distances, np.stack([matches.relative_yaws_rad for matches in found]))


class RingKeyIndex:
    """Scan contexts of which those with the nearest ring keys are compared."""

    def __init__(self, places: NDArray[np.float32], config: ScanContextConfig) -> None:
        """
        Take over places.

        :param places: shape (N, num_rings, num_sectors + 1)
        """
        self._contexts, self._keys = places[..., :-1], places[..., -1].copy()
        self._config = config

    def search(self, queries: NDArray[np.float32]) -> Matches:
        """Return distances up to 1 of the candidates, and 1 plus that of the keys of others."""
        distances = np.empty((len(queries), len(self._keys)), np.float32)
        yaws_rad = np.full(distances.shape, np.nan)
        for row, query in enumerate(queries):
            distances[row] = 1 + np.linalg.norm(self._keys - query[:, -1], axis=1)
            candidates = np.argsort(distances[row], kind='stable')[:NUM_CANDIDATES]
            index = ScanContextIndex(self._config)
            index.add(self._contexts[candidates])
            matches = index.search(query[:, :-1])
            distances[row, candidates] = 1 - matches.similarities
            yaws_rad[row, candidates] = matches.relative_yaws_rad
        return Matches(distances, yaws_rad)
