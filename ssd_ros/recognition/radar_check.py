# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Whether a radar is like those that the calibrations of the maps were fitted on."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import numpy as np
from numpy.typing import NDArray
from ssd_ros.confidence.model import ConfidenceModel
from ssd_ros.confidence.radar_profile import unknown_profiles
from ssd_ros.maps.place_search import PlaceSource
from ssd_ros.radar.types import RADARS
from ssd_ros.recognition.decision import Decision, UNLIKE_RADAR

RADARS_NOT_KNOWN = (
    'the calibration does not know its radars: whether this one is like them is open'
)


def calibration_of(source: PlaceSource, sensor: str) -> ConfidenceModel | None:
    """
    Return the calibration of a map for the queries of a radar, None if it has none for these.

    :param sensor: '4d' or 'spinning', that asks
    """
    model = source.confidence
    is_for = model is not None and model.queries == sensor and model.is_for(source.sensor)
    return model if is_for else None


def unlike_radars(
    sources: Iterable[PlaceSource | None], profile: NDArray[np.float64], sensor: str = '4d'
) -> dict[int, str]:
    """
    Return how a radar differs from all that the calibrations of maps know.

    :param profile: shape (S,), of the radar, see RadarProfile
    :param sensor: '4d' or 'spinning'
    :return: by the number of each map that does not know it; for a 4D radar, one of a radar
        without a calibration, or with an earlier one, does not tell
    """
    unlike = {}
    for source in sources:
        if source is None:
            continue
        if difference := _difference(source, profile, sensor):
            unlike[source.map_id] = difference
    return unlike


def _difference(source: PlaceSource, profile: NDArray[np.float64], sensor: str) -> str:
    """Return how a radar differs from those of a calibration, '' if nothing tells that."""
    model = source.confidence
    if model is not None and not model.is_for(source.sensor):
        model = None
    # Distances of whole turns are others, and those to a LiDAR's local maps: what a model accepts
    # by was set for views in maps of radars.
    if model is None and sensor == '4d':
        return 'a radar in a LiDAR map (known: none)' if source.sensor == 'lidar' else ''
    if model is None or model.queries != sensor:
        return f'a {RADARS[sensor]} (known: {"none" if model is None else RADARS[model.queries]})'
    return '' if model.radars is None else model.radars.difference(profile)


def radar_words(sources: Iterable[PlaceSource | None], unlike: str, sensor: str = '4d') -> str:
    """
    Return what the calibrations of maps say of the radar.

    :param unlike: how it differs, as known by now, '' if it does not
    :param sensor: '4d' or 'spinning'
    """
    present = [source for source in sources if source is not None]
    models = [source.confidence for source in present]
    (unknown,) = unknown_profiles(1)
    if unlike := unlike or next(iter(unlike_radars(present, unknown, sensor).values()), ''):
        return f'unlike those the calibration knows: {unlike}'
    if all(model is None for model in models):
        return 'no calibration'
    if any(model is not None and model.radars is None for model in models):
        return RADARS_NOT_KNOWN
    return 'like those the calibration knows'


def refusals(unlike: Mapping[int, str]) -> dict[int, Decision]:
    """Return what is decided about the candidates of each map that does not know the radar."""
    return {
        number: Decision('rejected', UNLIKE_RADAR.format(difference=difference))
        for number, difference in unlike.items()
    }
