# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Check a localizer with the points that the driver of a spinning radar sends."""

from __future__ import annotations

import array
import math
from pathlib import Path

import numpy as np
from sensor_msgs.msg import PointCloud2, PointField
from ssd_ros.radar.types import SpinningRadarScan
from ssd_ros.recognition import candidates
from support.localizer import header_msg, running_localizer, turn
from support.posts import write_small_encoder
from support.ros import Peer


def polar_points_msg(scan: SpinningRadarScan, stamp_ns: int) -> PointCloud2:
    """Return a turn as the driver of Navtech sends points: y to the right, power as intensity."""
    rows, columns = np.nonzero(scan.power)
    range_m, azimuth_rad = rows * scan.range_resolution_m, scan.azimuths_rad[columns]
    xyzi = np.zeros((len(rows), 4), np.float32)
    xyzi[:, 0], xyzi[:, 1] = range_m * np.cos(azimuth_rad), range_m * np.sin(azimuth_rad)
    xyzi[:, 3] = scan.power[rows, columns]
    fields = [
        PointField(name=name, offset=4 * place, datatype=PointField.FLOAT32, count=1)
        for place, name in enumerate(('x', 'y', 'z', 'intensity'))
    ]
    data = array.array('B', xyzi.tobytes())
    return PointCloud2(header=header_msg(stamp_ns), height=1, width=len(rows), fields=fields,
                       point_step=16, row_step=len(data), data=data)  # fmt: skip


def test_points_of_a_driver_are_turns_too(peer: Peer, tmp_path: Path) -> None:
    with running_localizer(
        peer,
        tmp_path,
        input_type='polar_points',
        model_path=write_small_encoder(tmp_path / 'teacher.onnx', 'spinning'),
        spinning__range_resolution=0.25,
    ) as localizer:
        for place, turned_deg in ((7, 0.0), (21, -90.0)):
            localizer.clock_ns += 2_000_000_000
            message = polar_points_msg(turn(place, turned_deg), localizer.clock_ns)
            localizer.publisher.publish(message)
            best = candidates.from_msg(localizer.answer_to(localizer.clock_ns))[0]
            assert best['keyframe_id'] == place
            miss_deg = math.degrees(best['relative_yaw']) - turned_deg
            assert abs(math.remainder(miss_deg, 360)) < 2.5
