# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""
SNAIL radar: ARS548 or Oculii Eagle and a Hesai XT32, each a folder of PCD files named by seconds.

The XT32 looks to the left; its clouds and poses are turned ahead. The truth is that of the XT32
(utm50r_T_xt32.txt), the radar's follows from tf_static.launch of the drive.
"""

from __future__ import annotations

import logging
from pathlib import Path
import re
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from ssd_ros.datasets.formats.cloud_sequence import CloudFiles, CloudSequence
from ssd_ros.datasets.pose_files import read_poses
from ssd_ros.datasets.poses import empty_trajectory, poses_at, quaternion_from_matrix
from ssd_ros.lidar.pcd import Columns, read_pcd
from ssd_ros.lidar.types import LidarPointCloud
from ssd_ros.motion.trajectory import mounted, Trajectory
from ssd_ros.radar.columns import cloud_from_columns
from ssd_ros.radar.fields import DecoderConfig, names_by_role
from ssd_ros.radar.types import RadarPointCloud
from ssd_ros.reading import read_text

OPTIONS = ('points_topic',)
TRUTH_FILE = 'utm50r_T_xt32.txt'
# Folder of each radar and its frame, most telling first.
RADARS = {
    'ars548/points': 'ars548',
    'eagleg7/enhanced': 'oculii',
    'eagleg7/pcl': 'oculii',
}
_LIDAR_FRAMES = ('PandarXT-32', 'xt32')
_MAX_CLOUD_BYTES = 1 << 28

_logger = logging.getLogger(__name__)


class _Mounting(NamedTuple):
    """Where a frame is in another: rotation (3, 3), position (3,) in metres."""

    rotation: NDArray[np.float64]
    position_m: NDArray[np.float64]

    def then(self, inner: _Mounting) -> _Mounting:
        return _Mounting(
            self.rotation @ inner.rotation, self.rotation @ inner.position_m + self.position_m
        )

    def inverse(self) -> _Mounting:
        return _Mounting(self.rotation.T, -self.rotation.T @ self.position_m)


# The XT32 has x to the left and y backwards.
_XT32_AHEAD = _Mounting(np.array([[0.0, 1, 0], [-1, 0, 0], [0, 0, 1]]), np.zeros(3))


def open_snail(root: Path, points_topic: str | None = None) -> CloudSequence:
    """
    Open one drive, `<date>/data<k>`.

    :param points_topic: folder of the 4D radar, one of RADARS; None = the first that is there
    :raise FileNotFoundError: there are neither clouds of a radar nor of the XT32
    :raise ValueError: the folder is none of them
    """
    if points_topic is not None and points_topic not in RADARS:
        raise ValueError(f'no radar {points_topic!r} in SNAIL; choose from {", ".join(RADARS)}')
    folders = [name for name in RADARS if (root / name).is_dir()]
    folder = points_topic or next(iter(folders), None)
    if folder is not None and folder not in folders:
        raise FileNotFoundError(f'{root} has no folder {folder}, only {folders}')
    if folder is None and not (root / 'xt32').is_dir():
        raise FileNotFoundError(
            f'{root} has no folder {", ".join(RADARS)} or xt32; it holds '
            f'{sorted(path.name for path in root.iterdir())[:10]}'
        )
    lidar_ns, lidar_paths = _stamped(root / 'xt32')
    radar_ns, radar_paths = _stamped(root / folder) if folder else (np.empty(0, np.int64), [])
    truth = _truth(root, radar_ns, lidar_ns)
    sequence = CloudSequence('/'.join(root.resolve().parts[-2:]))
    ahead = np.array(quaternion_from_matrix(_XT32_AHEAD.rotation))
    if len(lidar_ns):
        poses = poses_at(mounted(truth, np.zeros(3), ahead), lidar_ns)
        sequence.own_lidar = CloudFiles(lidar_ns, lidar_paths, _read_xt32, poses)
    if folder is not None:
        mounting = _radar_in_lidar(root, RADARS[folder])
        turn = np.array(quaternion_from_matrix(mounting.rotation))
        poses = poses_at(mounted(truth, mounting.position_m, turn), radar_ns)
        sequence.radar = CloudFiles(radar_ns, radar_paths, _read_radar, poses)
    return sequence


def _stamped(folder: Path) -> tuple[NDArray[np.int64], list[Path]]:
    """List files named <seconds>.<nine digits>.pcd in order of time."""
    paths: dict[int, Path] = {}
    for path in folder.iterdir() if folder.is_dir() else ():
        if path.suffix.lower() != '.pcd' or path.name.startswith('.'):
            continue
        match = re.fullmatch(r'(\d{10})\.(\d{9})', path.stem)
        if match is None:
            raise ValueError(f'{path} is not named by its time: expected <seconds>.<9 digits>.pcd')
        paths[int(match[1]) * 10**9 + int(match[2])] = path
    stamps = sorted(paths)
    return np.array(stamps, np.int64), [paths[stamp] for stamp in stamps]


def _truth(root: Path, *sensors_ns: NDArray[np.int64]) -> Trajectory:
    """Read the poses of the XT32, which lie in the drive or beside all drives."""
    places = [root / TRUTH_FILE]
    date, drive = root.resolve().parts[-2:]
    for above in root.resolve().parents[:3]:
        places += [above / 'full_trajs' / name / TRUTH_FILE for name in (f'{date}/{drive}', drive)]
    for path in places:
        if path.is_file():
            return read_poses(path, *sensors_ns).poses
    return empty_trajectory()


def _radar_in_lidar(root: Path, frame: str) -> _Mounting:
    """Return where the radar is in the frame of the XT32, by tf_static.launch."""
    frames = _static_frames(root / 'tf_static.launch')
    lidar = next((frames[name.lower()] for name in _LIDAR_FRAMES if name.lower() in frames), None)
    radar = frames.get(frame)
    if lidar is None or radar is None:
        _logger.warning(
            '%s: tf_static.launch does not say where %s is: it counts as in the place of the '
            'XT32, looking ahead',
            root,
            frame,
        )
        return _XT32_AHEAD
    return lidar.inverse().then(radar)


def _static_frames(path: Path) -> dict[str, _Mounting]:
    """Return where each frame is in the one from which all others follow, by lower-case name."""
    if not path.is_file():
        return {}
    edges: dict[str, tuple[str, _Mounting]] = {}
    for arguments in re.findall(
        r'args\s*=\s*"([^"]*)"', read_text(path, 1 << 20, 'a launch file')
    ):
        words = arguments.split()
        names = [word for word in words if not re.fullmatch(r'[-+.\deE]+', word)]
        numbers = [float(word) for word in words if word not in names]
        if len(names) != 2 or len(numbers) not in (6, 7, 8):
            continue
        edges[names[1].strip('/').lower()] = (
            names[0].strip('/').lower(),
            _mounting(words, numbers),
        )
    frames = {}
    for name in edges:
        mounting, at, steps = _Mounting(np.eye(3), np.zeros(3)), name, 0
        while at in edges and steps <= len(edges):
            parent, inner = edges[at]
            mounting, at, steps = inner.then(mounting), parent, steps + 1
        if at not in edges:
            frames[name] = mounting
            frames.setdefault(at, _Mounting(np.eye(3), np.zeros(3)))
    return frames


def _mounting(words: list[str], numbers: list[float]) -> _Mounting:
    """Read x y z and qx qy qz qw, or yaw pitch roll; a period in milliseconds may follow."""
    position_m = np.array(numbers[:3])
    has_quaternion = re.fullmatch(r'[-+.\deE]+', words[6]) is not None
    if has_quaternion:
        x, y, z, w = np.array(numbers[3:7]) / np.linalg.norm(numbers[3:7])
        rotation = np.array(
            [
                [1 - 2 * (y * y + z * z), 2 * (x * y - z * w), 2 * (x * z + y * w)],
                [2 * (x * y + z * w), 1 - 2 * (x * x + z * z), 2 * (y * z - x * w)],
                [2 * (x * z - y * w), 2 * (y * z + x * w), 1 - 2 * (x * x + y * y)],
            ]
        )
        return _Mounting(rotation, position_m)
    (cy, sy), (cp, sp), (cr, sr) = ((np.cos(a), np.sin(a)) for a in numbers[3:6])
    yaw = np.array([[cy, -sy, 0], [sy, cy, 0], [0, 0, 1]])
    pitch = np.array([[cp, 0, sp], [0, 1, 0], [-sp, 0, cp]])
    roll = np.array([[1, 0, 0], [0, cr, -sr], [0, sr, cr]])
    return _Mounting(yaw @ pitch @ roll, position_m)


def _read_radar(path: Path, stamp_ns: int) -> RadarPointCloud:
    columns = read_pcd(path, _MAX_CLOUD_BYTES)
    config = DecoderConfig(intensity_kind='rcs_dbsm' if 'range_std' in columns else 'auto')
    try:
        names = names_by_role(list(columns), config)
    except ValueError as error:
        raise ValueError(f'{path}: {error}') from error
    chosen = {role: columns[name] for role, name in names.items()}
    if not len(chosen['x']):
        nothing = np.empty(0, np.float32)
        return RadarPointCloud(stamp_ns, np.empty((0, 3), np.float32), nothing, nothing)
    frame = 'ars548' if 'range_std' in columns else 'oculii'
    return cloud_from_columns((stamp_ns, frame), chosen, names, config).cloud


def _read_xt32(path: Path, stamp_ns: int) -> LidarPointCloud:
    columns = read_pcd(path, _MAX_CLOUD_BYTES)
    left, back, up, intensity = _named(path, columns, 'x', 'y', 'z', 'intensity')
    xyz_m = np.stack([-back, left, up], axis=1)
    return LidarPointCloud(stamp_ns, xyz_m, intensity, None, 'PandarXT-32').measured()


def _named(path: Path, columns: Columns, *names: str) -> list[NDArray[np.float32]]:
    if missing := [name for name in names if name not in columns]:
        raise ValueError(f'{path} has no field {missing}; it has {list(columns)}')
    return [columns[name].astype(np.float32) for name in names]
