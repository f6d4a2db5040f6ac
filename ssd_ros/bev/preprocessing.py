# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""
From what the radars send to what the networks see: the chain that every caller shares.

4D radar: ego-velocity, removal of movers, polar BEV, maximum over the last scans; or the polar BEV
of the last metres of way, whose scans are moved to where the radar is now.
Spinning radar: 360 degree polar BEV and its views.
A model may want density images instead, of 4D radar and LiDAR, see `density_image.py`.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray
from ssd_ros.bev.contrast import CONTENT
from ssd_ros.bev.density_image import density_image_of_cloud, DensityConfig
from ssd_ros.bev.polar_bev import (
    CloudBevConfig,
    panorama_from_scan,
    polar_bev_from_points,
    PolarGrid,
    ScanBevConfig,
)
from ssd_ros.bev.way_window import WayWindow
from ssd_ros.motion.scan_motion import ScanMotion
from ssd_ros.radar.ego_velocity import (
    EgoVelocity,
    EgoVelocityConfig,
    estimate_ego_velocity,
    Motion,
)
from ssd_ros.radar.types import RadarPointCloud, SpinningRadarScan
from ssd_ros.records import check_limits, LATER, Limits

_LIMITS = {
    'num_scans': Limits(1, 1000),
    'max_window_s': Limits(0, 3600),
    'window_m': Limits(0, 200),
}
_EGO_VELOCITY_LIMITS = {
    'max_range_m': Limits(0, 1e5),
    'min_rcs_dbsm': Limits(-1e3, 1e3),
    'min_z_m': Limits(-1e5, 1e5),
    'max_azimuth_deg': Limits(0, 180),
    'max_elevation_deg': Limits(0, 90),
    'standstill_quantile': Limits(0, 1),
    'standstill_mps': Limits(0, 1e3),
    'num_draws': Limits(1, 10_000),
    'max_condition': Limits(1, 1e15),
    'inlier_mps': Limits(0, 1e3),
    'max_sigma_mps': Limits(0, 1e3),
    'seed': Limits(0, 1 << 62),
}


@dataclass(frozen=True, slots=True)
class PreprocessingConfig:
    """Everything between a radar and a network; part of every model's contract."""

    grid: PolarGrid = field(default_factory=PolarGrid)
    cloud: CloudBevConfig = field(default_factory=CloudBevConfig)
    scan: ScanBevConfig = field(default_factory=ScanBevConfig)
    ego_velocity: EgoVelocityConfig = field(default_factory=EgoVelocityConfig)
    num_scans: int = 5  # 4D scans in one image, not motion compensated
    max_window_s: float = 1.0  # reconstructed: older scans leave the window
    # Of way in one image, motion compensated; 0 = num_scans instead.
    window_m: float = field(default=0.0, metadata=LATER)
    # Of a model that sees density images; then grid, cloud and scan mean nothing.
    density: DensityConfig | None = field(default=None, metadata=LATER)

    def __post_init__(self) -> None:
        check_limits(self, _LIMITS)
        check_limits(self.ego_velocity, _EGO_VELOCITY_LIMITS)
        if self.cloud.normalisation != self.scan.normalisation:
            raise ValueError(
                f'normalisation is {self.cloud.normalisation} in cloud and '
                f'{self.scan.normalisation} in scan, expected the same: the pixels of both radars '
                'count from one origin'
            )

    @property
    def is_by_content(self) -> bool:
        """Whether the images are the same at any gain of the radars."""
        return self.scan.normalisation == CONTENT

    @property
    def image_shape(self) -> tuple[int, int]:
        """Rows and columns of one image of the 4D radar."""
        if self.density is not None:
            return self.density.num_cells, self.density.num_cells
        return self.grid.num_ranges, self.grid.num_azimuths

    def first_scan(self, newest: int) -> int:
        """Return the number of the first scan of a drive that may show in an image."""
        return 0 if self.window_m else max(0, newest - self.num_scans + 1)

    @property
    def window_words(self) -> str:
        """What one image of the 4D radar shows."""
        if self.window_m:
            return f'{self.window_m:g} m of way'
        return f'maximum of {self.num_scans} scans'


@dataclass(frozen=True, slots=True)
class RadarImage:
    """
    The network's view of the last 4D radar scans, or of one turn of a spinning radar.

    :param bev: uint8, see image_of_returns; of a turn shape (num_ranges, panorama_azimuths)
    :param ego_velocity: of the newest scan
    :param points_m: shape (P, 2) float32, static returns of the window in the frame of the newest
        scan, x forward, y left; older ones moved by the ego-velocity
    """

    bev: NDArray[np.uint8]
    ego_velocity: EgoVelocity
    points_m: NDArray[np.float32]

    @property
    def num_points(self) -> int:
        """Static returns that the image shows."""
        return len(self.points_m)


