# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""A simulated drive with the interface of a recorded one."""

from __future__ import annotations

from functools import cached_property

import numpy as np
from numpy.typing import NDArray
from ssd_ros import __version__
from ssd_ros.data_origin import Origin, SIMULATED
from ssd_ros.lidar.types import LidarPointCloud
from ssd_ros.motion.trajectory import quaternion_from_yaw, Trajectory
from ssd_ros.radar.types import RadarPointCloud, SpinningRadarScan, uniform_azimuths_rad
from ssd_ros.simulator.lidar.returns import LidarReturns, SimulatedLidar
from ssd_ros.simulator.radars.fourd import cloud_detections, Detections
from ssd_ros.simulator.radars.spinning import spinning_image
from ssd_ros.simulator.random_streams import stream
from ssd_ros.simulator.visits.session import Session

SCAN_RATE_HZ = 4.0
CLOUD_RATE_HZ = 20.0
CLOUD_FRAME_ID = 'continental'
LIDAR_FRAME_ID = 'aeva'
_EPOCH_NS = 1_700_000_000_000_000_000
_SESSION_GAP_NS = 86_400_000_000_000 * 30
_MARGIN_S = 0.5  # no scan this near to the ends of the drive


class SimulatedSequence:
    """
    One session as a radar sequence; frames are made when asked for, in any order.

    :param scan_rate_hz: of the spinning radar
    :param cloud_rate_hz: of the 4D radar
    :param lidar_rate_hz: of the LiDAR, 0 = there is none
    :param num_scans: keep only so many spinning scans, None = the whole drive
    :param num_clouds: keep only so many 4D scans, None = the whole drive
    :param num_lidar_scans: keep only so many scans of the LiDAR, None = the whole drive
    :param part: keep only the scans between these shares of the drive's length
    :param weather: stands behind its number, '' = nothing; `session` has the conditions
    """

    def __init__(
        self,
        session: Session,
        *,
        scan_rate_hz: float = SCAN_RATE_HZ,
        cloud_rate_hz: float = CLOUD_RATE_HZ,
        lidar_rate_hz: float = 0.0,
        num_scans: int | None = None,
        num_clouds: int | None = None,
        num_lidar_scans: int | None = None,
        part: tuple[float, float] = (0.0, 1.0),
        weather: str = '',
    ) -> None:
        if scan_rate_hz <= 0 or cloud_rate_hz <= 0:
            raise ValueError(
                f'rates are {scan_rate_hz} and {cloud_rate_hz} Hz, expected more than 0'
            )
        if lidar_rate_hz < 0:
            raise ValueError(f'lidar_rate_hz is {lidar_rate_hz}, expected 0 or more')
        self.session = session
        rng = stream(session.world.seed, 'stamps', session.index)
        scan_phase_s, cloud_phase_s = rng.uniform(0, 0.05, 2)
        self._start_ns = (
            _EPOCH_NS + _SESSION_GAP_NS * session.index + int(rng.integers(3_600_000_000_000))
        )
        self._part, self._weather = part, weather
        self._scan_offsets_ns = self._offsets_ns(scan_rate_hz, scan_phase_s)[:num_scans]
        self._cloud_offsets_ns = self._offsets_ns(cloud_rate_hz, cloud_phase_s)[:num_clouds]
        self._lidar_offsets_ns = np.empty(0, np.int64)
        if lidar_rate_hz > 0:
            rng = stream(session.world.seed, 'lidar-stamps', session.index)
            offsets_ns = self._offsets_ns(lidar_rate_hz, rng.uniform(0, 0.05))
            self._lidar_offsets_ns = offsets_ns[:num_lidar_scans]

    @property
    def name(self) -> str:
        """Place and number, such as `Sim_Town_0007/01`."""
        return f'{self.place}/{self.number}'

    @property
    def origin(self) -> Origin:
        """What simulated it, and the world."""
        return Origin(SIMULATED, f'ssd_ros {__version__}', self.place, self.session.world.seed)

    @property
    def place(self) -> str:
        """Name of the world."""
        return self.place_of(self.session.world.seed, self.session.world.config.style)

    @property
    def number(self) -> str:
        """Number of the session, from 01, and perhaps its weather, such as `02_fog`."""
        number = self.number_of(self.session.index)
        return f'{number}_{self._weather}' if self._weather else number

    @staticmethod
    def place_of(seed: int, style: str) -> str:
        """Return the name of a world, such as `Sim_Town_0007` or `Sim_CarPark_0007`."""
        kind = ''.join(word.capitalize() for word in style.split('_'))
        return f'Sim_{kind}_{seed:04d}'

    @staticmethod
    def number_of(session: int) -> str:
        """Return the number, from 01, of the session with an index, from 0."""
        return f'{session + 1:02d}'

    @property
    def scan_stamps_ns(self) -> NDArray[np.int64]:
        """Stamps of the middle of each turn, shape (M,)."""
        return self._scan_offsets_ns + self._start_ns

    @property
    def cloud_stamps_ns(self) -> NDArray[np.int64]:
        """Stamps of the 4D radar scans, shape (N,)."""
        return self._cloud_offsets_ns + self._start_ns

    @property
    def lidar_stamps_ns(self) -> NDArray[np.int64]:
        """Stamps of the middle of each scan of the LiDAR, shape (K,)."""
        return self._lidar_offsets_ns + self._start_ns

    @property
    def lidar_poses(self) -> Trajectory:
        """True poses of the LiDAR in the world frame."""
        return self._poses(self._lidar_offsets_ns, self.session.conditions.lidar.height_m)

    @property
    def scan_poses(self) -> Trajectory:
        """True poses of the spinning radar in the world frame."""
        height_m = self.session.conditions.spinning.height_m
        return self._poses(self._scan_offsets_ns, height_m)

    @property
    def cloud_poses(self) -> Trajectory:
        """True poses of the 4D radar in the world frame, without its mounting error."""
        return self._poses(self._cloud_offsets_ns, self.session.conditions.cloud.height_m)

    def scan(self, index: int) -> SpinningRadarScan:
        """Simulate one spinning radar scan."""
        time_s = self._time_s(self._scan_offsets_ns, index, 'scan')
        config = self.session.conditions.spinning
        power = spinning_image(self.session, time_s, index)
        return SpinningRadarScan(
            int(self.scan_stamps_ns[index]),
            power,
            uniform_azimuths_rad(config.num_azimuths),
            config.max_range_m / len(power),
        )

    def cloud(self, index: int) -> RadarPointCloud:
        """Simulate one 4D radar scan."""
        detections = self.detections(index)
        return RadarPointCloud(
            int(self.cloud_stamps_ns[index]),
            detections.xyz_m.astype(np.float32),
            detections.rcs_dbsm.astype(np.float32),
            detections.velocity_mps.astype(np.float32),
            CLOUD_FRAME_ID,
        )

    def detections(self, index: int) -> Detections:
        """Simulate one 4D radar scan and return it with its ground truth."""
        time_s = self._time_s(self._cloud_offsets_ns, index, 'cloud')
        return cloud_detections(self.session, time_s, index)

    def lidar(self, index: int) -> LidarPointCloud:
        """Simulate one scan of the LiDAR."""
        found = self.lidar_returns(index)
        has_doppler = self.session.conditions.lidar.has_doppler
        return LidarPointCloud(
            int(self.lidar_stamps_ns[index]),
            found.xyz_m,
            found.intensity,
            found.velocity_mps if has_doppler else None,
            LIDAR_FRAME_ID,
        )

    def lidar_returns(self, index: int) -> LidarReturns:
        """Simulate one scan of the LiDAR and return it with its ground truth."""
        time_s = self._time_s(self._lidar_offsets_ns, index, 'LiDAR scan')
        return self._lidar.scan(time_s, index)

    @cached_property
    def _lidar(self) -> SimulatedLidar:
        return SimulatedLidar(self.session)

    def _offsets_ns(self, rate_hz: float, phase_s: float) -> NDArray[np.int64]:
        last_s = self.session.drive.duration_s - _MARGIN_S
        times_s = np.arange(_MARGIN_S + phase_s, last_s, 1 / rate_hz)
        drive = self.session.drive
        shares = np.interp(times_s, drive.times_s, drive.along_m) / drive.length_m
        times_s = times_s[(shares >= self._part[0]) & (shares <= self._part[1])]
        return np.rint(times_s * 1e9).astype(np.int64)

    def _time_s(self, offsets_ns: NDArray[np.int64], index: int, sensor: str) -> float:
        if not 0 <= index < len(offsets_ns):
            raise IndexError(f'{self.name} has no {sensor} {index}, only {len(offsets_ns)}')
        return float(offsets_ns[index] / 1e9)

    def _poses(self, offsets_ns: NDArray[np.int64], height_m: float) -> Trajectory:
        xy_m, yaw_rad = self.session.drive.poses(offsets_ns / 1e9)
        return Trajectory(
            offsets_ns + self._start_ns,
            np.column_stack([xy_m, np.full(len(xy_m), height_m)]),
            quaternion_from_yaw(yaw_rad),
        )
