# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The recogniser as the node uses it: queries in one thread, maps and sessions from another."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
import threading
import time
from typing import Any, NamedTuple

from ssd_ros.confidence.model import ConfidenceModel
from ssd_ros.encoders.place_encoder import PlaceEncoder
from ssd_ros.maps.files import MapInfo, ODOMETRY_ORIGIN
from ssd_ros.maps.live_session import LiveSession
from ssd_ros.maps.meta import MapError
from ssd_ros.maps.neighbours import Prior
from ssd_ros.maps.novelty import database_of
from ssd_ros.maps.place_database import PlaceDatabase
from ssd_ros.maps.sessions import SessionFolder
from ssd_ros.motion.mounting_check import YawError
from ssd_ros.radar.doppler_sign import DopplerSignCheck
from ssd_ros.radar.ego_velocity import Motion
from ssd_ros.radar.types import Scan
from ssd_ros.recognition.answer import LoopClosureCandidate, Query, Recognition, SensorPose
from ssd_ros.recognition.place_recognizer import PlaceRecognizer
from ssd_ros.recognition.radar_check import radar_words
from ssd_ros.ros.matching.loading import maps_summary
from ssd_ros.ros.matching.memory import give_back_memory
from ssd_ros.ros.matching.query_health import QueryStatistics
from ssd_ros.ros.messages.geometry import Pose, UNMOVED
from ssd_ros.ros.parameters.node import NodeParameters


class NewestScan(NamedTuple):
    """
    The scan that a query was made at; a query by submap is of an earlier one.

    :param pose: of the radar in the odometry frame, None if not known
    :param segment: of the odometry
    """

    stamp_ns: int
    pose: SensorPose | None
    segment: int


@dataclass(frozen=True, slots=True)
class Job:
    """
    A window of scans that waits to be searched for.

    :param base_radar: T_base_radar of the level radar, as known when the newest scan came
    :param receive_s: arrival of its newest scan on the monotonic clock
    :param decode_ms: time that decoding took
    :param prior: where in the map it is to be searched, None = wherever the recogniser does
    """

    query: Query
    newest: NewestScan
    frame_id: str
    base_radar: Pose
    receive_s: float
    decode_ms: float
    prior: Prior | None = None


@dataclass(frozen=True, slots=True)
class Answer:
    """
    A recognition and the maps that it refers to.

    :param max_ratio: above it a candidate is ambiguous
    :param live_distance_m: between two keyframes of the running drive
    :param news: for `~/map_info`, None if it holds as it was published
    :param is_from_server: the map is one of a place server
    """

    recognition: Recognition
    maps: tuple[PlaceDatabase, ...]
    max_ratio: float
    live_distance_m: float = 0.0
    news: dict[str, Any] | None = None
    is_from_server: bool = False

    @property
    def is_placed(self) -> bool:
        """Whether a map says where the vehicle is, even if it did before."""
        mapped = (found for found in self.recognition.candidates if not found.is_live)
        return any(found.accepted or found.decision.is_repeat for found in mapped)

    def keyframe_distance_m(self, candidate: LoopClosureCandidate) -> float:
        """Return the spacing of the map that a candidate is in."""
        if candidate.is_live:
            return self.live_distance_m
        infos = (database.info for database in self.maps)
        return next(info.keyframe_distance_m for info in infos if info.map_id == candidate.map_id)


