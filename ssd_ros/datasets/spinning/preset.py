# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""How each source of spinning radar scans lays them out in its messages."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

ROWS_ARE = ('auto', 'azimuth', 'range')
IMAGE = 'sensor_msgs/msg/Image'
POINTS = 'sensor_msgs/msg/PointCloud2'
B_SCAN = 'navtech_msgs/msg/RadarBScanMsg'
FFT_DATA = 'messages/msg/RadarFftDataMessage'
MESSAGE_TYPES = (IMAGE, B_SCAN, FFT_DATA, POINTS)


@dataclass(frozen=True, slots=True)
class SpinningPreset:
    """
    Layout of one source.

    :param topic: that the source has by default; empty = the only one of its type
    """

    message_type: str = IMAGE
    topic: str = ''
    rows_are: str = 'auto'  # of an image; auto: the side with 400 is azimuth
    range_resolution_m: float | None = None  # None: 150 m over all bins
    num_metadata_bytes: int = 0  # at the start of each azimuth; 8 and 9 hold the encoder
    encoder_size: int = 5600  # counts per turn

    def __post_init__(self) -> None:
        if self.message_type not in MESSAGE_TYPES:
            raise ValueError(
                f'unknown message_type {self.message_type!r}; choose from {MESSAGE_TYPES}'
            )
        if self.rows_are not in ROWS_ARE:
            raise ValueError(f'unknown rows_are {self.rows_are!r}; choose from {ROWS_ARE}')
        if self.num_metadata_bytes not in (0, 11):
            raise ValueError(f'num_metadata_bytes is {self.num_metadata_bytes}, expected 0 or 11')
        if self.encoder_size < 1:
            raise ValueError(f'encoder_size is {self.encoder_size}, expected at least 1')
        if self.range_resolution_m is not None and not self.range_resolution_m > 0:
            raise ValueError(f'range_resolution_m is {self.range_resolution_m}, expected > 0')


# Resolution and encoder count where the recording has no configuration message.
PRESETS: Mapping[str, SpinningPreset] = {
    # File player; an image reaches 150 m, column 0 looks forward.
    'hercules': SpinningPreset(rows_are='range'),
    # File player of MulRan.
    'mulran': SpinningPreset(topic='/radar/polar', rows_are='range', range_resolution_m=0.05952),
    # ROS 1 driver of unmannedlab, through a conversion.
    'navtech_usl': SpinningPreset(
        topic='/Navtech/Polar', rows_are='range', range_resolution_m=0.0595
    ),
    # ROS 1 driver of UTIAS: the layout of Oxford, Boreas before September 2021.
    'utias': SpinningPreset(
        topic='/Navtech/Polar',
        rows_are='azimuth',
        range_resolution_m=0.0596,
        num_metadata_bytes=11,
    ),
    # The manufacturer's ROS 2 driver: an image a turn, one azimuth a message, or points.
    'navtech_image': SpinningPreset(
        topic='/radar_data/b_scan_image', rows_are='azimuth', range_resolution_m=0.0438
    ),
    'navtech_fft': SpinningPreset(
        message_type=FFT_DATA, topic='/radar_data/fft_data', range_resolution_m=0.0438
    ),
    # Its y axis points right, so that angles of the points run clockwise.
    'navtech_points': SpinningPreset(
        message_type=POINTS, topic='/radar_data/point_cloud', range_resolution_m=0.0438
    ),
    # navtech_msgs of ASRL and norlab: VTR3, DRO, Boreas-RT; and FoMo.
    'navtech_b_scan': SpinningPreset(
        message_type=B_SCAN,
        topic='/radar_data/b_scan_msg',
        rows_are='azimuth',
        range_resolution_m=0.0438,
    ),
    'fomo': SpinningPreset(
        message_type=B_SCAN,
        topic='/radar/b_scan_msg',
        rows_are='azimuth',
        range_resolution_m=0.0438,
    ),
}
# What a recording without a preset is taken for, by the type of its messages.
UNNAMED: Mapping[str, SpinningPreset] = {
    IMAGE: SpinningPreset(),
    B_SCAN: SpinningPreset(message_type=B_SCAN, rows_are='azimuth', range_resolution_m=0.0438),
    FFT_DATA: SpinningPreset(message_type=FFT_DATA, range_resolution_m=0.0438),
}
