# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""
Whether the answers of the last metres agree with this one.

A right answer moves through the map as the vehicle moves over the ground; a look-alike seldom
does. The filter remembers the poses that recent queries were given and counts, for each new
candidate, how many of them the motion in between carries to it.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
import math

import numpy as np
from numpy.typing import NDArray
from ssd_ros.maps.place_search import are_elsewhere
from ssd_ros.motion.odometry import apart_m, compose, motion_between, OdometryPose
from ssd_ros.motion.trajectory import wrap_angle


@dataclass(frozen=True, slots=True)
class SequenceConfig:
    """What is remembered, and how nearly two answers must agree; chosen on validation worlds."""

    window: int = 16  # queries remembered
    spacing_m: float = 2.0  # travelled between two of them: nearer ones repeat the same view
    tolerance_m: float = 1.5  # between a pose and where the motion carries another one
    tolerance_per_m: float = 0.05  # more of it per metre travelled: drift, and error of heading
    yaw_tolerance_rad: float = 0.3
    min_turn_radius_m: float = 6.0  # limits the turn when only the distance travelled is known

    def __post_init__(self) -> None:
        if self.window < 1:
            raise ValueError(f'window is {self.window}, expected at least 1')
        for name in ('spacing_m', 'tolerance_m', 'tolerance_per_m', 'yaw_tolerance_rad'):
            if not 0 <= getattr(self, name) < math.inf:
                raise ValueError(f'{name} is {getattr(self, name)}, expected 0 or more')
        if not self.min_turn_radius_m > 0:
            raise ValueError(
                f'min_turn_radius_m is {self.min_turn_radius_m}, expected more than 0'
            )

    @property
    def max_travel_m(self) -> float:
        """Distance after which a query is forgotten."""
        return 2 * self.window * self.spacing_m


DEFAULT_CONFIG = SequenceConfig()


@dataclass(frozen=True)  # with slots nothing could be computed once
class SequenceEntry:
    """
    One remembered query.

    :param poses: shape (M, 3): x, y, yaw of its best candidates, those that fit about alike
    :param map_ids: shape (M,) int64, in which map
    :param ways_m: shape (M,), see are_elsewhere
    """

    odometry: OdometryPose
    poses: NDArray[np.float64]
    map_ids: NDArray[np.int64]
    ways_m: NDArray[np.float64] | float = 0.0

    @cached_property
    def ambiguous_ids(self) -> NDArray[np.int64]:
        """The maps in which two of its poses are of different places."""
        is_same_map = self.map_ids[:, None] == self.map_ids
        is_other = are_elsewhere(self.poses[:, :2], self.ways_m)
        has_other = (is_same_map & is_other).any(axis=1)
        return self.map_ids[has_other]


