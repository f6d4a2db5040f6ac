# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The map of a place server, searched as any other; what it answers is checked like a file."""

from __future__ import annotations

from base64 import b64decode
from copy import copy
from dataclasses import dataclass, fields
import re
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray
from ssd_ros.bev.polar_bev import view_yaws_rad
from ssd_ros.confidence.file import confidence_of_map
from ssd_ros.fleet.asked import Ask, MAX_CANDIDATES
from ssd_ros.fleet.client import PlaceClient, PlaceServerError
from ssd_ros.maps.files import MapInfo
from ssd_ros.maps.meta import revision_of
from ssd_ros.maps.neighbours import Neighbours, Prior
from ssd_ros.maps.place_database import Keyframe, PlaceDatabase
from ssd_ros.motion.trajectory import Trajectory
from ssd_ros.records import check_limits, Limits, record_from_mapping, shortened
from ssd_ros.verification.returns import NO_RETURN, NUM_RETURNS

_MAX_M = 1e9
_MAX_NS = (1 << 31) * 10**9 - 1  # what a stamp of ROS can hold
_NO_RETURNS = np.full((NUM_RETURNS, 2), NO_RETURN, np.int16)
Record = TypeVar('Record')


class OtherRevisionError(PlaceServerError):
    """The server has another map by now: what is known of the old one is void."""


@dataclass(frozen=True, slots=True)
class _Sizes:
    keyframes: int
    rows: int
    descriptor_size: int

    def __post_init__(self) -> None:
        limits = {'keyframes': Limits(1, 1 << 31), 'rows': Limits(1, 1 << 40)}
        check_limits(self, limits | {'descriptor_size': Limits(1, 1 << 16)})


@dataclass(frozen=True, slots=True)
class _Found:
    """A candidate as the server tells it."""

    keyframe_id: int
    stamp_ns: int
    position_m: tuple[float, ...]
    quaternion_xyzw: tuple[float, ...]
    relative_yaw_rad: float
    distance: float
    segment: int
    returns_cm: str = ''

    def __post_init__(self) -> None:
        limits = {'keyframe_id': Limits(0, 1 << 31), 'segment': Limits(0, 1 << 31)}
        limits |= {'distance': Limits(0, 2.01), 'relative_yaw_rad': Limits(-7, 7)}
        limits |= {'stamp_ns': Limits(0, _MAX_NS)}
        check_limits(self, limits)
        if len(self.position_m) != 3 or max(map(abs, self.position_m)) > _MAX_M:
            raise ValueError(f'position_m is {shortened(self.position_m)}, expected three metres')
        length = float(np.linalg.norm(self.quaternion_xyzw))
        if len(self.quaternion_xyzw) != 4 or abs(length - 1) > 1e-3:
            raise ValueError(f'quaternion_xyzw is {shortened(self.quaternion_xyzw)}, no rotation')

    def keyframe(self) -> Keyframe:
        """Return it with its returns, none if they did not come."""
        content = b64decode(self.returns_cm, validate=True)
        if len(content) % 4:
            raise ValueError(f'returns_cm has {len(content)} bytes, expected pairs of int16')
        returns_cm = np.frombuffer(content, '<i2').reshape(-1, 2).astype(np.int16)
        return Keyframe(
            self.stamp_ns,
            np.array(self.position_m, np.float64),
            np.array(self.quaternion_xyzw, np.float64),
            returns_cm if len(returns_cm) else _NO_RETURNS,
        )


