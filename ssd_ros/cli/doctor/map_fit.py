# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Whether maps fit a radar: encoder, sensor, frames, extent, calibration, and what they answer."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
from ssd_ros.cli.doctor.findings import Finding, GOOD, MEND, NOTE
from ssd_ros.cli.doctor.scans import Scans
from ssd_ros.cli.doctor.settings import with_values
from ssd_ros.maps.place_database import PlaceDatabase
from ssd_ros.recognition.decision import UNLIKE_RADAR
from ssd_ros.recognition.map_check import doubt_of
from ssd_ros.recognition.place_recognizer import PlaceRecognizer
from ssd_ros.recognition.radar_check import radar_words, RADARS_NOT_KNOWN, unlike_radars
from ssd_ros.ros.health.inputs import Level
from ssd_ros.ros.matching.loading import load_encoder, load_maps
from ssd_ros.ros.parameters.node import NodeParameters

_NEAR_M = 25.0  # of a keyframe: in the map


def maps_checked(parameters: NodeParameters) -> Iterator[Finding]:
    """
    Yield what maps need of the node, whose index_path names them.

    :raise ValueError: one is absent or damaged, they do not belong together, were filled by
        another encoder or are of another sensor
    :raise OSError: one cannot be read
    """
    maps = load_maps(parameters.index_path, confidence_path=parameters.confidence_path)
    kinds = {place.info.encoder for place in maps}
    if len(kinds) == 1 and kinds != {parameters.encoder}:
        (kind,) = kinds
        text = f'built with --encoder {kind}, which the node needs, too'
        yield Finding(NOTE, 'map', text, {'encoder': kind})
        parameters = with_values(parameters, {'encoder': kind})
    PlaceRecognizer(load_encoder(parameters), maps, submap_m=parameters.aggregation.submap)


def map_findings(
    scans: Scans, maps: Sequence[PlaceDatabase], sensor: str, pose_frame: str
) -> Iterator[Finding]:
    """
    Yield what is to be said of maps that can be searched.

    :param pose_frame: of the poses beside the scans, '' = not known
    """
    unlike = unlike_radars(maps, scans.profile, sensor)
    for difference in unlike.values():
        yield Finding(MEND, 'radar', UNLIKE_RADAR.format(difference=difference))
    if maps and not unlike and any(place.confidence is not None for place in maps):
        words = radar_words(maps, '', sensor)
        yield Finding(NOTE if words == RADARS_NOT_KNOWN else GOOD, 'radar', words)
    for place in maps:
        yield _condition(place)
        yield from _extent(place, scans, pose_frame)
    yield from _answers(scans)


def _condition(place: PlaceDatabase) -> Finding:
    if doubt := doubt_of(place.info):
        return Finding(MEND, 'map', doubt)
    text = f'{len(place)} keyframes of {place.info.source}, {place.info.data_origin.text}'
    if place.confidence is None:
        hint = 'it has no calibration: `trust --store-in`, or build it with --confidence'
        return Finding(NOTE, 'map', f'{text}: {hint}')
    return Finding(GOOD, 'map', text)


def _extent(place: PlaceDatabase, scans: Scans, pose_frame: str) -> Iterator[Finding]:
    keyframes_m, info = place.keyframes.positions_m[:, :2], place.info
    x_m, y_m = np.ptp(keyframes_m, axis=0)
    frame = {'map_frame': info.map_frame_id}
    text = f'{x_m:.0f} x {y_m:.0f} m in frame {info.map_frame_id!r}'
    known = scans.places_m[np.isfinite(scans.places_m[:, 0])]
    if pose_frame != info.map_frame_id or not len(known):
        yield Finding(NOTE, 'extent', f'{text}; no poses in that frame to compare with', frame)
        return
    chosen = known[:: -(-len(known) // 500)]
    near = [np.hypot(*(keyframes_m - place_m).T).min() <= _NEAR_M for place_m in chosen]
    share = float(np.mean(near))
    said = f'{text}: {share:.0%} of the scans within {_NEAR_M:.0f} m of a keyframe'
    if share == 0:
        yield Finding(
            NOTE, 'extent', f'{said}: is it of this place, and from the same origin?', frame
        )
    else:
        yield Finding(GOOD, 'extent', said, frame)


def _answers(scans: Scans) -> Iterator[Finding]:
    answers = scans.answers
    if not answers.num_asked:
        return
    text = f'{answers.num_accepted} of {answers.num_asked} scans find an accepted place'
    if answers.reason:
        text += f'; of the others mostly: {answers.reason}'
    yield Finding(GOOD if answers.num_accepted else NOTE, 'answers', text)
    if answers.status.level != Level.OK:
        yield Finding(NOTE, 'answers', answers.status.message)
