# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Which topics of a recording are taken, how they are to be read, and in which frames they are."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from typing import Any

from ssd_ros.cli.doctor.contents import contents_of, first_message, PoseTopic
from ssd_ros.cli.doctor.drivers import driver_of, driver_parameters
from ssd_ros.cli.doctor.findings import Finding, GOOD, NOTE
from ssd_ros.cli.doctor.intake import Intake
from ssd_ros.cli.doctor.settings import Settings
from ssd_ros.cli.doctor.turn_source import input_type_of, source_of
from ssd_ros.datasets.bags.cloud_topics import CLOUD_DECODERS, CLOUD_TYPES, CloudTopic
from ssd_ros.datasets.bags.reader import BagReader
from ssd_ros.datasets.spinning.preset import MESSAGE_TYPES as TURNS
from ssd_ros.radar.messages import MESSAGE_TYPES
from ssd_ros.ros.messages.geometry import xyzrpy_of
from ssd_ros.ros.messages.topics import NODE

_OF_RCS = ('rcs_dbsm', 'rcs_linear')
_DIGITS = 4


class Topics:
    """Choose; what the command line names is taken."""

    def __init__(
        self, reader: BagReader, settings: Settings, arguments: argparse.Namespace
    ) -> None:
        """
        Look through the topics.

        :param arguments: are told which topics were chosen
        :raise ValueError: the recording is damaged
        """
        self._reader = reader
        self._settings = settings
        self._arguments = arguments
        self._contents = contents_of(reader, settings.parameters.decoder_config())
        self._radar: str | None = None
        self._radar_frame = ''
        self.mounting_by_tf: tuple[float, ...] | None = None  # as in radar_extrinsics
        self._poses = self._chosen_poses()

    @property
    def poses_are_of_radar(self) -> bool:
        """Whether the poses say that they are those of the radar itself."""
        poses = self._poses
        return poses is not None and bool(poses.child) and poses.child == self._radar_frame

    @property
    def pose_frame(self) -> str:
        """Frame of the poses, '' if there are none or they do not say."""
        return '' if self._poses is None else self._poses.frame

    def findings(self) -> Iterator[Finding]:
        """Yield which topics there are and which of them were chosen."""
        if self._settings.parameters.sensor == '4d' and self._is_spinning_alone():
            text = 'no 4D radar, but turns of a spinning one: looked at as such'
            yield Finding(NOTE, 'sensor', text, {'input_type': 'polar_image'})
        sensor = self._settings.parameters.sensor
        yield from self._contents.findings(sensor)
        yield from self._of_turns() if sensor == 'spinning' else self._of_clouds()
        yield from self._of_odometry()
        yield from self._of_frames()

    def intake_findings(self) -> Iterator[Finding]:
        """Yield what the node would say of the messages of the chosen topics."""
        if self._radar is None:
            return
        poses, tf = self._poses, self._contents.tf
        is_odometry = poses is not None and poses.is_odometry
        frames = (poses.frame, poses.child) if poses is not None and is_odometry else ('', '')
        intake = Intake(
            self._settings.parameters,
            poses.name if poses is not None and is_odometry else '',
            frames,
            None if tf is None else tf.lookup,
        )
        intake.take_all(self._reader)
        yield from intake.findings()

    def _is_spinning_alone(self) -> bool:
        is_open = self._arguments.sensor is None and not self._arguments.params
        if not is_open or self._contents.radars or self._arguments.points_topic:
            return False
        return any(source_of(self._reader, name, kind) for name, kind, _ in self._contents.turns)

    def _of_clouds(self) -> Iterator[Finding]:
        chosen = self._chosen_cloud()
        if chosen is None:
            return
        self._arguments.points_topic = self._radar = chosen.name
        message = first_message(self._reader, chosen.name, CLOUD_TYPES)
        self._radar_frame = '' if message is None else message.header.frame_id
        others = [topic.name for topic in self._contents.radars if topic.name != chosen.name]
        why = f'{chosen.name} makes the queries'
        if others:
            why += f'; to have what {", ".join(others)} sees, too, add it to input_topics'
        several = len(self._settings.parameters.input_topics) > 1  # as --params say
        yield Finding(NOTE, 'topic', why, {} if several else {'input_topics': (chosen.name,)})
        if message is not None:
            yield from self._of_driver(chosen, message)
            yield from self._of_intensity(chosen, message)

    def _chosen_cloud(self) -> CloudTopic | None:
        radars = self._contents.radars
        named = self._arguments.points_topic
        if named:
            return next((topic for topic in self._contents.clouds if topic.name == named), None)
        wanted = [f'/{name.lstrip("/")}' for name in self._settings.parameters.input_topics]
        usual = [topic for topic in radars if topic.name in wanted]
        return next(iter([*usual, *radars]), None)

    def _of_driver(self, chosen: CloudTopic, message: Any) -> Iterator[Finding]:
        driver = driver_of(chosen.name, chosen.type, message)
        if driver is None:
            text = 'none of config/drivers; the fields are found by their names'
            yield Finding(NOTE, 'driver', text, self._type_of(chosen))
            return
        if self._arguments.params:  # which say how it is to be read
            yield Finding(NOTE, 'driver', driver.words)
            return
        values = {**self._type_of(chosen), **driver.parameters}
        names = {topic.name for topic in self._contents.radars}
        usual = driver_parameters(driver.names[0])
        if len(driver.topics) > 1 and names >= {*driver.topics}:
            values |= {'input_topics': driver.topics, 'frame_override': usual.frame_override}
        elif not self._radar_frame and driver.by_topic:
            values |= {'frame_override': usual.frame_override[:1]}
        yield Finding(GOOD, 'driver', driver.words, values)

    def _type_of(self, chosen: CloudTopic) -> dict[str, str]:
        kinds = [kind for kind, name in MESSAGE_TYPES.items() if name == chosen.type]
        return {'input_type': kinds[0]} if kinds and kinds[0] != 'pointcloud2' else {}

    def _of_intensity(self, chosen: CloudTopic, message: Any) -> Iterator[Finding]:
        config = self._settings.parameters.decoder_config()
        try:
            stats = CLOUD_DECODERS[chosen.type](message, config).stats
        except ValueError:  # which the intake says
            return
        kind = stats.intensity_kind
        if kind in _OF_RCS:
            yield Finding(GOOD, 'intensity', f'{kind}: the RCS that the model was trained on')
        else:
            text = (
                f'{kind}, put on the scale of RCS scan by scan: how well places are found with '
                'it is not known'
            )
            yield Finding(NOTE, 'intensity', text)

    def _of_turns(self) -> Iterator[Finding]:
        given, wanted = self._arguments.spinning_preset, self._arguments.scan_topic
        for name, kind, _ in self._contents.turns:
            source = given or source_of(self._reader, name, kind)
            if wanted not in (None, name) or source is None:
                continue
            self._arguments.scan_topic = self._radar = name
            message = first_message(self._reader, name, TURNS)
            inner = getattr(message, 'b_scan_img', message)
            self._radar_frame = '' if inner is None else inner.header.frame_id
            values = {
                'input_type': input_type_of(kind),
                'input_topics': (name,),
                'spinning.preset': source,
            }
            yield Finding(GOOD, 'driver', f'{name} is read as {source} sends it', values)
            return

    def _chosen_poses(self) -> PoseTopic | None:
        named = self._arguments.poses_topic
        if self._arguments.poses:
            return None
        of_others = [
            topic
            for topic in self._contents.poses
            if not topic.name.startswith(f'/{NODE}/') and named in (None, topic.name)
        ]
        return next(iter(of_others), None)

    def _of_odometry(self) -> Iterator[Finding]:
        poses, tf, parameters = self._poses, self._contents.tf, self._settings.parameters
        if poses is None:
            if tf is not None and tf.lookup(parameters.odom_frame, parameters.base_frame):
                text = f'TF has {parameters.base_frame!r} in {parameters.odom_frame!r}'
                yield Finding(NOTE, 'odometry', f'{text}, which the node takes')
            return
        self._arguments.poses_topic = poses.name
        if not poses.is_odometry:
            text = f'{poses.name} is looked at here; the node takes nav_msgs/Odometry alone'
            yield Finding(NOTE, 'odometry', text)
            return
        self._settings.odometry_topic = poses.name
        if self._settings.ros_arguments:
            text = f'{poses.name} is the odometry: -r odom:={poses.name}'
            yield Finding(NOTE, 'topic', text)

    def _of_frames(self) -> Iterator[Finding]:
        """Yield where TF says that the radar sits."""
        tf, parameters, frame = self._contents.tf, self._settings.parameters, self._radar_frame
        if self._radar is None:
            return
        base = (self._poses and self._poses.child) or parameters.base_frame
        if tf is None or not frame:
            if not any(parameters.radar_extrinsics) and not self.poses_are_of_radar:
                text = f'nothing says where the radar sits: is its frame that of {base!r}?'
                yield Finding(NOTE, 'frames', text)
            return
        pose = tf.lookup(base, frame)
        if pose is None:  # which the intake says
            return
        values = tuple(round(value, _DIGITS) + 0.0 for value in xyzrpy_of(pose))  # no -0
        text = f'TF has {frame!r} in {base!r} at {", ".join(f"{value:g}" for value in values)}'
        if self._arguments.extrinsics is not None:
            yield Finding(NOTE, 'frames', f'{text}; --extrinsics is taken here, the node takes TF')
            return
        self.mounting_by_tf = values
        others = parameters.radar_extrinsics[len(values) :]
        yield Finding(GOOD, 'frames', text, {'radar_extrinsics': (*values, *others)})
