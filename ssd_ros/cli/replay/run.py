# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The recogniser of the node, fed from a recording instead of from topics."""

from __future__ import annotations

import argparse
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
import time
from typing import Any

import numpy as np
from numpy.typing import NDArray
from ssd_ros.cli.common.drive_options import DriveOptions, options_of
from ssd_ros.cli.common.drives import level_drive, open_drive
from ssd_ros.datasets.bags.rosbag2 import Rosbag2Config
from ssd_ros.datasets.pose_check import require_one_place
from ssd_ros.datasets.sequence import RadarSequence, sensor_scans
from ssd_ros.datasets.spinning.messages import AUTO
from ssd_ros.encoders.place_encoder import named_encoder, PlaceEncoder
from ssd_ros.extensions import is_own
from ssd_ros.radar.types import RadarPointCloud, RADARS, Scan
from ssd_ros.recognition.answer import Query, Recognition
from ssd_ros.recognition.candidate_judge import limits_of
from ssd_ros.recognition.candidates import Flag
from ssd_ros.recognition.compiled_parts import use_compiled
from ssd_ros.recognition.decision import AcceptLimits
from ssd_ros.recognition.offline.drive_odometry import odometry_of
from ssd_ros.recognition.place_recognizer import PlaceRecognizer
from ssd_ros.recognition.radar_check import calibration_of
from ssd_ros.ros.inputs.mounting import mounting_of
from ssd_ros.ros.matching.loading import load_encoder, load_maps, new_live_session
from ssd_ros.ros.matching.travel_gate import TravelGate
from ssd_ros.ros.messages.candidate_rows import candidate_rows, flags_of_query
from ssd_ros.ros.messages.geometry import pose_from_xyzrpy
from ssd_ros.ros.parameters.file import read_parameter_files
from ssd_ros.ros.parameters.node import NodeParameters


@dataclass(frozen=True, slots=True)
class Step:
    """
    The answer to one query.

    :param rows: of `~/candidates`, best first
    :param best: the best of them in a map, or in the running drive where there is no map; no row
        if there is none
    :param closes_loop: a place of the running drive was accepted
    :param times_ms: of each stage, `read` from the recording included
    :param image: what the encoder saw, shape (num_ranges, num_azimuths)
    """

    stamp_ns: int
    rows: NDArray[np.void]
    best: NDArray[np.void]
    closes_loop: bool
    num_points: int
    times_ms: Mapping[str, float]
    image: NDArray[np.uint8] | None

    def without_the_rest(self) -> Step:
        """Return it with the best row alone: of a long recording not all can be kept."""
        return replace(self, rows=self.best, image=None)


