# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""
What the node would say of the messages: its own intake, fed with them at the times they came.

So a fault has the words here that it has in the log and in /diagnostics.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
import re
from typing import Any

from ssd_ros.cli.doctor.findings import Finding, GOOD, MEND, NOTE
from ssd_ros.datasets.bags.reader import BagReader, RawMessage
from ssd_ros.datasets.bags.rosbag2 import pose_values
from ssd_ros.datasets.spinning import messages as turns
from ssd_ros.motion.pose_stream import Arrived
from ssd_ros.radar import messages as clouds
from ssd_ros.radar.types import Scan, SpinningRadarScan
from ssd_ros.ros.health import texts as health_texts
from ssd_ros.ros.inputs.extrinsics import Lookup
from ssd_ros.ros.inputs.mounting import MAX_TURN_TILT_DEG
from ssd_ros.ros.inputs.odometry_buffer import OdometryBuffer, pose_of
from ssd_ros.ros.inputs.radar import Radar
from ssd_ros.ros.inputs.stamp_source import ODOMETRY, StampSource
from ssd_ros.ros.parameters.node import NodeParameters

_MAX_SCANS = 2000
_MAX_FAULTS = 0.1  # of the messages, reconstructed
_MAX_MISSES = 0.2  # of the scans, likewise
_MIN_STAMPS = 3  # the source of stamps decides by so many