@dataclass(slots=True)
class _WindowScan:
    """
    One scan of the window.

    :param static: its returns that do not move, as they were measured
    :param points_m: x and y of them in the frame of the newest scan
    """

    static: RadarPointCloud
    points_m: NDArray[np.float32]


class CloudPreprocessor:
    """Turn a stream of 4D radar scans into polar BEV images."""

    def __init__(self, config: PreprocessingConfig) -> None:
        self._config = config
        self._window: deque[_WindowScan] = deque(maxlen=config.num_scans)
        self._velocity_mps: NDArray[np.floating] = np.zeros(2)
        self._way = WayWindow(config.window_m)
        self._scan_motion = ScanMotion()

    def clear(self) -> None:
        """Forget the scans so far."""
        self._window.clear()
        self._velocity_mps = np.zeros(2)
        self._way.clear()
        self._scan_motion.clear()

    def mount(self, base_radar: NDArray[np.float64]) -> None:
        """Take over how the radar is mounted, see ScanMotion."""
        self._scan_motion.mount(base_radar)

    def process(
        self, cloud: RadarPointCloud, planar: NDArray[np.float64] | None = None, segment: int = 0
    ) -> RadarImage:
        """
        Add one scan and return the image of the window.

        All scans of the window become pixels together: by content, they have one median. A stamp
        earlier than the last one (a bag that loops) starts a new window.

        :param planar: shape (3,): x, y, yaw of the radar in the odometry frame, for windows of
            way; None = by Doppler
        :param segment: of the odometry, see ssd_ros.motion.pose_chain
        """
        config = self._config
        motion = estimate_ego_velocity(
            cloud.xyz_m, cloud.rcs_dbsm, cloud.radial_velocity_mps, config.ego_velocity
        )
        static = cloud.select(motion.usable)
        if config.window_m:
            moved = self._scan_motion.add(cloud.stamp_ns, motion.known_mps, planar, segment)
            return self._image_of_way(static, motion, moved)
        window = self._window
        if window and cloud.stamp_ns < window[-1].static.stamp_ns:
            self.clear()
        while window and cloud.stamp_ns - window[0].static.stamp_ns > config.max_window_s * 1e9:
            window.popleft()
        if motion.motion is not Motion.UNKNOWN:
            self._velocity_mps = motion.velocity_mps[:2]
        if window:
            self._move_window(cloud.stamp_ns - window[-1].static.stamp_ns)
        window.append(_WindowScan(static, static.xyz_m[:, :2]))
        bev = image_of_returns(
            np.concatenate([scan.static.xyz_m for scan in window]),
            np.concatenate([scan.static.rcs_dbsm for scan in window]),
            config,
        )
        return RadarImage(bev, motion, np.concatenate([scan.points_m for scan in window]))

    def _image_of_way(
        self, static: RadarPointCloud, motion: EgoVelocity, moved: NDArray[np.float64] | None
    ) -> RadarImage:
        returns = np.column_stack([static.xyz_m, static.rcs_dbsm])
        self._way.add(returns, moved)
        window = self._way.seen_from_newest()
        bev = image_of_returns(window[:, :3], window[:, 3], self._config)
        return RadarImage(bev, motion, window[:, :2])

    def _move_window(self, elapsed_ns: int) -> None:
        """Bring the points to where the radar is now; its turning is not known."""
        shift_m = (self._velocity_mps * (elapsed_ns / 1e9)).astype(np.float32)
        for scan in self._window:
            scan.points_m = scan.points_m - shift_m


def image_of_returns(
    xyz_m: NDArray[np.float32], rcs_dbsm: NDArray[np.float32], config: PreprocessingConfig
) -> NDArray[np.uint8]:
    """
    Return the image of 4D radar returns that the network sees.

    :param xyz_m: shape (N, 3), sensor frame, x forward, y left
    :param rcs_dbsm: shape (N,)
    :return: shape config.image_shape
    """
    if config.density is not None:
        return density_image_of_cloud(xyz_m, config.density)
    return polar_bev_from_points(xyz_m, rcs_dbsm, config.grid, config.cloud)


def scan_panorama(scan: SpinningRadarScan, config: PreprocessingConfig) -> NDArray[np.uint8]:
    """Return the 360 degree polar BEV, shape (num_ranges, panorama_azimuths)."""
    return panorama_from_scan(scan, config.grid, config.scan)
