# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Search of scan contexts, and the plain way to do it: pair by pair, rotation by rotation."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from ssd_ros.encoders.scan_context import ScanContextConfig, ScanContextIndex

NUM_ENTRIES = 100
_SHARE_OF_RETURNS = 0.1


def random_contexts() -> NDArray[np.float32]:
    """Return NUM_ENTRIES sparse scan contexts of the usual size."""
    config, generator = ScanContextConfig(), np.random.default_rng(0)
    shape = (NUM_ENTRIES, config.num_rings, config.num_sectors)
    echoes = generator.random(shape, np.float32)
    return np.where(generator.random(shape) < _SHARE_OF_RETURNS, echoes, np.float32(0))


def query_of(context: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return what 120 degrees ahead show of a context, shape (num_rings, num_sectors)."""
    num_sectors = context.shape[1]
    query = context.copy()
    query[:, num_sectors // 6 : -(num_sectors // 6)] = 0
    return query


def indexed(contexts: NDArray[np.float32]) -> ScanContextIndex:
    """Return contexts ready to be searched."""
    index = ScanContextIndex(ScanContextConfig())
    index.add(contexts)
    return index


def search_pair_by_pair(
    contexts: NDArray[np.float32], query: NDArray[np.float32]
) -> NDArray[np.float64]:
    """Return the similarity to each entry at its best rotation, (N,), as ScanContextIndex does."""
    num_sectors = query.shape[1]
    query_lengths = np.linalg.norm(query, axis=0)
    least = ScanContextConfig().min_overlap * np.count_nonzero(query_lengths)
    similarities = np.zeros(len(contexts))
    for entry, context in enumerate(contexts):
        lengths = np.linalg.norm(context, axis=0)
        for shift in range(num_sectors):
            turned = np.roll(context, -shift, axis=1)
            products = query_lengths * np.roll(lengths, -shift)
            meet = products > 0
            cosines = (query * turned).sum(axis=0)[meet] / products[meet]
            similarity = cosines.sum() / max(np.count_nonzero(meet), least, 1)
            similarities[entry] = max(similarities[entry], similarity)
    return similarities