class Matcher:
    """Answer queries; the maps can be replaced between two of them."""

    def __init__(
        self,
        encoder: PlaceEncoder,
        maps: Sequence[PlaceDatabase],
        parameters: NodeParameters,
        live: LiveSession | None = None,
    ) -> None:
        """
        Take over a model and maps.

        :raise MapError: they do not fit together
        """
        self.encoder = encoder
        self.statistics = QueryStatistics(time.monotonic())
        self._live_distance_m = parameters.keyframe_distance
        self._odom_frame = parameters.odom_frame
        self._sessions = SessionFolder(parameters.session_directory, parameters.overwrite_sessions)
        self._submap_m = parameters.aggregation.submap
        config = parameters.recognizer_config()
        self._recognizer = PlaceRecognizer(encoder, maps, config, live, submap_m=self._submap_m)
        self._sign = DopplerSignCheck()
        self._is_told = False  # that the radar is unlike those that the calibration knows
        self._lock = threading.Lock()

    @property
    def maps(self) -> tuple[PlaceDatabase, ...]:
        """The maps in use."""
        return self._recognizer.maps

    @property
    def num_live_keyframes(self) -> int:
        """Remembered places of the running drive."""
        live = self._recognizer.live
        return 0 if live is None else len(live)

    @property
    def is_live_full(self) -> bool:
        """Whether no more places of the running drive are remembered."""
        live = self._recognizer.live
        return live is not None and live.is_full

    def summary(self, parameters: NodeParameters) -> dict[str, Any]:
        """Return the content of `~/map_info`."""
        self._is_told = bool(self.statistics.unlike_radar)
        return maps_summary(self.maps, self.encoder, parameters, self.radar_words)

    @property
    def radar_words(self) -> str:
        """What the calibrations say of the radar."""
        sources = [*self._recognizer.maps, self._recognizer.live]
        return radar_words(sources, self.statistics.unlike_radar, self._recognizer.sensor)

    @property
    def is_doppler_opposite(self) -> bool:
        """Whether the last scans say that the vehicle goes against its odometry."""
        return self._sign.is_opposite

    @property
    def yaw_error(self) -> YawError:
        """By how much the radar points elsewhere than its mounting says."""
        return self._recognizer.mounting_check.yaw_error

    def swap_maps(
        self, maps: Sequence[PlaceDatabase], live_confidence: ConfidenceModel | None
    ) -> None:
        """
        Replace the maps once the query in work is answered; nothing of the old ones is kept.

        :param live_confidence: calibration of the running drive from now on
        :raise MapError: one does not fit the model; the old ones stay
        """
        with self._lock:
            self._recognizer.swap_maps(maps)
            if self._recognizer.live is not None:
                self._recognizer.live.confidence = live_confidence
        give_back_memory()

    def clear(self) -> None:
        """Forget the scans so far and the answers to them."""
        with self._lock:
            self._recognizer.clear()
            self._sign.clear()

    def set_clock(self, step_ns: int) -> None:
        """Go on with a clock that was set by a step."""
        self._recognizer.set_clock(step_ns)

    def forget_drive(self) -> None:
        """Forget the places of the running drive, too."""
        self.clear()
        with self._lock:
            if self._recognizer.live is not None:
                self._recognizer.live.clear()

    def save_live_session(self, name: str) -> tuple[Path, int]:
        """
        Write the running drive as a map, whole or not at all; return where, and its keyframes.

        :param name: below the folder of sessions
        :raise MapError: there is no keyframe, the name leads out of the folder, or something that
            is not an earlier state of this drive stands there
        :raise OSError: it cannot be written
        """
        live, contract = self._recognizer.live, self.encoder.contract
        if live is None:
            raise MapError('the running drive is not remembered: set online_index to true')
        with self._lock:
            taken = live.snapshot()
        path = self._sessions.path_of(name)
        self._sessions.check(path, taken.uuid, self._uuids_in_use())
        info = MapInfo(
            descriptor_space=contract.descriptor_space,
            encoder_digest=self.encoder.digest,
            num_views=contract.num_views,
            keyframe_distance_m=self._live_distance_m,
            sensor='4d',
            submap_m=self._submap_m,
            source='live session',
            map_frame_id=self._odom_frame,
            origin=ODOMETRY_ORIGIN,
            scan_context=self.encoder.scan_context,
            uuid=taken.uuid,
        )
        database = database_of(taken.to_map(info))
        self._sessions.check(path, taken.uuid, self._uuids_in_use())
        database.save(path)
        return path, len(database)

    def _uuids_in_use(self) -> set[str]:
        return {database.info.uuid for database in self.maps}

    def prepare(
        self,
        scan: Scan,
        pose: SensorPose | None = None,
        segment: int = 0,
        base_radar: Pose = UNMOVED,
    ) -> Query:
        """
        Add a scan to the window; by submaps, the query is of the place in the middle.

        :param pose: of the radar in the odometry frame, None if not known
        :param segment: of the odometry
        :param base_radar: T_base_radar of the level radar, as stated
        """
        self._recognizer.mount(base_radar.planar)
        query = self._recognizer.prepare(scan, pose, segment)
        ego_velocity = query.image.ego_velocity
        if pose is not None and ego_velocity.motion is Motion.MOVING:
            self._sign.add(scan.stamp_ns, ego_velocity.velocity_mps, *pose)
        return query

    def match(self, job: Job, parameters: NodeParameters, is_requested: bool = False) -> Answer:
        """
        Search for a window; parameters count from the next query on.

        :param is_requested: somebody waits for the place, even if it was accepted before
        """
        start_s = time.monotonic()
        config = parameters.recognizer_config()
        with self._lock:
            self._recognizer.config = config
            recognition = self._recognizer.query(job.query, is_requested, job.prior)
            maps = self._recognizer.maps
        max_ratio = config.accept_max_ratio or self.encoder.contract.accept_max_ratio
        novelty = {place.map_id: place.info.novelty_distance for place in maps}
        self.statistics.count_answer(recognition, job.query, novelty, start_s, time.monotonic())
        self.statistics.time_stage('decode', job.decode_ms)
        is_news = bool(self.statistics.unlike_radar) != self._is_told
        news = self.summary(parameters) if is_news else None
        return Answer(recognition, maps, max_ratio, self._live_distance_m, news)
