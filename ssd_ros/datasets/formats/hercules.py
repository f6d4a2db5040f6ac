# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""
HeRCULES: 4D radar (ARS548, 20 Hz), spinning radar (Navtech RAS6, 4 Hz) and LiDAR (Aeva, 10 Hz).

A sequence is a directory: Radar/Continental/<ns>.bin, Radar/Navtech/<ns>.png, LiDAR/Aeva/<ns>.bin
and the poses of each sensor in PR_GT/. The simulator writes the same format.
"""

from __future__ import annotations

from collections.abc import Callable
import math
from pathlib import Path
import re

import numpy as np
from ssd_ros.data_origin import Origin, ORIGIN_FILE, origin_text
from ssd_ros.datasets.poses import empty_trajectory, read_hercules_poses, write_hercules_poses
from ssd_ros.datasets.sequence import origin_of, RadarSequence
from ssd_ros.datasets.spinning.polar_png import read_plain_scan, write_plain_scan
from ssd_ros.datasets.stamped_files import find_below, paths_by_stamp, records_of
from ssd_ros.lidar.aeva import aeva_records, cloud_from_aeva_records, HERCULES_DTYPE
from ssd_ros.lidar.types import LidarPointCloud
from ssd_ros.motion.trajectory import Trajectory
from ssd_ros.radar.ars548 import ARS548_DTYPE, ars548_records, cloud_from_ars548_records
from ssd_ros.radar.types import RadarPointCloud, SpinningRadarScan, uniform_azimuths_rad
from ssd_ros.targets import folder_written, FolderKind, GENERATOR, MARK

# The files hold 150 m of the sensor's 330, in 3424 rows (the simulator's fast scans: 856).
MAX_RANGE_M = 150.0
OPTIONS = ()
_MAX_NUM_DETECTIONS = 100_000  # an ARS548 sends at most 800
_MAX_NUM_POINTS = 1_000_000  # an Aeva sends 100 000 a scan

# Files that tell a drive written here from one that somebody recorded.
SIMULATION_FILE = 'sim_meta.json'
GENERATOR_FILE = 'generator.txt'
_NAMES = re.compile(
    rf'{SIMULATION_FILE}|{GENERATOR_FILE}|{ORIGIN_FILE}|Radar/(Continental/\d+\.bin|Navtech/\d+\.png)'
    r'|LiDAR/Aeva/\d+\.bin|PR_GT/(Continental|Navtech|Aeva)_gt\.txt'
    r'|sensor_data/(datastamp|(continental|navtech|aeva)_stamp)\.csv'
)


def _own_files(path: Path) -> list[str]:
    """Return the files of a drive that was written here."""
    simulation, generator = path / SIMULATION_FILE, path / GENERATOR_FILE
    is_simulated = simulation.is_file() and b'"config_sha256"' in simulation.read_bytes()
    if not (is_simulated or (generator.is_file() and re.match(MARK, generator.read_bytes()))):
        raise ValueError(f'neither {SIMULATION_FILE} nor {GENERATOR_FILE} says that we wrote it')
    names = (file.relative_to(path).as_posix() for file in path.rglob('*'))
    return [name for name in names if _NAMES.fullmatch(name)]


HERCULES_FOLDER = FolderKind('a drive written by ssd_ros', _own_files)


class HerculesSequence:
    """One HeRCULES drive; any sensor and any file of poses may be missing, but not all sensors."""

    def __init__(self, root: Path) -> None:
        """
        Find the files, whatever the case of the folders' names.

        :raise FileNotFoundError: there is no folder of any sensor
        """
        sensors = {'continental', 'navtech', 'aeva'}
        found = find_below(root, sensors | {f'{sensor}_gt.txt' for sensor in sensors})
        if not found.keys() & sensors:
            raise FileNotFoundError(
                f'{root} has neither Radar/Continental nor Radar/Navtech nor LiDAR/Aeva; '
                f'it holds {sorted(path.name for path in root.iterdir())[:10]}'
            )
        self.name = f'{root.parent.name}/{root.name}' if root.name.isdigit() else root.name
        self.cloud_stamps_ns, self._cloud_paths = paths_by_stamp(found.get('continental'), '.bin')
        self.scan_stamps_ns, self._scan_paths = paths_by_stamp(found.get('navtech'), '.png')
        self.lidar_stamps_ns, self._lidar_paths = paths_by_stamp(found.get('aeva'), '.bin')
        self.cloud_poses = _poses(found.get('continental_gt.txt'))
        self.scan_poses = _poses(found.get('navtech_gt.txt'))
        self.lidar_poses = _poses(found.get('aeva_gt.txt'))
        self.origin = Origin()

    def cloud(self, index: int) -> RadarPointCloud:
        """Read one ARS548 scan; a record that is cut off at the end is left out."""
        records = records_of(self._cloud_paths[index], ARS548_DTYPE, _MAX_NUM_DETECTIONS)
        return cloud_from_ars548_records(records, int(self.cloud_stamps_ns[index]), 'continental')

    def scan(self, index: int) -> SpinningRadarScan:
        """Read one RAS6 scan."""
        stamp_ns = int(self.scan_stamps_ns[index])
        return read_plain_scan(self._scan_paths[index], stamp_ns, MAX_RANGE_M)

    def lidar(self, index: int) -> LidarPointCloud:
        """Read one Aeva scan; a record that is cut off at the end is left out."""
        records = records_of(self._lidar_paths[index], HERCULES_DTYPE, _MAX_NUM_POINTS)
        return cloud_from_aeva_records(records, int(self.lidar_stamps_ns[index]))


def write_hercules(
    root: Path,
    place: str,
    number: str,
    sequence: RadarSequence,
    progress: Callable[[int], None] | None = None,
    simulation: str = '',
) -> Path:
    """
    Write a drive as `<root>/<place>/<number>`, which appears only once it is complete.

    :param progress: called after every file with the number of scans written so far
    :param simulation: what it was simulated with, as JSON; empty = it was not
    :return: the directory of the sequence
    :raise ValueError: a scan is not what the format holds: 400 even azimuths over 150 m
    """
    path = root / place / number
    num_done = 0

    def report() -> None:
        nonlocal num_done
        num_done += 1
        if progress is not None:
            progress(num_done)

    with folder_written(path, HERCULES_FOLDER) as folder:
        clouds, scans, poses, stamps = (
            folder / name
            for name in ('Radar/Continental', 'Radar/Navtech', 'PR_GT', 'sensor_data')
        )
        for directory in (clouds, scans, poses, stamps):
            directory.mkdir(parents=True)
        for index, stamp_ns in enumerate(sequence.cloud_stamps_ns):
            ars548_records(sequence.cloud(index)).tofile(clouds / f'{stamp_ns}.bin')
            report()
        for index, stamp_ns in enumerate(sequence.scan_stamps_ns):
            scan = sequence.scan(index)
            _require_hercules_scan(scan)
            write_plain_scan(scans / f'{stamp_ns}.png', scan.power)
            report()
        if len(sequence.lidar_stamps_ns):
            lidar = folder / 'LiDAR/Aeva'
            lidar.mkdir(parents=True)
            for index, stamp_ns in enumerate(sequence.lidar_stamps_ns):
                records = aeva_records(sequence.lidar(index), HERCULES_DTYPE)
                records.tofile(lidar / f'{stamp_ns}.bin')
                report()
            write_hercules_poses(poses / 'Aeva_gt.txt', sequence.lidar_poses)
        write_hercules_poses(poses / 'Continental_gt.txt', sequence.cloud_poses)
        write_hercules_poses(poses / 'Navtech_gt.txt', sequence.scan_poses)
        _write_stamps(stamps, sequence)
        (folder / ORIGIN_FILE).write_text(origin_text(origin_of(sequence)) + '\n')
        (folder / GENERATOR_FILE).write_text(f'{GENERATOR}\n')
        if simulation:
            (folder / SIMULATION_FILE).write_text(simulation)
    return path


def _poses(path: Path | None) -> Trajectory:
    return empty_trajectory() if path is None else read_hercules_poses(path)


def _require_hercules_scan(scan: SpinningRadarScan) -> None:
    num_bins, num_azimuths = scan.power.shape
    max_range_m = num_bins * scan.range_resolution_m + scan.range_offset_m
    if not math.isclose(max_range_m, MAX_RANGE_M, abs_tol=0.5):
        raise ValueError(f'scan reaches {max_range_m:.2f} m, expected {MAX_RANGE_M} m')
    if not np.allclose(scan.azimuths_rad, uniform_azimuths_rad(num_azimuths), atol=1e-3):
        raise ValueError('scan has uneven azimuths, which the format cannot hold')


def _write_stamps(folder: Path, sequence: RadarSequence) -> None:
    stamps_ns = {
        'continental': sequence.cloud_stamps_ns.tolist(),
        'navtech': sequence.scan_stamps_ns.tolist(),
    }
    if len(sequence.lidar_stamps_ns):
        stamps_ns['aeva'] = sequence.lidar_stamps_ns.tolist()
    for sensor, values in stamps_ns.items():
        (folder / f'{sensor}_stamp.csv').write_text(''.join(f'{value}\n' for value in values))
    events = sorted((value, sensor) for sensor, values in stamps_ns.items() for value in values)
    lines = ''.join(f'{value},{sensor}\n' for value, sensor in events)
    (folder / 'datastamp.csv').write_text(lines)
