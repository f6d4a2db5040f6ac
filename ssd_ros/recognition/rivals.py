# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What the candidates of an answer say about one another: that it is there, or somewhere else."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
import math

import numpy as np
from numpy.typing import NDArray
from ssd_ros.maps.place_database import distances_m
from ssd_ros.maps.place_search import are_elsewhere
from ssd_ros.recognition.answer import Query
from ssd_ros.recognition.findings import Finding, planar_poses_of, SAME_PLACE_M, SEGMENT_BITS
from ssd_ros.recognition.sequence_filter import SequenceFilter

# Chosen on ten validation towns, their maps held twice, and places that repeat themselves.
_ALIKE = 0.8  # share of the best overlap from which on a query is a witness for a pose as well
_LEAST_SUPPORT = 0.5  # share of a candidate's support with less of which none is its rival
_NO_OVERLAP, _MAX_RIVAL = 0.01, 10.0  # added to both: what hardly fits has no ratio
_APART_M = 1e9  # between two segments


def rival_shares(
    places_m: NDArray[np.float64],
    overlap: NDArray[np.float64],
    support: NDArray[np.float64],
    ways_m: NDArray[np.float64] | float = 0.0,
) -> NDArray[np.float64]:
    """
    Return for each candidate the best overlap of its rivals as a share of its own.

    A rival is a verified candidate more than 5 m away, and farther than drift explains, unless the
    recent queries speak against it: where they are known, it has at least half the support.

    :param places_m: shape (K, D), of the query in the map according to each candidate
    :param overlap: shape (K,), NaN if not verified
    :param support: shape (K,), NaN where not known
    :param ways_m: shape (K,), see are_elsewhere
    :return: shape (K,), 0 = no rival, 10 at most; NaN if not verified, or if nothing fits
    """
    # Negated: what is not known speaks against nobody.
    is_rival = are_elsewhere(places_m, ways_m) & ~(support < _LEAST_SUPPORT * support[:, None])
    is_rival &= np.isfinite(overlap)
    best = np.where(is_rival, overlap, -math.inf).max(axis=1, initial=-math.inf)
    shares = np.maximum(best + _NO_OVERLAP, 0) / np.maximum(overlap + _NO_OVERLAP, _NO_OVERLAP)
    is_blank = np.maximum(best, overlap) <= 0  # as of a query of too few points
    return np.where(is_blank, math.nan, np.minimum(shares, _MAX_RIVAL))


def agreements(places_m: NDArray[np.float64], overlap: NDArray[np.float64]) -> NDArray[np.float64]:
    """
    Return the share of the other verified candidates that give the same pose as each.

    :param places_m: shape (K, D), of the query in the map according to each candidate
    :param overlap: shape (K,), NaN if not verified
    :return: shape (K,), 0 where there are no others
    """
    apart_m = distances_m(places_m, places_m)
    is_other = ~np.eye(len(overlap), dtype=bool) & np.isfinite(overlap)
    agree = (is_other & (apart_m <= SAME_PLACE_M)).sum(axis=1)
    return np.asarray(agree / np.maximum(is_other.sum(axis=1), 1))


def weighed(findings: Sequence[Finding], query: Query, sequence: SequenceFilter) -> list[Finding]:
    """
    Return findings of one frame with what recent queries and the others say of each.

    :param sequence: the recent queries
    """
    if not findings:
        return []
    poses, frames = planar_poses_of(findings)
    support = ambiguity = np.full(len(findings), math.nan)
    if query.odometry is not None:
        support = sequence.support(query.odometry, poses, frames)
        ambiguity = sequence.ambiguity(query.odometry, frames)
    segments = frames >> SEGMENT_BITS
    places_m = np.column_stack([poses[:, :2], _APART_M * segments])
    overlap = np.array([found.overlap if found.verification else math.nan for found in findings])
    ways_m = np.array([found.hit.source.way_m(found.hit.number) for found in findings])
    shares = rival_shares(places_m, overlap, support, ways_m)
    figures = agreements(places_m, overlap), support, ambiguity, shares
    return [
        replace(finding, agreement=agreement, support=share, ambiguity=alike, rival=rival)
        for finding, agreement, share, alike, rival in zip(
            findings, *(each.tolist() for each in figures), strict=True
        )
    ]


def testimony(findings: Sequence[Finding]) -> list[Finding]:
    """
    Return the findings that a query is a witness for: per frame the best, and those as good.

    Not by confidence: it was fitted on what this sequence gave.
    """
    best: dict[int, float] = {}
    chosen = []
    for finding in sorted(findings, key=lambda found: -found.overlap):
        is_first = finding.frame not in best
        least = _ALIKE * best.setdefault(finding.frame, finding.overlap)
        if is_first or finding.overlap >= least > 0:
            chosen.append(finding)
    return chosen
