# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What the services reply to those who ask for a place."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from ssd_ros.maps.place_database import PlaceDatabase
from ssd_ros.recognition.candidates import Flag
from ssd_ros.recognition.decision import NO_CANDIDATE
from ssd_ros.records import json_text
from ssd_ros.ros.matching.matcher import Answer


class Delivered(NamedTuple):
    """
    An answer that was published.

    :param rows: of `~/candidates`
    :param age_s: when it was published, since its newest scan came
    :param is_accepted: a place of a map was, with its heading
    :param is_asked_elsewhere: a place server is asked, too
    """

    answer: Answer
    rows: NDArray[np.void]
    age_s: float
    is_accepted: bool
    is_asked_elsewhere: bool = False


class Reply(NamedTuple):
    """
    The outcome of a request.

    :param text: JSON, of `~/query`
    :param is_answered: there was a window to search with
    :param is_accepted: a place of a map was accepted, with its heading
    :param reason: in words, about that place, with the age and the revisions of the maps
    """

    text: str
    is_answered: bool
    is_accepted: bool
    reason: str


def answered(delivered: Delivered) -> Reply:
    """Return an answer for people and programs."""
    answer, rows, age_s, is_accepted, is_asked_elsewhere = delivered
    seconds, nanoseconds = divmod(answer.recognition.stamp_ns, 1_000_000_000)
    decision = answer.recognition.decision
    searched = ', '.join(place.revision for place in answer.maps) or 'none'
    words = _reason_for_pose(answer, is_accepted)
    words += '; the place server is asked' if is_asked_elsewhere else ''
    reason = f'{words} (asked {age_s:.2f} s after the scan came; map revision {searched})'
    revisions = {place.map_id: place.revision for place in answer.maps}
    content = {
        'stamp': {'sec': seconds, 'nanosec': nanoseconds},
        'age_s': round(age_s, 3),
        'decision': decision.kind,
        'reason': decision.reason,
        'maps': _named(answer.maps),
        'candidates': [_content(row, revisions) for row in rows],
    }
    return Reply(json_text(content), True, is_accepted, reason)


def unanswered(reason: str, maps: Sequence[PlaceDatabase] = ()) -> Reply:
    """
    Return why nothing could be asked.

    :param maps: that would have been searched
    """
    content = {
        'stamp': None,
        'age_s': None,
        'decision': 'none',
        'reason': reason,
        'maps': _named(maps),
        'candidates': [],
    }
    return Reply(json_text(content), False, False, reason)


def _reason_for_pose(answer: Answer, is_accepted: bool) -> str:
    found = answer.recognition.candidates
    best = next((candidate for candidate in found if not candidate.is_live), None)
    if best is None and not found and answer.recognition.decision != NO_CANDIDATE:
        return answer.recognition.decision.reason
    if best is None:
        return 'no map gave a candidate'
    if best.accepted and not is_accepted:
        return 'accepted, but the heading is not known: see allow_unknown_yaw'
    return best.decision.reason


def _named(maps: Sequence[PlaceDatabase]) -> list[dict[str, object]]:
    return [
        {'map_id': place.map_id, 'uuid': place.info.uuid, 'revision': place.revision}
        for place in maps
    ]


def _content(row: np.void, revisions: Mapping[int, str]) -> dict[str, object]:
    names = ('distance', 'ratio', 'confidence', 'support')
    return {
        'rank': int(row['rank']),
        'keyframe_id': int(row['keyframe_id']),
        'map_id': int(row['map_id']),
        'map_revision': revisions.get(int(row['map_id'])),
        'accepted': bool(row['flags'] & Flag.ACCEPTED),
        'live': bool(row['flags'] & Flag.LIVE_SESSION),
        **{name: round(float(row[name]), 4) for name in names},
        'relative_yaw_rad': round(float(row['relative_yaw']), 4),
        'position_m': [round(float(row[name]), 3) for name in ('map_x', 'map_y', 'map_z')],
    }
