# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The recogniser as the node uses it: queries in one thread, a new map from another."""

from __future__ import annotations

from dataclasses import dataclass
import threading
import time

from ssd_ros.encoder import OnnxEncoder
from ssd_ros.place_database import PlaceDatabase
from ssd_ros.place_recognizer import PlaceRecognizer, Query, Recognition
from ssd_ros.radar import RadarPointCloud
from ssd_ros.ros.health import QueryStatistics
from ssd_ros.ros.parameters import NodeParameters


@dataclass(frozen=True, slots=True)
class Job:
    """
    A window of scans that waits to be searched for.

    :param receive_s: arrival of its newest scan on the monotonic clock
    :param decode_ms: time that decoding took
    """

    query: Query
    frame_id: str
    receive_s: float
    decode_ms: float


@dataclass(frozen=True, slots=True)
class Answer:
    """
    A recognition, the map that it refers to and what was decided.

    :param max_ratio: above it a candidate is ambiguous
    :param decision: accepted, ambiguous or rejected, about the best candidate
    :param reason: for the decision, a sentence with the figures
    """

    recognition: Recognition
    database: PlaceDatabase
    max_ratio: float
    decision: str
    reason: str


class Matcher:
    """Answer queries; the map can be replaced between two of them."""

    def __init__(
        self, encoder: OnnxEncoder, database: PlaceDatabase, parameters: NodeParameters
    ) -> None:
        """
        Take over a model and a map.

        :raise MapError: they do not fit together
        """
        self.encoder = encoder
        self.statistics = QueryStatistics(time.monotonic())
        self._recognizer = PlaceRecognizer(encoder, database, parameters.recognizer_config())
        self._lock = threading.Lock()

    @property
    def database(self) -> PlaceDatabase:
        """The map in use."""
        return self._recognizer.database

    def swap_database(self, database: PlaceDatabase) -> None:
        """
        Replace the map once the query in work is answered.

        :raise MapError: it does not fit the model; the old one stays
        """
        with self._lock:
            self._recognizer.swap_database(database)

    def clear(self) -> None:
        """Forget the scans so far."""
        self._recognizer.clear()

    def prepare(self, cloud: RadarPointCloud) -> Query:
        """Add a scan to the window."""
        return self._recognizer.prepare(cloud)

    def match(self, job: Job, parameters: NodeParameters) -> Answer:
        """Search for a window; parameters count from the next query on."""
        start_s = time.monotonic()
        config = parameters.recognizer_config()
        with self._lock:
            self._recognizer.config = config
            recognition = self._recognizer.query(job.query)
            database = self._recognizer.database
        contract = self.encoder.contract
        max_distance = config.accept_max_distance or contract.accept_max_distance
        max_ratio = config.accept_max_ratio or contract.accept_max_ratio
        decision, reason = decide(recognition, max_distance, max_ratio, config.min_points)
        self._count(recognition, decision, job, start_s)
        return Answer(recognition, database, max_ratio, decision, reason)

    def _count(self, recognition: Recognition, decision: str, job: Job, start_s: float) -> None:
        statistics, now_s = self.statistics, time.monotonic()
        statistics.num_queries += 1
        statistics.busy_s += now_s - start_s
        if decision == 'accepted':
            statistics.num_accepted += 1
            statistics.last_accept_s = now_s
        if recognition.candidates:
            statistics.distances.append(recognition.candidates[0].distance)
            statistics.ratios.append(recognition.candidates[0].ratio)
        statistics.time_stage('decode', job.decode_ms)
        for stage, duration_ms in recognition.timings_ms._asdict().items():
            statistics.time_stage(stage, duration_ms)


def decide(
    recognition: Recognition, max_distance: float, max_ratio: float, min_points: int
) -> tuple[str, str]:
    """Return the decision on the best candidate and the reason for it."""
    if not recognition.candidates:
        return 'rejected', 'the map gave no candidate'
    best = recognition.candidates[0]
    if recognition.low_points:
        found = recognition.num_points
        return 'rejected', f'{found} static points in the window, fewer than {min_points}'
    if best.distance > max_distance:
        return 'rejected', f'distance {best.distance:.3f} is above {max_distance:.3f}'
    if best.ratio > max_ratio:
        return 'ambiguous', f'ratio {best.ratio:.3f} is above {max_ratio:.3f}'
    return 'accepted', (
        f'distance {best.distance:.3f} is at most {max_distance:.3f}, '
        f'ratio {best.ratio:.3f} at most {max_ratio:.3f}'
    )