class RemoteDatabase(PlaceDatabase):
    """
    A map that a place server has; `find` asks for it, which takes a while.

    Only what the last answer named is known of its keyframes.
    """

    def __init__(self, client: PlaceClient, num_verified: tuple[int, int]) -> None:
        """
        Ask what the map is.

        :param num_verified: of the nearest and of those elsewhere, which come with their returns
        :raise PlaceServerError: the server does not answer, or not as one does
        """
        told = client.describe()
        try:
            self._checksum = _checksum_in(told)
            self.revision = revision_of({'meta_sha256': self._checksum})
            self._sizes = _record(_Sizes, told, 'map')
            self.info = record_from_mapping(MapInfo, told.get('info'))
            info = self.info
            self.confidence = confidence_of_map(
                told.get('confidence'), info.encoder, info.descriptor_space, info.sensor
            )
            self.keyframes = _corners(told.get('bounds_m'))
        except ValueError as error:
            raise PlaceServerError(f'its map cannot be used: {error}') from error
        self._client = client
        self._prior: Prior | None = None
        self._num_verified = num_verified
        self._found: dict[int, tuple[Keyframe, int]] = {}

    def __len__(self) -> int:
        """Return the number of keyframes over there."""
        return self._sizes.keyframes

    @property
    def num_rows(self) -> int:
        """Number of descriptors over there."""
        return self._sizes.rows

    @property
    def descriptor_size(self) -> int:
        """Length of a descriptor, D."""
        return self._sizes.descriptor_size

    @property
    def view_yaws_rad(self) -> NDArray[np.float64]:
        """Heading of each view relative to its keyframe, counter-clockwise, (num_views,)."""
        return view_yaws_rad(self.info.num_views)

    def within(self, prior: Prior) -> PlaceDatabase:
        """Return the map, to be asked with a prior."""
        same = copy(self)
        same._prior = prior
        return same

    def find(self, description: NDArray[np.float32], num: int) -> Neighbours:
        """
        Ask the server for the nearest keyframes, by one view or by a whole turn.

        :param num: not heeded: the server looks at as many rows as it does for everybody
        :raise PlaceServerError: it does not answer, or not as one does
        :raise OtherRevisionError: it has another map by now
        """
        first, elsewhere = self._num_verified
        num_returns = min(first + elsewhere, MAX_CANDIDATES)
        ask = Ask(MAX_CANDIDATES, max(first, 1), elsewhere, self._prior, num_returns)
        reply = self._client.find(description, ask)
        try:
            if _checksum_in(reply) != self._checksum:
                raise OtherRevisionError('the map over there was replaced')
            given, horizon = reply.get('candidates'), reply.get('horizon')
            if not isinstance(given, list) or len(given) > 2 * MAX_CANDIDATES:
                raise ValueError(f'candidates are {shortened(given)}')
            found = [_record(_Found, each, 'candidate') for each in given]
            self._found.clear()  # shared with the copies that have a prior
            self._found.update(
                {each.keyframe_id: (each.keyframe(), each.segment) for each in found}
            )
            return _neighbours(found, horizon)
        except ValueError as error:
            raise PlaceServerError(f'its answer cannot be used: {error}') from error

    def keyframe(self, number: int) -> Keyframe:
        """Return one of the keyframes that were found last."""
        return self._found[number][0]

    def segment(self, number: int) -> int:
        """Return of which frame the pose of a keyframe is that was found last."""
        return self._found[number][1]

    def segments(self, numbers: NDArray[np.int64]) -> NDArray[np.int64]:
        """Return of which frames the poses of keyframes are that were found last, shape (N,)."""
        return np.array([self._found[number][1] for number in numbers.tolist()], np.int64)

    def positions_m(self, numbers: NDArray[np.int64]) -> NDArray[np.float64]:
        """Return where keyframes are that were found last, shape (N, 3)."""
        places = [self._found[number][0].position_m for number in numbers.tolist()]
        return np.array(places).reshape(-1, 3)


def _checksum_in(told: dict[str, Any]) -> str:
    revision = told.get('revision')
    if not isinstance(revision, str) or not re.fullmatch('[0-9a-f]{64}', revision):
        raise ValueError(f'revision is {shortened(revision)}, expected the checksum of a map')
    return revision


def _record(cls: type[Record], told: Any, name: str) -> Record:
    """Return what is needed of what is told; a later server may tell more."""
    if not isinstance(told, dict):
        raise ValueError(f'a {name} is {shortened(told)}, expected a mapping')
    known = {field.name for field in fields(cls)}  # type: ignore[arg-type]
    return record_from_mapping(cls, {key: told[key] for key in known & set(told)}, f'{name}.')


def _neighbours(found: list[_Found], horizon: Any) -> Neighbours:
    if len({each.keyframe_id for each in found}) < len(found):
        raise ValueError('a keyframe is named twice')
    order = sorted(found, key=lambda each: each.distance)
    if horizon is None:
        horizon = np.inf  # nothing else was searched
    if not (type(horizon) in (int, float) and (0 <= horizon <= 4 or horizon == np.inf)):
        raise ValueError(f'horizon is {shortened(horizon)}, expected a distance')
    return Neighbours(
        np.array([each.keyframe_id for each in order], np.int64),
        np.array([each.relative_yaw_rad for each in order], np.float64),
        np.array([each.distance for each in order], np.float32),
        float(horizon),
    )


def _corners(bounds_m: Any) -> Trajectory:
    """Return two corners of a map in place of its keyframes."""
    try:
        places_m = np.array(bounds_m, np.float64)
    except (TypeError, ValueError, OverflowError):
        places_m = np.zeros(0)
    if places_m.shape != (2, 3) or not (np.abs(places_m) <= _MAX_M).all():
        raise ValueError(f'bounds_m is {shortened(bounds_m)}, expected two corners')
    turns = np.tile([0.0, 0.0, 0.0, 1.0], (2, 1))
    return Trajectory(np.array([1, 2]), places_m, turns)
