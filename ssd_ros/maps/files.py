# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""
A map on disk: a directory of `meta.json` and the arrays of descriptors, keyframes and returns.

A map is untrusted input: sizes and checksums are checked before an array is read, nothing is
unpickled, and every refusal names the file, the reason and the way out.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from datetime import datetime, timezone
import json
from pathlib import Path
from typing import Any
import uuid
import zlib

import numpy as np
from numpy.typing import NDArray
from ssd_ros import __version__
from ssd_ros.confidence.file import confidence_of_map
from ssd_ros.confidence.model import ConfidenceModel
from ssd_ros.data_origin import Origin
from ssd_ros.encoders.scan_context import ScanContextConfig
from ssd_ros.maps.arrays import (
    fingerprint,
    KEYFRAME,
    load_array,
    records_of,
    trajectory_of,
)
from ssd_ros.maps.checks import (
    check_descriptors,
    check_places,
    check_returns,
    check_scan_contexts,
    check_segments,
)
from ssd_ros.maps.meta import (
    DESCRIPTORS_FILE,
    FORMAT_VERSION,
    KEYFRAMES_FILE,
    MapError,
    MAX_LANE_M,
    META_FILE,
    read_meta,
    REBUILD,
    RETURNS_FILE,
    sha256_of_meta,
)
from ssd_ros.maps.target import check_map_target, MAP_FOLDER
from ssd_ros.motion.trajectory import Trajectory
from ssd_ros.npy_files import write_array
from ssd_ros.records import check_limits, check_text, Limits, record_from_mapping
from ssd_ros.targets import folder_written

ODOMETRY_ORIGIN = 'odometry of the drive'  # of a session: where its odometry began
SENSORS = ('spinning', '4d', 'lidar')

_INFO_LIMITS = {
    'num_views': Limits(1, 1 << 16),
    'keyframe_distance_m': Limits(0, 1e5),
    'num_scans': Limits(0, 1 << 40),
    'num_without_pose': Limits(0, 1 << 40),
    'num_unreadable': Limits(0, 1 << 40),
    'novelty_distance': Limits(0, 4),
    'submap_m': Limits(0, 1000),
    'opposite_lane_m': Limits(-MAX_LANE_M, MAX_LANE_M),
}
_MISFIT_LIMITS = {'pose_misfit_m': Limits(0, 1e9)}
_INFO_TEXTS = {  # and how many characters they have
    **dict.fromkeys(('source', 'origin', 'poses'), range(0, 4096)),
    **dict.fromkeys(('descriptor_space', 'encoder_digest', 'software_version'), range(0, 128)),
    **dict.fromkeys(('created', 'sensor_frame_id'), range(0, 256)),
    'map_frame_id': range(1, 256),
    'uuid': range(1, 64),
}


@dataclass(frozen=True, slots=True)
class MapInfo:
    """
    Where a map comes from; of this, its encoder decides what it can be searched with.

    :param descriptor_space: of the training run whose encoder filled the map
    :param encoder_digest: SHA-256 of that encoder's file
    :param sensor: that saw the keyframes, one of SENSORS
    :param source: name of the drive
    :param origin: what the zero of the map frame is, in words, such as `UTM 52N`
    :param poses: what was done to the poses, in words
    :param num_scans: scans of the drive
    :param num_without_pose: of these, scans left out because no pose was near in time
    :param num_unreadable: scans left out because they could not be read
    :param novelty_distance: an answer that is not nearer may be a wrong place, see
        ssd_ros.maps.novelty; 0 = not known
    :param pose_misfit_m: by how much neighbouring keyframes stand elsewhere to each other than
        their poses say, see ssd_ros.verification.pose_misfit; None = not known
    :param data_origin: whether the drive was simulated or recorded; unknown in earlier maps
    :param scan_context: what its descriptors are; None = those of a network
    :param segment_starts: numbers of the keyframes with which frames begin that are not related,
        since the odometry of the drive began anew; the first is 0
    :param submap_m: of way that a keyframe of a 4D radar shows, described as whole turns, see
        ssd_ros.bev.submap; 0 = what each sensor shows by itself
    :param opposite_lane_m: to the left, of the lane from which each place is seen a second time,
        by a keyframe of its own, see ssd_ros.bev.beside; 0 = only from where it was driven
    """

    descriptor_space: str
    encoder_digest: str
    num_views: int
    keyframe_distance_m: float
    sensor: str = 'spinning'
    source: str = ''
    map_frame_id: str = 'map'
    sensor_frame_id: str = ''
    origin: str = ''
    poses: str = ''
    num_scans: int = 0
    num_without_pose: int = 0
    num_unreadable: int = 0
    novelty_distance: float = 0.0
    pose_misfit_m: float | None = None
    scan_context: ScanContextConfig | None = None
    data_origin: Origin = field(default_factory=Origin)
    segment_starts: tuple[int, ...] = (0,)
    submap_m: float = 0.0
    opposite_lane_m: float = 0.0
    software_version: str = __version__
    created: str = field(
        default_factory=lambda: datetime.now(timezone.utc).isoformat(timespec='seconds')
    )
    uuid: str = field(default_factory=lambda: str(uuid.uuid4()))

    def __post_init__(self) -> None:
        check_limits(self, _INFO_LIMITS)
        if self.pose_misfit_m is not None:
            check_limits(self, _MISFIT_LIMITS)
        if self.sensor not in SENSORS:
            raise MapError(f'sensor is {self.sensor!r}; choose from {", ".join(SENSORS)}')
        if self.submap_m and self.sensor != '4d':
            raise MapError(f'submap_m is {self.submap_m:g}, expected 0 for sensor {self.sensor}')
        if self.opposite_lane_m and self.sensor == '4d':
            raise MapError(
                f'opposite_lane_m is {self.opposite_lane_m:g}, expected 0 for sensor 4d'
            )
        for name, lengths in _INFO_TEXTS.items():
            check_text(name, getattr(self, name), lengths.stop, lengths.start)

    @property
    def map_id(self) -> int:
        """Short name of the map in messages: CRC32 of its UUID."""
        return zlib.crc32(self.uuid.encode())

    @property
    def shows_turns(self) -> bool:
        """Whether its keyframes show all around."""
        return self.sensor != '4d' or self.submap_m > 0

    @property
    def encoder(self) -> str:
        """The kind of encoder that filled it, 'network' or 'scan_context'."""
        return 'network' if self.scan_context is None else 'scan_context'