class Intake:
    """The radars and the odometry of a recording as they arrive."""

    def __init__(
        self,
        parameters: NodeParameters,
        odometry: str,
        frames: tuple[str, str],
        lookup: Lookup | None,
    ) -> None:
        """
        Expect the messages of `input_topics`.

        :param odometry: topic of nav_msgs/Odometry, '' = none
        :param frames: of the odometry and of whose pose it is, as its messages say
        :param lookup: what TF knows; None = there is no TF
        """
        self._parameters = parameters
        self._said: Counter[str] = Counter()
        self._texts: dict[str, str] = {}
        self._source = StampSource(lambda: parameters, lambda text: None)  # asked at the end
        self._radars = {
            topic.name: Radar(
                topic, parameters, parameters.base_frame, lookup, self._source, self._warn
            )
            for topic in parameters.radar_topics()
        }
        self._odometry_topic, self._frames = odometry, frames
        self._buffer = OdometryBuffer()
        self._refused: set[str] = set()
        self._absent: list[str] = []
        self._num_scans = self._num_missed = 0
        self._missed = ''
        self._changes = self._source.num_changes
        self._skews_s: list[float] = []

    def take_all(self, reader: BagReader) -> None:
        """Take the messages in the order in which they came, at most so many scans."""
        of_sensor = clouds if self._parameters.sensor == '4d' else turns
        kinds = {name: kind for kind, name in of_sensor.MESSAGE_TYPES.items()}
        present = reader.topics_of(tuple(kinds))
        self._absent = [name for name in self._radars if name not in present]
        connections = [
            connection
            for name in self._radars
            if name in present
            for connection in reader.connections(name, tuple(kinds))
        ]
        if self._odometry_topic:
            connections += reader.connections(self._odometry_topic, ('nav_msgs/msg/Odometry',))
        for raw in reader.raw_messages(connections):
            topic, kind = raw.connection.topic, kinds.get(raw.connection.msgtype, '')
            try:
                message = reader.deserialized(raw)
            except ValueError as error:
                self._warn(str(error))
                continue
            if topic == self._odometry_topic:
                self._take_pose(message, raw)
            elif self._take_scan(topic, kind, message, raw) > _MAX_SCANS:
                return

    def _take_scan(self, topic: str, kind: str, message: Any, raw: RawMessage) -> int:
        radar, now_ns = self._radars[topic], raw.log_time_ns
        if not radar.statistics.num_messages:
            radar.intake.start(now_ns / 1e9)
        admitted = radar.intake.receive(message, now_ns / 1e9, now_ns, kind)
        for stamp_ns, scan in admitted.samples:
            self._use(radar, stamp_ns, scan)
        if raw.header_ns:
            self._skews_s.append((now_ns - raw.header_ns) / 1e9)
        return radar.statistics.num_messages

    def _use(self, radar: Radar, stamp_ns: int, scan: Scan) -> None:
        mounting = radar.mounting(scan.frame_id)  # warns where TF does not know it
        if isinstance(scan, SpinningRadarScan) and mounting.tilt_deg > MAX_TURN_TILT_DEG:
            text = health_texts.TURN_TILTED.format(tilt_deg=mounting.tilt_deg)
            radar.intake.refuse('tilted', text)
        if not len(self._buffer):
            return
        self._num_scans += 1
        if self._buffer.at(stamp_ns) is None:
            self._num_missed += 1
            apart_s = (self._buffer.newest_ns - stamp_ns) / 1e9
            self._missed = health_texts.ODOMETRY_MISSED.format(
                stamp_s=stamp_ns / 1e9,
                apart_s=abs(apart_s),
                side='earlier' if apart_s < 0 else 'later',
            )

    def _take_pose(self, message: Any, raw: RawMessage) -> None:
        stamp_ns = self._source.stamp_of(ODOMETRY, raw.header_ns, raw.log_time_ns)
        if self._source.num_changes != self._changes:
            self._changes = self._source.num_changes
            self._buffer.stream.change_clock()
        values = pose_values(message.pose.pose)
        arrived = self._buffer.add(stamp_ns, pose_of(values), raw.log_time_ns)
        self._say_odometry(arrived)

    def _say_odometry(self, arrived: Arrived) -> None:
        if arrived.begins_ns is not None:
            text = health_texts.ODOMETRY_BEGAN_ANEW
            segment = arrived.poses[-1].segment
            self._warn(text.format(stamp_s=arrived.begins_ns / 1e9, segment=segment))
        if arrived.left_out:
            self._warn(health_texts.ODOMETRY_LEFT_OUT.format(error=arrived.left_out))

    def _warn(self, text: str) -> None:
        kind = re.sub(r'-?\d[\d.]*', '#', text)
        self._texts[kind] = text
        self._said[kind] += 1
        if any(radar.statistics.last_error == text for radar in self._radars.values()):
            self._refused.add(kind)

    def findings(self) -> Iterator[Finding]:
        """Yield what the messages say of themselves."""
        num = sum(radar.statistics.num_messages for radar in self._radars.values())
        yield from self._clock()
        for name in self._absent:
            text = f'nothing came on {name}, one of input_topics: is its driver running?'
            yield Finding(MEND, 'messages', text)
        for kind, count in self._said.most_common():
            is_much = kind in self._refused and count > _MAX_FAULTS * max(num, 1)
            yield Finding(
                MEND if is_much else NOTE,
                'messages',
                f'{self._texts[kind]} ({count} of {num} messages)',
            )
        yield from self._frames_of_radars()
        yield from self._frames_of_odometry()
        if self._num_missed > _MAX_MISSES * self._num_scans:
            text = f'{self._missed} ({self._num_missed} of {self._num_scans} scans)'
            yield Finding(MEND, 'odometry', text)

    def _clock(self) -> Iterator[Finding]:
        source = self._source
        if source.problem:
            if source.offset_s:
                offset_s = round(self._parameters.stamp_offset - source.offset_s, 1)
                yield Finding(NOTE, 'stamps', source.problem, {'stamp_offset': offset_s})
            else:
                yield Finding(MEND, 'stamps', source.problem, {'stamp_source': 'receive'})
        elif len(self._skews_s) >= _MIN_STAMPS:
            late_s = sorted(self._skews_s)[len(self._skews_s) // 2]
            text = f'scans come {late_s:.3f} s after their stamps'
            yield Finding(GOOD, 'stamps', text)

    def _frames_of_radars(self) -> Iterator[Finding]:
        frames: dict[str, str] = {}
        for name, radar in self._radars.items():
            frame = radar.statistics.frame_id
            if frame and frame in frames:
                yield Finding(
                    MEND,
                    'frames',
                    f'{frames[frame]} and {name} both say frame {frame!r}: tell them apart by '
                    'frame_override',
                )
            frames[frame] = name

    def _frames_of_odometry(self) -> Iterator[Finding]:
        fixed = self._parameters
        expected = {'odom_frame': fixed.odom_frame, 'base_frame': fixed.base_frame}
        fields = ('frame_id', 'child_frame_id')
        for field, (parameter, wanted), found in zip(
            fields, expected.items(), self._frames, strict=True
        ):
            is_of_map = parameter == 'odom_frame' and found == fixed.map_frame
            if found and found != wanted and not is_of_map:
                text = health_texts.ODOMETRY_FRAME.format(
                    field=field, found=found, parameter=parameter, expected=wanted
                )
                yield Finding(NOTE, 'frames', text, {parameter: found})
