# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The examination of a recording, from its topics to the answers of the maps."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterator
from contextlib import closing
import math

from ssd_ros.cli.common.drive_options import options_of
from ssd_ros.cli.doctor.findings import Finding, findings_of, MEND, NOTE
from ssd_ros.cli.doctor.map_fit import map_findings, maps_checked
from ssd_ros.cli.doctor.scans import Scans, scans_of
from ssd_ros.cli.doctor.settings import Settings, with_values
from ssd_ros.cli.doctor.topics import Topics
from ssd_ros.cli.replay.run import open_replay, parameters_of, Replay
from ssd_ros.datasets.bags.files import is_recording
from ssd_ros.datasets.bags.reader import BagReader
from ssd_ros.extensions import is_own
from ssd_ros.user_paths import listed

_NUM_OF_POSE = 6
# What these find may look otherwise with what they set: they are looked at once more.
_SECOND_LOOK = ('doppler_sign', 'radar_extrinsics')


class Examination:
    """Look through a recording and tell each finding as it comes."""

    def __init__(self, arguments: argparse.Namespace, say: Callable[[str], None]) -> None:
        """
        Take over what the command line says of the recording and the node.

        :raise ValueError: the parameters cannot be used
        :raise OSError: they cannot be read
        """
        self._arguments = arguments
        self._say = say
        self.settings = Settings(parameters_of(arguments))
        self.findings: list[Finding] = []
        self.scans: Scans | None = None
        self.replay: Replay | None = None
        self._needless: tuple[float, ...] | None = None  # mounting, as the poses are the radar's
        self._pose_frame = ''
        self._given = options_of(arguments, [arguments.input])[0]
        if self._given.extrinsics is not None:
            self._set_mounting(self._given.extrinsics)
        if arguments.map:
            text = 'given on the command line'
            self.settings.take({'index_path': listed(arguments.map)}, text)

    @property
    def to_mend(self) -> list[Finding]:
        """What is to be mended."""
        return [finding for finding in self.findings if finding.level == MEND]

    @property
    def left_to_mend(self) -> list[Finding]:
        """What of it no parameter mends."""
        return [finding for finding in self.to_mend if not finding.sets]

    def run(self) -> None:
        """
        Look.

        :raise ValueError: the recording is damaged
        """
        if is_recording(self._arguments.input):
            with closing(BagReader(self._arguments.input)) as reader:
                self._look_at_topics(reader)
        self._check_maps()
        try:
            self._read()
        except ValueError as error:
            self._add(Finding(MEND, 'reading', str(error)))

    def _add(self, finding: Finding) -> None:
        self._say(finding.text)
        self.findings.append(finding)
        self.settings.take(finding.sets, f'{finding.subject}: {finding.words}')

    def add_all(self, findings: Iterator[Finding]) -> None:
        """Tell findings and take over what they set."""
        for finding in findings:
            self._add(finding)

    def _look_at_topics(self, reader: BagReader) -> None:
        topics = Topics(reader, self.settings, self._arguments)
        self.add_all(topics.findings())
        if topics.poses_are_of_radar:
            self._needless = topics.mounting_by_tf
        self._pose_frame = topics.pose_frame
        self.add_all(topics.intake_findings())

    def _check_maps(self) -> None:
        """Go on without maps that cannot be used."""
        settings, encoder = self.settings, self._arguments.encoder
        if not settings.parameters.index_path or (encoder and is_own(encoder)):
            return
        try:
            self.add_all(maps_checked(settings.parameters))
        except (OSError, ValueError) as error:
            self._add(Finding(MEND, 'map', str(error)))
            settings.parameters = with_values(settings.parameters, {'index_path': ''})
            settings.reasons.pop('index_path', None)
            self._arguments.map = None

    def _set_mounting(self, extrinsics: tuple[float, ...]) -> None:
        others = self.settings.parameters.radar_extrinsics[_NUM_OF_POSE:]
        values = {'radar_extrinsics': (*map(float, extrinsics), *others)}
        self.settings.take(values, 'given on the command line')

    def _mount(self) -> None:
        """Have the poses of a recording taken for those of the vehicle, if they are."""
        mounting = self.settings.parameters.radar_topics()[0].extrinsics
        is_of_vehicle = mounting != self._needless and is_recording(self._arguments.input)
        is_stated = mounting is not None and any(mounting)
        if is_stated and (is_of_vehicle or self._given.extrinsics is not None):
            self._arguments.extrinsics = list(mounting or ())

    def _read(self) -> None:
        self._mount()
        self.replay, self.scans = self._scans()
        before = len(self.findings)
        self.add_all(iter(findings_of(self.scans, self.replay, self.settings.parameters)))
        self.add_all(self._resolution(self.replay))
        found = self.findings[before:]
        changed = {name for each in found if each.level == MEND for name in each.sets}
        if changed & {*_SECOND_LOOK}:
            self._look_again()
        maps, sensor = self.replay.recognizer.maps, self.replay.recognizer.sensor
        self.add_all(map_findings(self.scans, maps, sensor, self._pose_frame))

    def _scans(self) -> tuple[Replay, Scans]:
        replay = open_replay(self._arguments, needs_map=False, parameters=self.settings.parameters)
        return replay, scans_of(replay)

    def _look_again(self) -> None:
        """Read once more with what was set: that alone tells whether it helps."""
        self._say('      with that:')
        self._mount()
        self.replay, self.scans = self._scans()
        for finding in findings_of(self.scans, self.replay, self.settings.parameters):
            if finding.subject in ('Doppler', 'mounting', 'clocks'):
                self._add(finding)

    def _resolution(self, replay: Replay) -> Iterator[Finding]:
        """Yield how deep the bins of a spinning radar are, if they are not those of its preset."""
        parameters = self.settings.parameters
        if parameters.sensor != 'spinning' or not is_recording(self._arguments.input):
            return
        usual_m = parameters.spinning_preset().range_resolution_m
        found_m = replay.drive.scan(0).range_resolution_m
        if usual_m is not None and not math.isclose(usual_m, found_m, rel_tol=1e-3):
            text = f'bins of {found_m:.4g} m, as the radar itself says'
            yield Finding(NOTE, 'layout', text, {'spinning.range_resolution': found_m})
