# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Queries asked of a map, and how right the verified candidates are."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
import math
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from ssd_ros.cli.trust.asked.queries import DriveQueries
from ssd_ros.confidence.radar_profile import unknown_profiles
from ssd_ros.data_origin import kind_of, UNKNOWN
from ssd_ros.maps.place_database import PlaceDatabase
from ssd_ros.motion.trajectory import wrap_angle, yaw_from_quaternion
from ssd_ros.npy_files import MAX_ARCHIVE_BYTES, read_archive
from ssd_ros.recognition.answer import LoopClosureCandidate
from ssd_ros.recognition.place_recognizer import PlaceRecognizer
from ssd_ros.targets import file_written
from ssd_ros.verification.pose_misfit import MAX_MISFIT_M

Progress = Callable[[int, int], None]
_TEXTS = ('query_drive', 'origin', 'map_drive', 'sensor', 'shift')
_PER_CANDIDATE = ('distance', 'ratio', 'overlap', 'agreement', 'rival', 'support', 'ambiguity')


@dataclass(frozen=True, slots=True)
class PairAnswers:
    """
    What one drive found in one map: Q queries, K verified candidates each, nearest first.

    Nothing here depends on a calibration. Where a query has fewer candidates there is NaN.

    :param origin: kind of the data of both drives together
    :param map_drive: that made the map
    :param sensor: of the map, 'spinning', '4d' or 'lidar'
    :param poses: shape (Q, 3), true x, y, yaw of the queries in their world
    :param nearest_m: shape (Q,), to the nearest keyframe; infinite in the map of another world
    :param keyframe_m: shape (Q, K), from the query to the candidate's keyframe, likewise
    :param error_m: shape (Q, K), of the candidate's position, likewise
    :param yaw_error_rad: shape (Q, K), absolute
    :param x_m: shape (Q, K), with y_m and yaw_rad where the candidate says that the query is in
        the map
    :param offset_m: shape (Q, K), from the candidate's keyframe to there
    :param novelty_distance: shape (Q,), of the map, 0 = not known
    :param map_misfit_m: shape (Q,), how far the poses of the map disagree with its returns, NaN =
        not known
    :param low_points: shape (Q,), too few static returns for any candidate to be accepted
    :param travelled_m: shape (Q,), with segments and is_standing as of DriveQueries
    :param profile: shape (Q, S), of the radar, see RadarProfile; NaN where not known
    :param verify_ms: shape (Q,), of all candidates together
    :param shift: what is unlike the other benchmark, by name; empty if nothing is
    """

    query_drive: str
    origin: str
    map_drive: str
    sensor: str
    poses: NDArray[np.float64]
    nearest_m: NDArray[np.float64]
    distance: NDArray[np.float64]
    ratio: NDArray[np.float64]
    overlap: NDArray[np.float64]
    agreement: NDArray[np.float64]
    rival: NDArray[np.float64]
    support: NDArray[np.float64]
    ambiguity: NDArray[np.float64]
    keyframe_m: NDArray[np.float64]
    error_m: NDArray[np.float64]
    yaw_error_rad: NDArray[np.float64]
    x_m: NDArray[np.float64]
    y_m: NDArray[np.float64]
    yaw_rad: NDArray[np.float64]
    offset_m: NDArray[np.float64]
    novelty_distance: NDArray[np.float64]
    map_misfit_m: NDArray[np.float64]
    low_points: NDArray[np.bool_]
    travelled_m: NDArray[np.float64]
    segments: NDArray[np.int64]
    is_standing: NDArray[np.bool_]
    profile: NDArray[np.float64]
    verify_ms: NDArray[np.float64]
    shift: str = ''

    def __len__(self) -> int:
        return len(self.poses)

    @property
    def world(self) -> str:
        """Of the queries."""
        return self.query_drive.rpartition('/')[0]

    @property
    def is_stranger(self) -> bool:
        """Whether the drive was in another world than the map."""
        return self.world != self.map_drive.rpartition('/')[0]

    @property
    def has_wrong_poses(self) -> NDArray[np.bool_]:
        """Whether the recogniser refuses the map for its poses, shape (Q,)."""
        return self.map_misfit_m > MAX_MISFIT_M

    @property
    def is_same_session(self) -> bool:
        """Whether the drive was looked up in its own map."""
        return self.query_drive == self.map_drive

    def select(self, chosen: NDArray[np.bool_]) -> PairAnswers:
        """Return the answers to some of the queries."""
        arrays: dict[str, Any] = {
            name: getattr(self, name)[chosen] for name in self.__slots__ if name not in _TEXTS
        }
        return replace(self, **arrays)

    def save(self, path: Path) -> None:
        """Write the answers, whole or not at all."""
        with file_written(path, rb'query_drive\.npy') as file:
            arrays: dict[str, Any] = {name: getattr(self, name) for name in self.__slots__}
            np.savez_compressed(file, **arrays)

    @classmethod
    def load(cls, path: Path) -> PairAnswers:
        """
        Read what `save` wrote.

        :raise ValueError: it holds something else
        """
        found = read_archive(path, MAX_ARCHIVE_BYTES, 'the answers of a map')
        num = len(np.atleast_1d(found.get('poses', 0)))
        profile = unknown_profiles(num)
        later = {  # which earlier ones do not tell
            'origin': UNKNOWN,
            'map_misfit_m': np.full(num, np.nan),
            'travelled_m': np.full(num, np.nan),
            'segments': np.zeros(num, np.int64),
            'is_standing': np.zeros(num, bool),
            'profile': profile,
            'shift': '',
            'rival': np.full(np.shape(found.get('overlap', 0)), np.nan),
            'ambiguity': np.full(np.shape(found.get('overlap', 0)), np.nan),
        }
        values: dict[str, Any] = {**later, **found}
        if missing := [name for name in cls.__slots__ if name not in values]:
            raise ValueError(f'{path} does not hold the answers of a map: {missing[0]} is missing')
        for name in cls.__slots__:
            value = np.asarray(values[name])
            values[name] = str(value) if name in _TEXTS else value
            wanted = values['poses'].shape[:1] + (profile.shape[1:] if name == 'profile' else ())
            if name not in _TEXTS and value.shape[: len(wanted)] != wanted:
                raise ValueError(f'{path}: {name} has shape {value.shape} of {value.dtype}')
        return cls(**{name: values[name] for name in cls.__slots__})