class Replay:
    """A recording, the recogniser and the loop between them."""

    def __init__(
        self,
        drive: RadarSequence,
        recognizer: PlaceRecognizer,
        encoder: PlaceEncoder,
        parameters: NodeParameters,
        has_odometry: bool,
    ) -> None:
        """
        Take over what open_replay loaded.

        :param has_odometry: the poses of the drive are odometry; else the radar's own velocity
            tells how far the vehicle has come
        """
        mounting = mounting_of(
            pose_from_xyzrpy(parameters.radar_topics()[0].extrinsics or (0.0,) * 6)
        )
        self.base_radar = mounting.base_level
        self.drive = drive
        if mounting.level_radar is not None and recognizer.sensor == '4d':
            self.drive = level_drive(drive, mounting.level_radar)
        self.scans = sensor_scans(self.drive, recognizer.sensor)
        self.recognizer = recognizer
        recognizer.mount(self.base_radar.planar)
        self.encoder = encoder
        self.parameters = parameters
        self.faults: Counter[str] = Counter()  # reason -> scans that gave none
        self.num_unlike = 0  # queries of a radar that the calibration does not know
        self.unlike_radar = ''  # how it differed in the last of these
        self._poses = odometry_of(self.drive, recognizer.sensor) if has_odometry else {}

    @property
    def has_no_map(self) -> bool:
        """Whether places are searched in the running drive alone."""
        return not self.recognizer.maps

    def limits(self) -> AcceptLimits:
        """Return what candidates of the first map are accepted by, or of the running drive."""
        source = self.recognizer.live if self.has_no_map else self.recognizer.maps[0]
        assert source is not None  # open_replay wants one of them
        calibration = calibration_of(source, self.recognizer.sensor)
        return limits_of(calibration, self.recognizer.config, self.encoder.contract)

    def keyframes_m(self) -> NDArray[np.float64]:
        """Return where the keyframes of all maps are, shape (K, 3)."""
        positions_m = [database.keyframes.positions_m for database in self.recognizer.maps]
        return np.concatenate([np.zeros((0, 3)), *positions_m])

    def steps(self, progress: Callable[[int, int], None]) -> Iterator[Step]:
        """
        Yield the answers in the order of the recording.

        :param progress: called with scans done and all scans
        """
        due_ns, gate = int(self.scans.stamps_ns[0]), TravelGate()
        period_ns = round(1e9 / self.parameters.query_rate)
        for query, read_ms in self.prepared(progress):
            is_due = query.stamp_ns >= due_ns
            if is_due and gate.passes(query.odometry, self.parameters.min_travel):
                # In the mean, as in the node: jitter of the stamps loses no query.
                due_ns = max(due_ns, query.stamp_ns - period_ns) + period_ns
                yield self._step(self.recognizer.query(query), query, read_ms)

    def prepared(self, progress: Callable[[int, int], None]) -> Iterator[tuple[Query, float]]:
        """
        Yield each scan made ready to be searched for, and the time that reading it took (ms).

        :param progress: called with scans done and all scans
        """
        num_scans = len(self.scans)
        for index in range(num_scans):
            start = time.perf_counter()
            scan = self._scan(index)
            if scan is not None:
                read_ms = (time.perf_counter() - start) * 1e3
                yield self.recognizer.prepare(scan, *self._poses.get(index, (None, 0))), read_ms
            progress(index + 1, num_scans)

    def _scan(self, index: int) -> Scan | None:
        try:
            scan = self.scans.read(index)
        except (ValueError, OSError) as error:
            self.faults[str(error)] += 1
            return None
        if isinstance(scan, RadarPointCloud) and len(scan) == 0:
            self.faults['no valid point'] += 1
            return None
        return scan

    def _step(self, found: Recognition, query: Query, read_ms: float) -> Step:
        if found.unlike_radar:
            self.num_unlike += 1
            self.unlike_radar = found.unlike_radar
        flags, max_ratio = flags_of_query(found), self.limits().ambiguous_ratio
        rows = candidate_rows(
            found.candidates, self.base_radar, max_ratio, flags, self.recognizer.maps
        )
        is_live = has_flag(rows, Flag.LIVE_SESSION)
        best = (rows if self.has_no_map else rows[~is_live])[:1].copy()
        closes_loop = bool((is_live & has_flag(rows, Flag.ACCEPTED)).any())
        times_ms = {'read': read_ms, **found.timings_ms._asdict()}
        return Step(
            found.stamp_ns,
            rows,
            best,
            closes_loop,
            found.num_points,
            times_ms,
            query.image.bev,
        )


def has_flag(rows: NDArray[np.void], flag: Flag) -> NDArray[np.bool_]:
    """Return in which rows a flag is set, shape (N,)."""
    return np.asarray((rows['flags'] & int(flag)) != 0)


