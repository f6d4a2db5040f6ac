# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Odometry by TF is judged and counted as that of the topic is."""

from __future__ import annotations

from typing import cast

import numpy as np
from ssd_ros.ros.inputs.odometry_input import OdometryInput
from ssd_ros.ros.inputs.stamp_source import StampSource
from ssd_ros.ros.inputs.transforms import Transforms
from ssd_ros.ros.messages.geometry import Pose
from ssd_ros.ros.parameters.inputs import InputParameters
from support.ros import Peer

START = 1_700_000_000_000_000_000
HERE = Pose(np.zeros(3), np.array([0.0, 0.0, 0.0, 1.0]))


class Recorded:
    """Poses by the number of a scan, as TF would tell them: the wheels have no tf2_ros."""

    def __init__(self, x_m: list[float]) -> None:
        self._x_m = x_m

    def near(self, target: str, source: str, stamp_ns: int, late_ns: int) -> Pose:
        x_m = self._x_m[(stamp_ns - START) // 100_000_000]
        return Pose(np.array([x_m, 0.0, 0.0]), HERE.quaternion_xyzw)


def test_poses_of_tf_that_jump_or_are_none_are_counted_and_said(peer: Peer) -> None:
    x_m = [100.0 + number for number in range(20)]
    x_m += [5000.0, 121.0, 1e308, 123.0]  # a single one, one that is none
    x_m += [float(number) for number in range(20)]  # begun anew at the origin
    said: list[str] = []
    source = StampSource(InputParameters, said.append)
    recorded = cast(Transforms, Recorded(x_m))
    odometry = OdometryInput(peer.node, 'odom', 'base_link', recorded, source, said.append)
    told = []
    for number in range(len(x_m)):
        for _ in range(2):  # two scans of one stamp have one pose
            pose = odometry.radar_at(START + number * 100_000_000, HERE)
        told.append(None if pose is None else (float(pose.position_m[0]), odometry.segment))
    odometry.destroy()
    expected = [(x, int(number >= 24)) for number, x in enumerate(x_m)]
    assert [number for number, pose in enumerate(told) if pose is None] == [20, 22, 24]
    assert [pose for pose in told if pose] == [
        pose for number, pose in enumerate(expected) if number not in (20, 22, 24)
    ]
    values = odometry.values()
    found = {name: values[f'odometry_{name}'] for name in ('invalid', 'segments')}
    assert found == {'invalid': 2, 'segments': 2}
    assert odometry.problem() == said[-1]
    assert said[-1] == (
        'odometry began anew at 1700000002.500 s: segment 2, not related to those before'
    )
