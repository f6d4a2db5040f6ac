# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Queries of a drive as the recogniser prepares them, kept on disk to be asked of many maps."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
import json
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from ssd_ros.bev.preprocessing import RadarImage
from ssd_ros.confidence.radar_profile import NAMES, unknown_profiles
from ssd_ros.data_origin import Origin, origin_from, origin_text
from ssd_ros.datasets.left_out import LeftOut
from ssd_ros.datasets.sequence import origin_of, RadarSequence, sensor_scans
from ssd_ros.encoders.place_encoder import PlaceEncoder
from ssd_ros.evaluation.queries.answers import select_queries
from ssd_ros.maps.live_session import LiveSession
from ssd_ros.maps.place_database import Keyframe
from ssd_ros.motion.odometry import OdometryPose
from ssd_ros.motion.trajectory import quaternion_from_yaw
from ssd_ros.npy_files import MAX_ARCHIVE_BYTES, read_archive
from ssd_ros.radar.ego_velocity import unknown_velocity
from ssd_ros.radar.types import RADARS
from ssd_ros.recognition.answer import Query
from ssd_ros.recognition.offline.drive_odometry import odometry_of
from ssd_ros.recognition.place_recognizer import PlaceRecognizer
from ssd_ros.targets import file_written
from ssd_ros.verification import returns_of_points

Progress = Callable[[int, int], None]

_MOVED_M = 1.0  # reconstructed: from query to query, by the true poses


@dataclass(frozen=True, slots=True)
class DriveQueries:
    """
    Queries of one drive, in order of time.

    :param name: of the drive, beginning with its world
    :param origin: of its data
    :param stamps_ns: shape (Q,)
    :param poses: shape (Q, 3): x, y in metres, yaw in radians in the map, the truth
    :param bevs: shape (Q, num_ranges, num_azimuths) uint8; of turns panoramas
    :param points_m: shape (P, 2) float32, static returns of all windows
    :param first_points: shape (Q + 1,), where those of each query begin
    :param travelled_m: shape (Q,), by the radar's own velocity; NaN where not known
    :param segments: shape (Q,), see OdometryPose
    :param is_standing: shape (Q,), whether the vehicle stood
    :param profile: shape (Q, S), of the radar until then, see RadarProfile; NaN where not known
    """

    name: str
    origin: Origin
    stamps_ns: NDArray[np.int64]
    poses: NDArray[np.float64]
    bevs: NDArray[np.uint8]
    points_m: NDArray[np.float32]
    first_points: NDArray[np.int64]
    travelled_m: NDArray[np.float64]
    segments: NDArray[np.int64]
    is_standing: NDArray[np.bool_]
    profile: NDArray[np.float64]

    def __len__(self) -> int:
        return len(self.stamps_ns)

    @property
    def world(self) -> str:
        """Drives of one world share a map frame."""
        return self.name.rpartition('/')[0]

    def query(self, number: int) -> Query:
        """Return one query as the recogniser wants it."""
        first, last = self.first_points[number : number + 2]
        points_m = self.points_m[first:last]
        odometry = odometry_at(float(self.travelled_m[number]), int(self.segments[number]))
        image = RadarImage(self.bevs[number], unknown_velocity(len(points_m)), points_m)
        stamp_ns = int(self.stamps_ns[number])
        return Query(
            stamp_ns,
            image,
            None,
            odometry,
            0.0,
            stamp_ns,
            profile=self.profile[number],
            is_standing=bool(self.is_standing[number]),
        )

    def select(self, numbers: NDArray[np.int64]) -> DriveQueries:
        """Return some of the queries, ascending numbers of shape (N,)."""
        windows = [slice(*self.first_points[number : number + 2]) for number in numbers]
        chosen: dict[str, Any] = {
            name: getattr(self, name)[numbers] for name in _ARRAYS if 'points' not in name
        }
        chosen['points_m'] = np.concatenate([np.zeros((0, 2), np.float32), *(
            self.points_m[window] for window in windows
        )])  # fmt: skip
        lengths = np.diff(self.first_points)[numbers]
        chosen['first_points'] = np.concatenate([[0], np.cumsum(lengths)])
        return replace(self, **chosen)

    @classmethod
    def none(cls, name: str, origin: Origin) -> DriveQueries:
        """Return those of a drive without the radar that asks."""
        empty: dict[str, NDArray[Any]] = {
            name: np.zeros(shape, dtype) for name, (shape, dtype) in _ARRAYS.items()
        }
        return cls(name, origin, **empty)

    def save(self, path: Path) -> None:
        """Write the queries, whole or not at all."""
        arrays = {name: getattr(self, name) for name in _ARRAYS}
        with file_written(path, rb'name\.npy') as file:
            name, origin = np.array(self.name), np.array(origin_text(self.origin))
            np.savez_compressed(file, name=name, origin=origin, **arrays)

    @classmethod
    def load(cls, path: Path) -> DriveQueries:
        """
        Read what `save` wrote.

        :raise ValueError: it holds something else
        """
        found = read_archive(path, MAX_ARCHIVE_BYTES, 'the queries of a drive')
        try:
            # Earlier ones do not tell.
            origin = json.loads(str(found['origin'])) if 'origin' in found else None
            num = len(found['stamps_ns'])
            later = {'profile': unknown_profiles(num), 'is_standing': np.zeros(num, bool)}
            known = {**later, **found}
            arrays = {name: known[name] for name in _ARRAYS}
            _check_arrays(arrays)
            return cls(str(found['name']), origin_from(origin), **arrays)
        except (KeyError, RecursionError, ValueError) as error:
            raise ValueError(f'{path} does not hold the queries of a drive: {error}') from error