def open_replay(
    arguments: argparse.Namespace,
    needs_map: bool = True,
    parameters: NodeParameters | None = None,
) -> Replay:
    """
    Load what the arguments name.

    :param needs_map: a replay without map must remember the running drive
    :param parameters: None = as the arguments say
    :raise ValueError: the recording, a map, the model or the parameters cannot be used
    :raise OSError: one of them cannot be read
    """
    parameters = parameters or parameters_of(arguments)
    paths = arguments.map or parameters.index_path
    if needs_map and not (paths or parameters.online_index):
        raise ValueError(
            'no map: give --map, a directory made by build_db, or --params with online_index'
        )
    if arguments.truth and not paths:
        raise ValueError('--truth is in the frame of a map: give --map')
    use_compiled()
    encoder = _encoder_of(arguments, parameters)
    maps = load_maps(paths, parameters.online_index or not needs_map, parameters.confidence_path)
    recognizer = PlaceRecognizer(
        encoder,
        maps,
        parameters.recognizer_config(),
        new_live_session(encoder, parameters),
        submap_m=parameters.aggregation.submap,
    )
    options = _with_layout(options_of(arguments, [arguments.input])[0], parameters)
    sensor = parameters.sensor
    wanted = Rosbag2Config((sensor,), needs_poses=False, decoder=parameters.decoder_config())
    drive = open_drive(arguments.input, options, wanted, 'auto' if arguments.truth else None)
    if len(sensor_scans(drive, sensor)) == 0:
        raise ValueError(f'{arguments.input} has no scans of a {RADARS[sensor]}')
    if arguments.truth:
        keyframes = [(place.info.source, place.keyframes.positions_m, '') for place in maps]
        positions_m = sensor_scans(drive, sensor).poses.positions_m
        require_one_place([*keyframes, (drive.name, positions_m, '')])
    parameters = _with_mounting(parameters, options)
    return Replay(drive, recognizer, encoder, parameters, not arguments.truth)


def _encoder_of(arguments: argparse.Namespace, parameters: NodeParameters) -> PlaceEncoder:
    if arguments.encoder is None or not is_own(arguments.encoder):
        return load_encoder(parameters)
    how = parameters.device, parameters.num_threads, parameters.sensor
    return named_encoder(arguments.encoder, arguments.student, *how)


def _with_layout(options: DriveOptions, parameters: NodeParameters) -> DriveOptions:
    """Return the options of a recording with what the parameters say of its turns, if they do."""
    preset, resolution_m = parameters.spinning.preset, parameters.spinning.range_resolution
    if parameters.sensor != 'spinning':
        return options
    return replace(
        options,
        spinning_preset=options.spinning_preset or (None if preset == AUTO else preset),
        range_resolution=options.range_resolution or resolution_m or None,
    )


def _with_mounting(parameters: NodeParameters, options: DriveOptions) -> NodeParameters:
    """Return the parameters with the level radar that the command line says the drive is of."""
    if options.extrinsics is None:
        return parameters
    level = mounting_of(pose_from_xyzrpy(options.extrinsics)).base_level
    first = (*level.position_m.tolist(), 0.0, 0.0, level.yaw_rad)
    others = parameters.radar_extrinsics[6:] or (0.0,) * 6 * (len(parameters.radar_topics()) - 1)
    return replace(parameters, radar_extrinsics=(*first, *others))


def parameters_of(arguments: argparse.Namespace) -> NodeParameters:
    """Return the parameters of the node with what the command line says instead."""
    parameters = read_parameter_files(arguments.params)
    if arguments.sensor not in (None, parameters.sensor):
        # Of a recording the messages tell their type.
        usual = {'4d': 'auto', 'spinning': 'polar_image'}
        parameters = replace(parameters, input_type=usual[arguments.sensor])
    own = arguments.encoder is not None and is_own(arguments.encoder)
    given: dict[str, Any] = {
        'encoder': None if own else arguments.encoder,  # the node knows its own alone
        'model_path': arguments.student and str(arguments.student),
        'device': arguments.device,
        'num_threads': arguments.threads,
        'query_rate': arguments.rate,
    }
    return replace(parameters, **{name: value for name, value in given.items() if value})
