# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Quality of service as rclpy takes it."""

from __future__ import annotations

from rclpy.qos import DurabilityPolicy, QoSProfile, ReliabilityPolicy
from ssd_ros.ros.messages.topics import Qos


def qos_profile(qos: Qos) -> QoSProfile:
    """Return the profile of an entry in the table of topics."""
    return QoSProfile(
        depth=qos.depth,
        reliability=ReliabilityPolicy.RELIABLE if qos.reliable else ReliabilityPolicy.BEST_EFFORT,
        durability=(
            DurabilityPolicy.TRANSIENT_LOCAL if qos.latched else DurabilityPolicy.VOLATILE
        ),
    )
