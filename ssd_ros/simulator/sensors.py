# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Radars and LiDARs: resolution, sensitivity and noise. The defaults are of the benchmark."""

from __future__ import annotations

from dataclasses import dataclass, field

from ssd_ros.records import check_limits, LATER, Limits

_SPINNING_LIMITS = {
    'num_azimuths': Limits(8, 4000),
    'num_bins': Limits(8, 10_000),
    'upsampling': Limits(1, 16),
    'max_range_m': Limits(10, 1000),
    'noise_counts': Limits(0, 1e5),
    'scintillation': Limits(0, 1),
    'least_counts': Limits(0, 1e5, is_above=True),
    'range_sigma_m': Limits(0.02, 5),
    'beam_scale': Limits(0.2, 10),
    'sidelobe_gain_db': Limits(-100, 30),
    'saturation_px': Limits(1, 255),
    'pixel_step': Limits(1, 64),
    'ghost_probability': Limits(0, 1),
}
# The detector numbers its cells: 1024 in range, 256 in the sine of the azimuth.
_CLOUD_LIMITS = {
    'max_range_m': Limits(5, 300),
    'half_fov_deg': Limits(1, 85),
    'half_elevation_deg': Limits(1, 89),
    'range_cell_m': Limits(0.15, 10),
    'azimuth_cell_deg': Limits(0.5, 60),
    'elevation_cell_deg': Limits(0.5, 90),
    'velocity_cell_mps': Limits(0.02, 10),
    'false_alarm_probability': Limits(0, 1, is_above=True),
    'max_angles': Limits(1, 255),
    'max_detections': Limits(1, 100_000),
    'ghost_probability': Limits(0, 1),
    'num_false_alarms': Limits(0, 100_000),
    'azimuth_step_deg': Limits(0, 60),
    'num_beside': Limits(0, 8),
    'least_snr': Limits(0, 1e5, is_above=True),
}
_LIDAR_LIMITS = {
    'half_fov_deg': Limits(1, 180, is_above=True),
    'num_columns': Limits(8, 10_000),
    'lowest_deg': Limits(-80, 80),
    'highest_deg': Limits(-80, 80),
    'num_rings': Limits(1, 512),
    'height_m': Limits(0.1, 20),
    'min_range_m': Limits(0, 50),
    'max_range_m': Limits(5, 500),
    'range_of_10_percent_m': Limits(1, 1000),
    'sweep_s': Limits(0, 1),
    'range_noise_m': Limits(0, 5),
    'velocity_noise_mps': Limits(0, 10),
}


@dataclass(frozen=True, slots=True)
class SpinningRadarConfig:
    """A Navtech-like scanning radar on the roof."""

    num_azimuths: int = 400
    num_bins: int = 856
    upsampling: int = 1  # NATIVE_UPSAMPLING gives the bins of the real sensor
    max_range_m: float = 150.0
    height_m: float = 2.0
    period_s: float = 0.25
    brightness_px: float = 155.5  # pixel of 0 dBsm at 1 m; compared with real images
    # Mean power of receiver noise far away. With 80, three quarters of the pixels lie above the
    # threshold of the shipped models, as in a scan of a real RAS6.
    noise_counts: float = 2.5
    scintillation: float = 0.6  # share of a scatterer's power that fluctuates from turn to turn
    # Echoes below these counts are left out: they drown in noise, but cost most of the time.
    least_counts: float = field(default=0.05, metadata=LATER)
    range_sigma_m: float = field(default=0.155, metadata=LATER)  # depth of a point, in power
    beam_scale: float = field(default=1.0, metadata=LATER)  # width, over that of a Navtech
    # Level of the side lobes, in azimuth and in range, over that of a Navtech.
    sidelobe_gain_db: float = field(default=0.0, metadata=LATER)
    saturation_px: int = field(default=255, metadata=LATER)  # no pixel is brighter
    pixel_step: int = field(default=1, metadata=LATER)  # pixels are multiples of it
    ghost_probability: float = field(default=0.0, metadata=LATER)  # of a strong echo

    def __post_init__(self) -> None:
        check_limits(self, _SPINNING_LIMITS)

    @property
    def bin_m(self) -> float:
        """Depth of a bin before upsampling."""
        return self.max_range_m / self.num_bins


