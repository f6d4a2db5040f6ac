# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Whether a radar is like those that the calibrations of the maps were fitted on."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import numpy as np
from numpy.typing import NDArray
from ssd_ros.maps.place_search import PlaceSource
from ssd_ros.recognition.decision import Decision, UNLIKE_RADAR

RADARS_NOT_KNOWN = (
    'the calibration does not know its radars: whether this one is like them is open'
)


def unlike_radars(
    sources: Iterable[PlaceSource | None], profile: NDArray[np.float64]
) -> dict[int, str]:
    """
    Return how a radar differs from all that the calibrations of maps know.

    :param profile: shape (S,), of the radar, see RadarProfile
    :return: by the number of each map that does not know it; one without a calibration, or with an
        earlier one, does not tell
    """
    unlike = {}
    for source in sources:
        if source is None or source.confidence is None or source.confidence.radars is None:
            continue
        if difference := source.confidence.radars.difference(profile):
            unlike[source.map_id] = difference
    return unlike


def radar_words(sources: Iterable[PlaceSource | None], unlike: str) -> str:
    """
    Return what the calibrations of maps say of the radar.

    :param unlike: how it differs, as known by now, '' if it does not
    """
    models = [source.confidence for source in sources if source is not None]
    if unlike:
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
