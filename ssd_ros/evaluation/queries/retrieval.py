# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Look up every query in every scan of a map: one matrix product, then sorting."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from ssd_ros.bev.polar_bev import view_yaws_rad
from ssd_ros.encoders.ring_correlation import match_rings
from ssd_ros.evaluation.queries.answers import Answers
from ssd_ros.maps.place_database import ratios_to_other_places

_QUERIES_AT_ONCE = 64


@dataclass(frozen=True, slots=True)
class Similarity:
    """
    Q queries beside K scans, each scan at its best view or rotation.

    :param distances: shape (Q, K), between unit descriptors; infinite where not searched
    :param yaws_rad: shape (Q, K), heading of the query in the frame of the scan; NaN if one view
        is all that there is
    :param horizons: shape (Q,), distance of the last row that a bounded search looks at
    """

    distances: NDArray[np.float32]
    yaws_rad: NDArray[np.float64]
    horizons: NDArray[np.float32]


def compare(
    queries: NDArray[np.float32],
    scans: NDArray[np.float32],
    search_rows: int,
    excluded: NDArray[np.bool_] | None = None,
) -> Similarity:
    """
    Return how near every scan is to every query.

    :param queries: shape (Q, D)
    :param scans: shape (K, num_views, D)
    :param excluded: shape (Q, K), scans that a query may not find
    """
    num_scans, num_views, size = scans.shape
    rows = scans.reshape(-1, size).T
    last = max(len(rows.T) - search_rows, 0)
    parts = []
    for first in range(0, len(queries), _QUERIES_AT_ONCE):
        chunk = slice(first, first + _QUERIES_AT_ONCE)
        products = (queries[chunk] @ rows).reshape(-1, num_scans, num_views)
        if excluded is not None:
            products[excluded[chunk]] = -np.inf
        flat = products.reshape(len(products), -1)
        parts.append(
            (products.max(axis=2), products.argmax(axis=2), np.partition(flat, last)[:, last])
        )
    best, views, horizons = (np.concatenate(part) for part in zip(*parts, strict=True))
    yaws_rad = view_yaws_rad(num_views)[views] if num_views > 1 else np.full(views.shape, np.nan)
    return Similarity(_distance(best), yaws_rad, _distance(horizons))


def compare_turns(
    queries: NDArray[np.float32], scans: NDArray[np.float32], excluded: NDArray[np.bool_]
) -> Similarity:
    """
    Return how near every scan is to every whole turn, all of them searched.

    :param queries: shape (Q, num_views, D)
    :param scans: shape (K, num_views, D)
    :param excluded: shape (Q, K), scans that a query may not find
    """
    matches = [match_rings(query, scans) for query in queries]
    distances = np.stack([match.distances for match in matches])
    horizons = np.where(excluded, 0, distances).max(axis=1)
    distances[excluded] = np.inf
    return Similarity(distances, np.stack([match.yaws_rad for match in matches]), horizons)


def _distance(products: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return the distance between unit vectors of these inner products."""
    return np.sqrt(np.maximum(2 - 2 * products, 0))


def answers_from(
    similarity: Similarity,
    entries: NDArray[np.int64],
    positions_m: NDArray[np.float64],
    ambiguity_radius_m: float,
) -> Answers:
    """
    Sort the scans by distance.

    :param entries: scans that the database holds, perhaps several times
    :param positions_m: shape (K, 2), of all scans
    """
    keyframes, distances = nearest_first(similarity.distances, entries)
    queries = np.arange(len(keyframes))
    return Answers(
        keyframes,
        distances[:, 0].astype(np.float64),
        similarity.yaws_rad[queries, keyframes[:, 0]],
        _ratios(distances, keyframes, positions_m, similarity.horizons, ambiguity_radius_m),
    )


def nearest_first(
    distances: NDArray[np.float32], entries: NDArray[np.int64]
) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
    """
    Return the scans in order of distance, and these distances, both of shape (Q, entries).

    :param distances: shape (Q, K), infinite where a query may not find a scan, which becomes -1
    :param entries: scans that the database holds, perhaps several times
    :raise ValueError: a query may find none
    """
    of_entries = distances[:, entries]
    order = np.argsort(of_entries, axis=1, kind='stable')
    ordered = np.take_along_axis(of_entries, order, axis=1)
    keyframes = np.where(np.isfinite(ordered), entries[order], -1)
    if (keyframes[:, 0] < 0).any():
        raise ValueError('a query has no scan to be compared with: the map is too short')
    return keyframes, ordered


def _ratios(
    distances: NDArray[np.float32],
    keyframes: NDArray[np.int64],
    positions_m: NDArray[np.float64],
    horizons: NDArray[np.float32],
    ambiguity_radius_m: float,
) -> NDArray[np.float64]:
    """Return the ratio of each first answer as the recogniser computes it."""
    ratios = np.empty(len(distances))
    for query, horizon in enumerate(horizons):
        seen = max(1, int(np.searchsorted(distances[query], horizon, side='right')))
        ratios[query] = ratios_to_other_places(
            distances[query, :seen],
            positions_m[keyframes[query, :seen]],
            float(horizon),
            [0],
            ambiguity_radius_m,
        )[0]
    return ratios