@dataclass(frozen=True, slots=True)
class CloudRadarConfig:
    """An ARS548-like automotive 4D radar behind the front bumper."""

    max_range_m: float = 150.0
    half_fov_deg: float = 60.0
    half_elevation_deg: float = 20.0
    height_m: float = 0.7
    snr_db: float = 19.0  # of 0 dBsm at 100 m on boresight
    rcs_offset_db: float = 4.0  # reported minus true; fitted to one real frame
    range_cell_m: float = 0.3
    azimuth_cell_deg: float = 1.2
    elevation_cell_deg: float = 4.6
    velocity_cell_mps: float = 0.12
    false_alarm_probability: float = 1e-4
    min_snr: float = 8.0
    sidelobe_db: float = 24.0  # detections this far below the strongest of their range are lost
    max_angles: int = 2  # per range and Doppler cell
    max_detections: int = 800
    ghost_probability: float = 0.08
    num_false_alarms: float = 12.0
    range_noise_m: float = 0.06
    azimuth_noise_deg: float = 0.35
    elevation_noise_deg: float = 0.8
    velocity_noise_mps: float = 0.055
    rcs_noise_db: float = 1.5
    # Reported azimuths are multiples of it, 0 = they are not.
    azimuth_step_deg: float = field(default=0.0, metadata=LATER)
    # Cells on either side of a peak, in range and in azimuth, that are reported as well.
    num_beside: int = field(default=0, metadata=LATER)
    # Echoes with a signal-to-noise ratio below it are left out: few of them lift a cell over the
    # threshold.
    least_snr: float = field(default=0.1, metadata=LATER)

    def __post_init__(self) -> None:
        check_limits(self, _CLOUD_LIMITS)


@dataclass(frozen=True, slots=True)
class LidarConfig:
    """
    A LiDAR on the roof that spins clockwise, as one of 32 rings (Hesai XT32) does.

    :param half_fov_deg: in azimuth; 180 turns all around, more than 85 is no view ahead
    :param num_columns: of beams in azimuth, each of num_rings from highest_deg to lowest_deg
    :param range_of_10_percent_m: in clear air, at which half of the returns of a surface with a
        reflectance of 10 % are lost
    :param sweep_s: duration of a scan about its stamp; points are where the sensor measures them
    :param has_doppler: as an FMCW LiDAR
    """

    half_fov_deg: float = 180.0
    num_columns: int = 1024
    lowest_deg: float = -16.0
    highest_deg: float = 15.0
    num_rings: int = 32
    height_m: float = 1.9
    min_range_m: float = 0.5
    max_range_m: float = 120.0
    range_of_10_percent_m: float = 80.0
    sweep_s: float = 0.1
    range_noise_m: float = 0.02
    has_doppler: bool = False
    velocity_noise_mps: float = 0.03

    def __post_init__(self) -> None:
        check_limits(self, _LIDAR_LIMITS)
        if self.lowest_deg > self.highest_deg:
            raise ValueError(
                f'lowest_deg is {self.lowest_deg}, expected at most highest_deg, '
                f'{self.highest_deg}'
            )


LIDARS = {
    'spinning': LidarConfig(),
    # As an Aeva Aeries II, thinned: 120 x 30 degrees, with Doppler.
    'fmcw': LidarConfig(
        half_fov_deg=60.0,
        num_columns=480,
        lowest_deg=-15.0,
        highest_deg=15.0,
        num_rings=64,
        height_m=1.8,
        max_range_m=150.0,
        range_of_10_percent_m=150.0,
        sweep_s=0.0,
        has_doppler=True,
    ),
}
