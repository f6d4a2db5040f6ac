# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Whether the keyframes of a map stand where their poses say."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from ssd_ros.maps.files import MapInfo
from ssd_ros.maps.place_database import PlaceDatabase
from ssd_ros.maps.place_search import PlaceSource
from ssd_ros.recognition.decision import Decision, SUBMAP_QUERIES, SUBMAPS, WRONG_MAP_POSES
from ssd_ros.verification.pose_misfit import MAX_MISFIT_M


def misfit_words(info: MapInfo) -> str:
    """Return how far the poses of a map disagree with its returns."""
    if info.pose_misfit_m is None:
        return 'not known how far they agree with the returns'
    return (
        f'{info.pose_misfit_m:.2f} m off the returns between neighbouring keyframes, at most '
        f'{MAX_MISFIT_M:.1f}'
    )


def doubt_of(info: MapInfo, text: str = WRONG_MAP_POSES) -> str:
    """
    Return what is wrong with the poses of a map, '' if nothing is or nothing is known.

    :param text: with fields for the map's name, the misfit and its limit
    """
    if info.pose_misfit_m is None or info.pose_misfit_m <= MAX_MISFIT_M:
        return ''
    name = info.source or info.uuid
    return text.format(name=name, misfit_m=info.pose_misfit_m, limit_m=MAX_MISFIT_M)


def submap_refusals(maps: Sequence[PlaceDatabase]) -> dict[int, Decision]:
    """Return what is decided about the candidates of each map of submaps asked by windows."""
    return {place.map_id: SUBMAPS for place in maps if place.info.submap_m}


def query_refusals(sources: Iterable[PlaceSource | None]) -> dict[int, Decision]:
    """Return what is decided about the candidates of all maps that are asked by submaps."""
    decision = Decision('rejected', SUBMAP_QUERIES)
    return {source.map_id: decision for source in sources if source is not None}


def map_refusals(maps: Sequence[PlaceDatabase]) -> dict[int, Decision]:
    """Return what is decided about the candidates of each map whose poses are wrong."""
    doubts = {place.map_id: doubt_of(place.info) for place in maps}
    return {number: Decision('rejected', doubt) for number, doubt in doubts.items() if doubt}