def ask(
    queries: DriveQueries,
    recognizer: PlaceRecognizer,
    numbers: Sequence[int],
    progress: Progress,
) -> PairAnswers:
    """
    Ask queries of the one map of a recogniser.

    :param recognizer: with one map, not calibrated
    :param numbers: of the queries to ask, in order
    """
    (database,) = recognizer.maps
    is_stranger = queries.world != database.info.source.rpartition('/')[0]
    width = sum(recognizer.config.num_verified)
    rows: list[dict[str, NDArray[np.float64]]] = []
    low_points, verify_ms = [], []
    recognizer.clear()
    for number in numbers:
        recognition = recognizer.query(queries.query(number))
        verified = [item for item in recognition.candidates if item.verified][:width]
        rows.append(_row(verified, queries.poses[number], width))
        low_points.append(recognition.low_points)
        verify_ms.append(recognition.timings_ms.verify)
        progress(1, 0)
    chosen, misfit_m = np.array(numbers, np.int64), database.info.pose_misfit_m
    columns: dict[str, Any] = {name: np.stack([row[name] for row in rows]) for name in rows[0]}
    nearest_m = nearest_keyframe_m(queries.poses[chosen], database)
    if is_stranger:
        nearest_m[:] = np.inf
        for name in ('keyframe_m', 'error_m'):
            columns[name][:] = np.inf
    return PairAnswers(
        query_drive=queries.name,
        origin=kind_of([queries.origin.kind, database.info.data_origin.kind]),
        map_drive=database.info.source,
        sensor=database.info.sensor,
        poses=queries.poses[chosen],
        nearest_m=nearest_m,
        novelty_distance=np.full(len(chosen), database.novelty_distance),
        map_misfit_m=np.full(len(chosen), math.nan if misfit_m is None else misfit_m),
        low_points=np.array(low_points),
        travelled_m=queries.travelled_m[chosen],
        segments=queries.segments[chosen],
        is_standing=queries.is_standing[chosen],
        profile=queries.profile[chosen],
        verify_ms=np.array(verify_ms),
        **columns,
    )


def nearest_keyframe_m(poses: NDArray[np.float64], database: PlaceDatabase) -> NDArray[np.float64]:
    """Return the distance of poses of shape (Q, 3) to the nearest keyframe in xy, shape (Q,)."""
    offsets = poses[:, None, :2] - database.keyframes.positions_m[None, :, :2]
    return np.asarray(np.hypot(offsets[..., 0], offsets[..., 1]).min(axis=1))


def _row(
    found: Sequence[LoopClosureCandidate], truth: NDArray[np.float64], width: int
) -> dict[str, NDArray[np.float64]]:
    poses = 'x_m', 'y_m', 'yaw_rad', 'offset_m'
    names = (*_PER_CANDIDATE, 'keyframe_m', 'error_m', 'yaw_error_rad', *poses)
    row: dict[str, NDArray[np.float64]] = {name: np.full(width, np.nan) for name in names}
    for place, candidate in enumerate(found):
        for name in _PER_CANDIDATE:
            row[name][place] = getattr(candidate, name)
        row['keyframe_m'][place] = np.hypot(*(candidate.position_m[:2] - truth[:2]))
        pose = pose_of(candidate)
        row['error_m'][place] = np.hypot(*(pose[:2] - truth[:2]))
        row['x_m'][place], row['y_m'][place], row['yaw_rad'][place] = pose
        row['offset_m'][place] = np.hypot(candidate.relative_x_m, candidate.relative_y_m)
        row['yaw_error_rad'][place] = abs(float(wrap_angle(pose[2] - truth[2])))
    return row


def pose_of(candidate: LoopClosureCandidate) -> NDArray[np.float64]:
    """Return x, y, yaw of the query in the map according to a verified candidate."""
    yaw = float(yaw_from_quaternion(candidate.quaternion_xyzw))
    cos, sin = np.cos(yaw), np.sin(yaw)
    x, y = candidate.relative_x_m, candidate.relative_y_m
    shift = np.array([cos * x - sin * y, sin * x + cos * y])
    return np.append(candidate.position_m[:2] + shift, yaw + candidate.relative_yaw_rad)