class SequenceFilter:
    """Recent queries, linked by odometry, as witnesses for the candidates of the next one."""

    def __init__(self, config: SequenceConfig = DEFAULT_CONFIG) -> None:
        self.config = config
        self._entries: list[SequenceEntry] = []

    def clear(self) -> None:
        """Forget all queries."""
        self._entries = []

    def state(self) -> tuple[SequenceEntry, ...]:
        """Return the remembered queries, oldest first."""
        return tuple(self._entries)

    def support(
        self, odometry: OdometryPose, poses: NDArray[np.float64], map_ids: NDArray[np.integer]
    ) -> NDArray[np.float64]:
        """
        Return the share of the remembered queries that agree with each candidate.

        A query agrees if the motion since then carries one of its poses in the same map to the
        candidate's: where it could not tell two places apart, it is a witness for both. Queries
        nearer than spacing_m are no witnesses: they saw the same. With fewer witnesses than half
        the window the share is not known, since a lucky first one would make it 1.

        :param odometry: at the query that the candidates answer
        :param poses: shape (K, 3): x, y, yaw of the query in the map according to each candidate
        :param map_ids: shape (K,), in which map
        :return: shape (K,), 0 .. 1; NaN while it is not known
        """
        poses, map_ids = _checked(poses, map_ids)
        witnesses = self._witnesses(odometry)
        if not witnesses:
            return np.full(len(poses), np.nan)
        sizes = [len(entry.poses) for entry in witnesses]
        of_witness = np.repeat(np.arange(len(witnesses)), sizes)
        before = np.concatenate([entry.poses for entry in witnesses])[:, None]
        travelled_m = np.array(
            [odometry.travelled_m - entry.odometry.travelled_m for entry in witnesses]
        )[of_witness, None]
        if odometry.planar is None:
            agrees = self._can_reach(before, travelled_m, poses)
        else:
            odometry_before = np.array([entry.odometry.planar for entry in witnesses])
            motion = motion_between(odometry_before, odometry.planar)[of_witness, None]
            agrees = self._arrives(before, motion, travelled_m, poses)
        agrees &= np.concatenate([entry.map_ids for entry in witnesses])[:, None] == map_ids
        # However many poses a witness has, it is one.
        ends = np.cumsum(sizes)[:-1]
        return np.asarray(np.mean([each.any(axis=0) for each in np.split(agrees, ends)], axis=0))

    def ambiguity(
        self, odometry: OdometryPose, map_ids: NDArray[np.integer]
    ) -> NDArray[np.float64]:
        """
        Return the share of the remembered queries that could not tell two places of a map apart.

        Where a place repeats itself, a wrong answer moves through the map as a right one does, so
        that support says nothing. Of each map by itself: where the vehicle is not, all fits alike.

        :param map_ids: shape (K,), of the candidates
        :return: shape (K,), 0 .. 1; NaN while it is not known, as in support()
        """
        ids, witnesses = np.asarray(map_ids, np.int64), self._witnesses(odometry)
        if not witnesses:
            return np.full(len(ids), np.nan)
        alike = [(ids[:, None] == entry.ambiguous_ids).any(axis=1) for entry in witnesses]
        return np.asarray(np.mean(alike, axis=0))

    def _witnesses(self, odometry: OdometryPose) -> list[SequenceEntry]:
        """Return the queries that saw something else; none if they are too few."""
        witnesses = [
            entry
            for entry in self._linked(odometry)
            if apart_m(odometry, entry.odometry) >= self.config.spacing_m
        ]
        return witnesses if len(witnesses) >= self.config.window / 2 else []

    def add(
        self,
        odometry: OdometryPose,
        poses: NDArray[np.float64],
        map_ids: NDArray[np.integer],
        ways_m: NDArray[np.float64] | float = 0.0,
    ) -> None:
        """
        Remember a query if it lies spacing_m from the last one.

        :param poses: shape (K, 3), as for support(): the best, and those that fit as well
        :param map_ids: shape (K,)
        :param ways_m: shape (K,), see are_elsewhere
        """
        poses, map_ids = _checked(poses, map_ids)
        # Poses may be missing for a few queries: those before are kept for their return.
        self._entries = [
            entry
            for entry in self._entries
            if not _is_same_kind(entry, odometry) or self._is_linked(entry, odometry)
        ]
        linked = self._linked(odometry)
        if linked and apart_m(odometry, linked[-1].odometry) < self.config.spacing_m:
            return
        self._entries.append(SequenceEntry(odometry, poses, map_ids, ways_m))
        del self._entries[: -self.config.window]

    def _linked(self, odometry: OdometryPose) -> list[SequenceEntry]:
        """Return the queries between which and this one the motion is known."""
        return [entry for entry in self._entries if self._is_linked(entry, odometry)]

    def _is_linked(self, entry: SequenceEntry, odometry: OdometryPose) -> bool:
        before = entry.odometry
        return (
            _is_same_kind(entry, odometry)
            and before.segment == odometry.segment
            and abs(odometry.travelled_m - before.travelled_m) <= self.config.max_travel_m
        )

    def _arrives(
        self,
        before: NDArray[np.float64],
        motion: NDArray[np.float64],
        travelled_m: NDArray[np.float64],
        after: NDArray[np.float64],
    ) -> NDArray[np.bool_]:
        """
        Return whether the motion carries the poses before to the poses after.

        :param before: shape (N, 1, 3)
        :param motion: shape (N, 1, 3)
        :param travelled_m: shape (N, 1)
        :param after: shape (K, 3)
        :return: shape (N, K)
        """
        miss = after - compose(before, motion)
        is_near = np.hypot(miss[..., 0], miss[..., 1]) <= self._tolerance_m(travelled_m)
        return is_near & (np.abs(wrap_angle(miss[..., 2])) <= self.config.yaw_tolerance_rad)

    def _can_reach(
        self,
        before: NDArray[np.float64],
        travelled_m: NDArray[np.float64],
        after: NDArray[np.float64],
    ) -> NDArray[np.bool_]:
        """
        Return whether a way of that length may lead from the poses before to the poses after.

        The way may turn unevenly (straight on, then a corner), but to one side only. Then it
        ends, seen along the mean of both headings, at least length * cos(turn / 2) ahead, at most
        length * sin(turn / 2) aside, and no farther away than its length.

        :return: shape (N, K), from the shapes of _arrives()
        """
        turn = wrap_angle(after[:, 2] - before[..., 2])
        x, y = np.moveaxis(after[:, :2] - before[..., :2], -1, 0)
        heading = before[..., 2] + turn / 2
        ahead = (np.cos(heading) * x + np.sin(heading) * y) * np.copysign(1, travelled_m)
        aside = np.abs(np.cos(heading) * y - np.sin(heading) * x)
        length = np.abs(travelled_m)
        miss_ahead = ahead - np.clip(ahead, length * np.cos(turn / 2), length)
        miss_aside = np.maximum(aside - length * np.sin(np.abs(turn) / 2), 0)
        max_turn = self.config.yaw_tolerance_rad + length / self.config.min_turn_radius_m
        miss = np.maximum(np.hypot(miss_ahead, miss_aside), np.hypot(x, y) - length)
        return (miss <= self._tolerance_m(travelled_m)) & (np.abs(turn) <= max_turn)

    def _tolerance_m(self, travelled_m: NDArray[np.float64]) -> NDArray[np.float64]:
        return self.config.tolerance_m + self.config.tolerance_per_m * np.abs(travelled_m)


def _is_same_kind(entry: SequenceEntry, odometry: OdometryPose) -> bool:
    """Return whether both know their pose or neither; paths of two kinds do not compare."""
    return (entry.odometry.planar is None) == (odometry.planar is None)


def _checked(
    poses: NDArray[np.float64], map_ids: NDArray[np.integer]
) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    poses, ids = np.asarray(poses, np.float64), np.asarray(map_ids, np.int64)
    if poses.ndim != 2 or poses.shape[1] != 3 or ids.shape != poses.shape[:1]:
        raise ValueError(
            f'poses have shape {poses.shape} and map_ids {ids.shape}, expected (K, 3) and (K,)'
        )
    return poses, ids
