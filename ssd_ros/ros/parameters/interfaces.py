# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The parameters that say which frames there are and what is published, to whom and when."""

from __future__ import annotations

from dataclasses import dataclass

from ssd_ros.ros.parameters.inputs import InputParameters
from ssd_ros.ros.parameters.options import option

INITIAL_POSE_MODES = ('off', 'on_request', 'once', 'on_lost')


@dataclass(frozen=True, slots=True)
class InterfaceParameters(InputParameters):
    """The part of the node's parameters that concerns its surroundings."""

    map_frame: str = option(
        'map', 'frame of the map: header.frame_id of the output', read_only=True
    )
    odom_frame: str = option(
        'odom',
        'frame of the odometry: of the running drive, and in TF where the topic odom is silent',
        read_only=True,
    )
    base_frame: str = option('base_link', 'frame whose pose ~/pose is', read_only=True)
    allow_unknown_yaw: bool = option(False, 'publish ~/pose even if the yaw is not known')
    covariance_floor_xy: float = option(
        1.0, 'smallest standard deviation of x and y in ~/pose (m)', low=0.01, high=100.0
    )
    covariance_z: float = option(
        1.0, 'standard deviation of z in ~/pose (m)', low=0.01, high=100.0
    )
    covariance_scale: float = option(
        1.0, 'factor on the covariance of ~/pose', low=0.01, high=100.0
    )
    initialpose_mode: str = option(
        'on_request',
        'when a pose goes to initialpose: off = never, on_request = by ~/relocalize, once = also '
        'at the first accepted place after activation, on_lost = also at the first one after '
        'reinitialization_requested',
        choices=INITIAL_POSE_MODES,
    )
    initialpose_min_interval: float = option(
        5.0,
        'least time between two poses on initialpose that nobody requested (s)',
        low=0.0,
        high=3600.0,
    )
    publish_pose_body: bool = option(
        False, 'publish ~/pose_body: the pose with base_frame as its frame, for RTAB-Map'
    )
    publish_odometry: bool = option(False, 'publish ~/odometry: the pose as nav_msgs/Odometry')
    publish_loop_closure_stamps: bool = option(
        False, 'publish ~/loop_closure_stamps: closures within the running drive, for LIO-SAM'
    )
    publish_markers: bool = option(True, 'publish ~/markers while somebody looks at them')
    publish_tf: bool = option(
        False,
        'publish map_frame -> odom_frame; for demonstrations without a back end, which would do '
        'that, and with odometry',
        read_only=True,
    )
    adapters: tuple[str, ...] = option(
        ('',),
        'back ends that are told by their own services: autoware, lio_sam, mola, nav2, rtabmap',
        read_only=True,
    )
    diagnostics_rate: float = option(
        1.0, 'rate of /diagnostics (Hz)', low=0.1, high=20.0, read_only=True
    )
