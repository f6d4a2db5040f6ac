# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""
Every topic and service of the node, once, without ROS.

Publishers and services are made from these tables, those of the documentation as well.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

NODE = 'ssd_localizer'


class Qos(NamedTuple):
    """
    Quality of service.

    :param latched: transient local: late subscribers get the last message
    """

    depth: int = 10
    reliable: bool = True
    latched: bool = False

    def __str__(self) -> str:
        """Return it in words."""
        reliability = 'reliable' if self.reliable else 'best effort'
        return f'{reliability}{", latched" if self.latched else ""}, {self.depth}'


SENSOR_DATA = Qos(5, reliable=False)
LATCHED = Qos(1, latched=True)


@dataclass(frozen=True, slots=True)
class Topic:
    """
    One topic.

    :param name: before remapping; `~/` stands for the name of the node
    :param frame: header.frame_id: the parameter that names it, or in words
    :param when: it is published, or what it is good for
    :param has_qos_overrides: parameters `qos_overrides.*` may change its quality of service
    """

    name: str
    kind: str
    qos: Qos
    frame: str
    when: str
    has_qos_overrides: bool = False


@dataclass(frozen=True, slots=True)
class Service:
    """One service; its reply says in words what came of it."""

    name: str
    kind: str
    meaning: str


# A late listener would act on an old place, so only maps are latched.
PUBLISHED = (
    Topic(
        '~/candidates',
        'sensor_msgs/msg/PointCloud2',
        Qos(),
        'map_frame; odom_frame without a map',
        'every query; rows of `ssd_ros.recognition.candidates`, none if nothing was found; places '
        'of the running drive (flag 32) are in odom_frame',
        has_qos_overrides=True,
    ),
    Topic(
        '~/candidate_poses',
        'geometry_msgs/msg/PoseArray',
        Qos(),
        'as `~/candidates`',
        'every query, if somebody listens; base_frame according to each row, in the same order',
    ),
    Topic(
        '~/pose',
        'geometry_msgs/msg/PoseWithCovarianceStamped',
        Qos(),
        'map_frame',
        'a place of a map is accepted; pose of base_frame',
        has_qos_overrides=True,
    ),
    Topic(
        'initialpose',
        'geometry_msgs/msg/PoseWithCovarianceStamped',
        Qos(1),
        'map_frame',
        'as `initialpose_mode` says; as `~/pose`',
    ),
    Topic(
        '~/pose_body',
        'geometry_msgs/msg/PoseWithCovarianceStamped',
        Qos(),
        'base_frame',
        'with `~/pose`, if `publish_pose_body`',
    ),
    Topic(
        '~/odometry',
        'nav_msgs/msg/Odometry',
        Qos(),
        'map_frame, child base_frame',
        'with `~/pose`, if `publish_odometry`; its twist is not known',
    ),
    Topic(
        '~/loop_closure_stamps',
        'std_msgs/msg/Float64MultiArray',
        Qos(),
        '',
        'a place of the running drive is accepted, if `publish_loop_closure_stamps`; '
        'now and then, in seconds',
    ),
    Topic(
        '~/markers',
        'visualization_msgs/msg/MarkerArray',
        Qos(1),
        'as the place',
        'every query, if `publish_markers` and somebody listens; namespaces accepted, '
        'ambiguous, rejected',
    ),
    Topic(
        '~/path',
        'nav_msgs/msg/Path',
        Qos(1),
        'map_frame',
        'with `~/pose`, at most once a second, if somebody listens; the last 1000 accepted '
        'places, 1 m or more apart',
    ),
    Topic(
        '~/bev',
        'sensor_msgs/msg/Image',
        SENSOR_DATA,
        'of the radar',
        'every query, if somebody listens; what the encoder sees, near rows first, left columns '
        'first; of a spinning radar clockwise from forward',
    ),
    Topic(
        '~/map_keyframes',
        'geometry_msgs/msg/PoseArray',
        LATCHED,
        'map_frame',
        'at activation and after `~/reload_map`; of more than 10,000 every second, third, ... one',
    ),
    Topic(
        '~/map_info',
        'std_msgs/msg/String',
        LATCHED,
        '',
        'at activation, after `~/reload_map` and when the radar turns out to be another than the '
        'calibration knows; JSON',
    ),
)
DIAGNOSTICS = Topic(
    '/diagnostics',
    'diagnostic_msgs/msg/DiagnosticArray',
    Qos(),
    '',
    'with `diagnostics_rate`, also while the node is not active',
)
TF = Topic(
    '/tf',
    'tf2_msgs/msg/TFMessage',
    Qos(100),
    'map_frame, child odom_frame',
    'every query after the first accepted place, if `publish_tf`',
)
VIEW_FRAME = Topic(
    '/tf_static',
    'tf2_msgs/msg/TFMessage',
    LATCHED,
    'map_frame, child map_frame with `_view`',
    'with `~/map_keyframes`, where tf2_msgs is installed: the middle of the map, for RViz and '
    'Foxglove to look at; without a map the zero of odom_frame',
)
BOND = Topic(
    'bond',
    'bond/msg/Status',
    Qos(100),
    '',
    'heartbeats for a lifecycle manager of Nav2, and its own, while the node is active and '
    '`autostart` is false; where the package bond is installed',
)
ODOMETRY = Topic(
    'odom',
    'nav_msgs/msg/Odometry',
    SENSOR_DATA,
    'odom_frame, child base_frame',
    'optional; without it TF tells odom_frame -> base_frame, else the Doppler velocity how '
    'far the vehicle went',
)
LOST = Topic(
    'reinitialization_requested',
    'std_msgs/msg/Bool',
    Qos(1),
    '',
    'optional; true = the back end is lost, see `initialpose_mode`',
)
PRIOR_TOPICS = {
    'pose': Topic(
        'prior',
        'geometry_msgs/msg/PoseWithCovarianceStamped',
        Qos(),
        'map_frame',
        'if `prior.source` is pose: where the vehicle is roughly, such as a click of RViz (remap '
        '`prior` to `initialpose`)',
    ),
    'fix': Topic(
        'fix',
        'sensor_msgs/msg/NavSatFix',
        SENSOR_DATA,
        '',
        'if `prior.source` is fix: GNSS, for maps whose origin names a zone of UTM',
    ),
}
SUBSCRIBED = (
    Topic(
        'points',
        'sensor_msgs/msg/PointCloud2',
        SENSOR_DATA,
        'of the radar',
        'the radar, 4D or spinning; other names and types by `input_topics` and `input_type`',
    ),
    ODOMETRY,
    LOST,
    *PRIOR_TOPICS.values(),
    Topic(
        '/tf',
        'tf2_msgs/msg/TFMessage',
        Qos(100),
        '',
        'where the radar sits, and what `odom` and the back end would say; where tf2_ros is '
        'installed',
    ),
    Topic('/tf_static', 'tf2_msgs/msg/TFMessage', LATCHED, '', 'likewise'),
)
SERVICES = (
    Service('~/query', 'std_srvs/srv/Trigger', 'search with the newest window now; JSON'),
    Service(
        '~/relocalize',
        'std_srvs/srv/Trigger',
        'the same, and if a place is accepted give the pose to `initialpose` and the adapters',
    ),
    Service(
        '~/reload_map',
        'std_srvs/srv/Trigger',
        'read `index_path` again; the old maps stay if that fails',
    ),
    Service(
        '~/clear',
        'std_srvs/srv/Trigger',
        'forget the window of scans, the last answers and the running drive',
    ),
    Service(
        '~/enable', 'std_srvs/srv/SetBool', 'start or stop automatic queries; services still work'
    ),
    Service(
        '~/save_session',
        'std_srvs/srv/Trigger',
        'write the running drive as a map under the name `session_path`',
    ),
)


def view_frame_of(map_frame: str) -> str:
    """Return the name of the frame in the middle of the map."""
    return f'{map_frame}_view'
