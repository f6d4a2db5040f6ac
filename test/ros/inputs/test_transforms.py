# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Check what is made of a transform that TF gives."""

from __future__ import annotations

from geometry_msgs.msg import TransformStamped
import pytest
from ssd_ros.ros.inputs.transforms import pose_of


def test_a_quaternion_that_tf_lets_pass_becomes_one_of_unit_length() -> None:
    found = TransformStamped()
    found.transform.translation.x = 2.0
    found.transform.rotation.z, found.transform.rotation.w = 0.6 * 1.004, 0.8 * 1.004
    pose = pose_of(found)
    assert pose.position_m.tolist() == [2, 0, 0]
    # A map refuses keyframes that are off by more than 0.001.
    assert pose.quaternion_xyzw.tolist() == pytest.approx([0, 0, 0.6, 0.8], abs=1e-12)