# Shape without queries and type.
_ARRAYS: dict[str, tuple[tuple[int, ...], type]] = {
    'stamps_ns': ((0,), np.int64),
    'poses': ((0, 3), np.float64),
    'bevs': ((0, 0, 0), np.uint8),
    'points_m': ((0, 2), np.float32),
    'first_points': ((1,), np.int64),
    'travelled_m': ((0,), np.float64),
    'segments': ((0,), np.int64),
    'is_standing': ((0,), np.bool_),
    'profile': ((0, len(NAMES)), np.float64),
}


def odometry_at(travelled_m: float, segment: int) -> OdometryPose | None:
    """Return how far a vehicle has come, None where that is not known."""
    return OdometryPose(travelled_m, None, segment) if np.isfinite(travelled_m) else None


def _check_arrays(arrays: dict[str, NDArray[Any]]) -> None:
    num_queries, num_points = len(arrays['stamps_ns']), len(arrays['points_m'])
    lengths = {'points_m': num_points, 'first_points': num_queries + 1}
    for name, (shape, kind) in _ARRAYS.items():
        found = arrays[name]
        # Only the size of images differs from drive to drive.
        wanted = (lengths.get(name, num_queries), *(size or -1 for size in shape[1:]))
        fits = [size in (-1, have) for size, have in zip(wanted, found.shape, strict=False)]
        if found.dtype != kind or found.ndim != len(wanted) or not all(fits):
            raise ValueError(f'{name} has shape {found.shape} and type {found.dtype}')
    first = arrays['first_points']
    if first[0] != 0 or first[-1] != num_points or (np.diff(first) < 0).any():
        raise ValueError(f'first_points do not ascend from 0 to {num_points}')


def queries_of(
    drive: RadarSequence,
    recognizer: PlaceRecognizer,
    spacing_m: float,
    progress: Progress,
    every_s: float | None = None,
) -> DriveQueries:
    """
    Feed all scans of a drive to a recogniser and keep a query every few metres.

    Scans that cannot be read are left out and logged; most of them end the work. The way travelled
    is told by Doppler, of a spinning radar, which has none, by the poses.

    :param recognizer: its maps are not asked; of its radar the scans are
    :param spacing_m: between two queries
    :param every_s: time between two queries instead, where the vehicle hardly moves
    :raise ValueError: no scan of that radar has a pose, or too few can be read
    """
    sensor = recognizer.sensor
    chosen, kept = select_queries(drive, spacing_m if every_s is None else 0.0, sensor)
    if every_s is not None:
        due = np.diff((kept.stamps_ns - kept.stamps_ns[0]) // round(every_s * 1e9), prepend=-1) > 0
        chosen, kept = chosen[due], kept.select(due)
    wanted = set(chosen.tolist())
    scans = sensor_scans(drive, sensor)
    queries, is_read = [], np.zeros(len(scans), bool)
    left_out = LeftOut(drive.name, f'{RADARS[sensor]} scan')
    # As a vehicle's odometry would tell how its radar is mounted.
    poses = odometry_of(drive, sensor)
    for index in range(len(is_read)):
        if (scan := left_out.read(scans.read, index)) is not None:
            pose, segment = poses.get(index, (None, 0))
            by_pose = pose if sensor == 'spinning' else None
            query = recognizer.prepare(scan, by_pose, segment, checked_by=pose)
            is_read[index] = True
            if index in wanted:
                queries.append(query)
        progress(1, 0)
    left_out.require_few()
    if not queries:
        raise ValueError(f'{drive.name}: none of {len(chosen)} queries could be read')
    kept = kept.select(is_read[chosen])
    # There are drivers whose Doppler is always zero: who has another pose has not stood.
    steps_m = np.hypot(*np.diff(kept.positions_m[:, :2], axis=0).T)
    moved_m = np.insert(steps_m, 0, steps_m[:1].sum())
    is_standing = np.array([query.is_standing for query in queries]) & (moved_m < _MOVED_M)
    known = [query.odometry or OdometryPose(0.0, None, -1) for query in queries]
    travelled_m = [pose.travelled_m if pose.segment >= 0 else np.nan for pose in known]
    return DriveQueries(
        drive.name,
        origin_of(drive),
        kept.stamps_ns,
        np.column_stack([kept.positions_m[:, :2], kept.yaws_rad]),
        np.stack([query.image.bev for query in queries]),
        np.concatenate([query.image.points_m for query in queries]),
        np.cumsum([0, *(query.image.num_points for query in queries)]),
        np.array(travelled_m),
        np.array([pose.segment for pose in known]),
        is_standing,
        np.stack([query.profile for query in queries]),
    )


def live_session_of(
    queries: DriveQueries, student: PlaceEncoder, keyframe_distance_m: float
) -> LiveSession:
    """Return a drive as a session of the 4D radar, with its true poses."""
    session = LiveSession(
        student.contract.descriptor_size,
        keyframe_distance_m,
        scan_context=student.scan_context,
    )
    for number, (x, y, yaw) in enumerate(queries.poses):
        position_m, stamp_ns = np.array([x, y, 0.0]), int(queries.stamps_ns[number])
        if session.wants(stamp_ns, position_m):
            returns_cm = returns_of_points(queries.query(number).image.points_m)
            keyframe = Keyframe(stamp_ns, position_m, quaternion_from_yaw(yaw), returns_cm)
            session.add(student.encode(queries.bevs[number]), keyframe, stamp_ns)
    return session
