# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Signs of how well places are found on a drive where nobody knows the truth."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Mapping
import math
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from ssd_ros.motion.odometry import motion_between, OdometryPose
from ssd_ros.recognition.answer import LoopClosureCandidate, Recognition
from ssd_ros.ros.messages.candidate_rows import keyframe_base, keyframe_pose
from ssd_ros.ros.messages.geometry import turn

NUM_KEPT = 600  # half a minute at 20 Hz
PAIR_SPACING_M = 5.0  # nearer answers agree whatever they say
TOLERANCE_M, TOLERANCE_PER_M = 2.0, 0.05
JUMP_M = 25.0  # farther than the vehicle went by this is another place
_SUPPORTED = 0.5  # as the flag of a row
_AT_RADAR = turn(0.0)


class _Place(NamedTuple):
    """Where an answer put the radar: on its way, and x, y, yaw in the map."""

    odometry: OdometryPose
    planar: NDArray[np.float64]


class RecallProxies:
    """
    Shares over the last answers; written by one thread, read by others.

    Places of the running drive count for the support alone: only maps can be compared with
    odometry.
    """

    def __init__(self) -> None:
        self._consistent: deque[bool] = deque(maxlen=NUM_KEPT)
        self._supported: deque[bool] = deque(maxlen=NUM_KEPT)
        self._jumped: deque[bool] = deque(maxlen=NUM_KEPT)
        self._novel: deque[bool] = deque(maxlen=NUM_KEPT)
        self._agreements_m: deque[float] = deque(maxlen=NUM_KEPT)
        self._last: _Place | None = None
        self._last_accepted: _Place | None = None

    @property
    def num_pairs(self) -> int:
        """Pairs of accepted answers that odometry links."""
        return len(self._consistent)

    def add(
        self,
        recognition: Recognition,
        odometry: OdometryPose | None,
        novelty_distances: Mapping[int, float],
    ) -> None:
        """
        Note an answer.

        :param odometry: how far the vehicle has come at its query
        :param novelty_distances: by map_id; 0 = not known
        """
        found = recognition.candidates
        if found:
            self._supported.append(found[0].support >= _SUPPORTED)  # False for NaN
        best = next((candidate for candidate in found if not candidate.is_live), None)
        if best is None:
            return
        if novelty_distances.get(best.map_id, 0.0) > 0:
            self._novel.append(best.distance > novelty_distances[best.map_id])
        if odometry is None:
            return
        place = _Place(odometry, _planar(best))
        if self._last is not None and _are_linked(self._last, place):
            self._jumped.append(_leap_m(self._last, place) > JUMP_M)
        self._last = place
        if best.accepted:
            self._add_accepted(place)

    def add_agreement(self, distance_m: float) -> None:
        """Note how far an accepted pose lies from where the back end says the vehicle is."""
        self._agreements_m.append(distance_m)

    def values(self) -> dict[str, float]:
        """Return shares, NaN where nothing was counted, and the median agreement in metres."""
        agreements_m = list(self._agreements_m)
        return {
            'odom_consistency': _share(self._consistent),
            'support_rate': _share(self._supported),
            'jump_rate': _share(self._jumped),
            'novelty_rate': _share(self._novel),
            'backend_agreement': float(np.median(agreements_m)) if agreements_m else math.nan,
        }

    def _add_accepted(self, place: _Place) -> None:
        last = self._last_accepted
        if last is not None and _are_linked(last, place):
            travelled_m = abs(place.odometry.travelled_m - last.odometry.travelled_m)
            if travelled_m < PAIR_SPACING_M:
                return
            tolerance_m = TOLERANCE_M + TOLERANCE_PER_M * travelled_m
            self._consistent.append(_miss_m(last, place) <= tolerance_m)
        self._last_accepted = place


def _planar(candidate: LoopClosureCandidate) -> NDArray[np.float64]:
    pose = keyframe_pose(candidate) @ keyframe_base(candidate, _AT_RADAR)
    return np.append(pose.position_m[:2], pose.yaw_rad)


def _are_linked(first: _Place, second: _Place) -> bool:
    """Return whether odometry knows the way between two places."""
    is_planar = [place.odometry.planar is not None for place in (first, second)]
    return first.odometry.segment == second.odometry.segment and is_planar[0] == is_planar[1]


def _leap_m(first: _Place, second: _Place) -> float:
    """Return how much farther the answers lie apart than the vehicle went."""
    apart_m = float(np.hypot(*(second.planar - first.planar)[:2]))
    return apart_m - abs(second.odometry.travelled_m - first.odometry.travelled_m)


def _miss_m(first: _Place, second: _Place) -> float:
    """Return how far the second answer lies from where odometry leads from the first."""
    if first.odometry.planar is None or second.odometry.planar is None:
        return _leap_m(first, second)
    said = motion_between(first.planar, second.planar)
    driven = motion_between(first.odometry.planar, second.odometry.planar)
    return float(np.hypot(*(said - driven)[:2]))


def _share(flags: Iterable[bool]) -> float:
    kept = list(flags)
    return sum(kept) / len(kept) if kept else math.nan