@dataclass(frozen=True, slots=True)
class MapContent:
    """
    What a map consists of; making one checks it.

    :param descriptors: shape (num_keyframes * num_views, D) float32, unit length; the views of
        one keyframe stand together
    :param keyframes: poses of the radar
    :param returns_cm: shape (num_keyframes, M, 2) int16, see ssd_ros.verification
    :param confidence: how far an answer from this map can be trusted; None = not calibrated
    """

    descriptors: NDArray[np.float32]
    keyframes: Trajectory
    returns_cm: NDArray[np.int16]
    info: MapInfo
    confidence: ConfidenceModel | None = None

    def __post_init__(self) -> None:
        check_descriptors(self.descriptors, len(self.keyframes), self.info.num_views)
        check_scan_contexts(self.descriptors.shape[1], self.info.num_views, self.info.scan_context)
        check_returns(self.returns_cm, len(self.keyframes))
        check_places(self.keyframes)
        check_segments(self.info.segment_starts, len(self.keyframes))
        sensor, confidence = self.info.sensor, self.confidence
        if confidence is not None and not confidence.is_for(sensor):
            raise MapError(
                f'its calibration was fitted on {confidence.maps or "radar"} maps, and it is a '
                f'{sensor} map: fit one with trust --map-sensor {sensor} --store-in'
            )


def write_map(path: Path, content: MapContent) -> None:
    """
    Write a map whole or not at all; a map that stood there is replaced.

    :raise MapError: something that is not a map stands there, or a number is not finite
    """
    check_map_target(path)
    arrays = {
        DESCRIPTORS_FILE: content.descriptors,
        KEYFRAMES_FILE: records_of(content.keyframes),
        RETURNS_FILE: content.returns_cm,
    }
    with folder_written(path, MAP_FOLDER) as directory:
        for name, array in arrays.items():
            write_array(directory / name, array)
        meta = {
            'format_version': FORMAT_VERSION,
            'num_keyframes': len(content.keyframes),
            'descriptor_size': content.descriptors.shape[1],
            'num_returns': content.returns_cm.shape[1],
            'info': asdict(content.info),
            'confidence': content.confidence and asdict(content.confidence),
            'files': {name: fingerprint(directory / name) for name in arrays},
        }
        meta['meta_sha256'] = sha256_of_meta(meta)
        (directory / META_FILE).write_text(json.dumps(meta, indent=2) + '\n')


def read_map(path: Path) -> MapContent:
    """
    Read a map; everything in it is checked before it is used.

    :raise MapError: the map is absent, truncated, foreign or damaged, and why
    :raise OSError: a file of it cannot be opened
    """
    meta = read_meta(path)
    num_keyframes, files = meta['num_keyframes'], meta['files']
    info, confidence = info_of(path, meta)
    shape = (num_keyframes * info.num_views, meta['descriptor_size'])
    descriptors = load_array(path / DESCRIPTORS_FILE, files, np.dtype('<f4'), shape)
    records = load_array(path / KEYFRAMES_FILE, files, KEYFRAME, (num_keyframes,))
    returns_cm = load_array(
        path / RETURNS_FILE, files, np.dtype('<i2'), (num_keyframes, meta['num_returns'], 2)
    )
    try:
        return MapContent(descriptors, trajectory_of(records), returns_cm, info, confidence)
    except ValueError as error:
        raise MapError(f'{path}: {error}: {REBUILD}') from error


def info_of(path: Path, meta: Mapping[str, Any]) -> tuple[MapInfo, ConfidenceModel | None]:
    """
    Return what the description of a map says of it, and its calibration.

    :raise MapError: something in it cannot be
    """
    try:
        info = record_from_mapping(MapInfo, meta['info'])
        confidence = confidence_of_map(
            meta['confidence'], info.encoder, info.descriptor_space, info.sensor
        )
    except ValueError as error:
        raise MapError(f'{path / META_FILE}: {error}: {REBUILD}') from error
    return info, confidence
