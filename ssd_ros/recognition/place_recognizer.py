# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Real time: a 4D radar point cloud in, the mapped places that it may show out."""

from __future__ import annotations

from collections.abc import Callable, Sequence
import math
import time

import numpy as np
from numpy.typing import NDArray
from ssd_ros.bev.preprocessing import CloudPreprocessor, PreprocessingConfig
from ssd_ros.confidence.radar_profile import RadarProfile
from ssd_ros.encoders.place_encoder import PlaceEncoder
from ssd_ros.maps.live_session import LiveSession
from ssd_ros.maps.neighbours import Neighbours
from ssd_ros.maps.place_database import Keyframe, PlaceDatabase
from ssd_ros.maps.place_search import Hit, merge_hits, PlaceSource
from ssd_ros.motion.mounting_check import MountingCheck
from ssd_ros.radar.types import RadarPointCloud
from ssd_ros.recognition.answer import (
    DEFAULT_CONFIG,
    Query,
    Recognition,
    RecognizerConfig,
    SensorPose,
    StageTimes,
)
from ssd_ros.recognition.candidate_judge import judge, without_repeats
from ssd_ros.recognition.decision import NO_CANDIDATE
from ssd_ros.recognition.findings import Finding, planar_poses_of, ranked, supported
from ssd_ros.recognition.map_check import map_refusals, submap_refusals
from ssd_ros.recognition.radar_check import refusals, unlike_radars
from ssd_ros.recognition.rivals import compared, testimony
from ssd_ros.recognition.sequence_filter import SequenceFilter
from ssd_ros.recognition.standstill import AcceptedPlaces
from ssd_ros.recognition.vehicle_path import VehiclePath
from ssd_ros.verification import returns_of_points, Verifier


class PlaceRecognizer:
    """
    Find the mapped places that a 4D radar point cloud may show.

    `prepare` and `clear` belong to one thread, `query` to another or the same one.
    """

    def __init__(
        self,
        encoder: PlaceEncoder,
        maps: Sequence[PlaceDatabase],
        config: RecognizerConfig = DEFAULT_CONFIG,
        live: LiveSession | None = None,
        preprocessing: PreprocessingConfig | None = None,
    ) -> None:
        """
        Take over maps.

        :param encoder: a student, for 4D radar
        :param maps: in one frame; may be empty where there is a live session
        :param live: remembers the running drive and finds places in it
        :param preprocessing: to try another one than the encoder's
        :raise MapError: a map was filled by an encoder of another training run
        """
        self.config = config
        self._encoder = encoder
        self._preprocessor = CloudPreprocessor(preprocessing or encoder.contract.preprocessing)
        self.live = live
        self.mounting_check = MountingCheck()
        self._set_by_ns = 0
        self.swap_maps(maps)
        self.clear()

    @property
    def maps(self) -> tuple[PlaceDatabase, ...]:
        """The maps in use."""
        return self._maps

    def swap_maps(self, maps: Sequence[PlaceDatabase]) -> None:
        """
        Replace the maps between two queries, which may run in another thread.

        :raise MapError: a map does not fit the encoder; the old ones stay
        """
        kind, space = self._encoder.kind, self._encoder.contract.descriptor_space
        for database in maps:
            database.require_encoder(kind, space, 'the loaded student')
        self._maps = tuple(maps)
        self._wrong_maps, self._submaps = map_refusals(maps), submap_refusals(maps)
        self._verifier = Verifier()  # which remembers keyframes
        self._accepted = AcceptedPlaces()

    def clear(self) -> None:
        """Forget the scans so far and what they were taken for."""
        self._preprocessor.clear()
        self.mounting_check.begin_anew()
        self._profile = RadarProfile()
        self._path = VehiclePath()
        self._accepted = AcceptedPlaces()
        self._sequences = {False: SequenceFilter(), True: SequenceFilter()}
        self._verifier = Verifier()

    def mount(self, base_radar: NDArray[np.float64]) -> None:
        """
        Take over how the radar is mounted.

        :param base_radar: shape (3,): x, y, yaw of the radar in the vehicle, see ScanMotion
        """
        self.mounting_check.mount(float(base_radar[2]))
        self._preprocessor.mount(base_radar)

    def set_clock(self, step_ns: int) -> None:
        """
        Expect stamps of a clock that was set: the drive goes on.

        :param step_ns: by how much it was set ahead
        """
        self._set_by_ns += step_ns

    def process(self, cloud: RadarPointCloud, pose: SensorPose | None = None) -> Recognition:
        """Return the mapped places that the last scans may show, best first."""
        return self.query(self.prepare(cloud, pose))

    def prepare(
        self,
        cloud: RadarPointCloud,
        pose: SensorPose | None = None,
        segment: int = 0,
        checked_by: SensorPose | None = None,
    ) -> Query:
        """
        Add a scan to the window; cheap, for scans that are not searched for, too.

        :param pose: of the radar in the odometry frame; without it the Doppler velocity tells
            how far the vehicle has come
        :param segment: of the odometry: poses of two of them are of frames not related
        :param checked_by: a pose for the check of the mounting and for a window of way alone,
            where `pose` is not given
        """
        start = time.perf_counter()
        known = pose or checked_by
        planar = known and known.planar
        image = self._preprocessor.process(cloud, planar, segment)
        elapsed_ns, ego_velocity = cloud.stamp_ns - self._set_by_ns, image.ego_velocity
        self.mounting_check.add(cloud.stamp_ns, ego_velocity.known_mps, planar, segment)
        odometry, is_standing = self._path.add(
            cloud.stamp_ns, elapsed_ns, ego_velocity, pose, segment
        )
        profile = self._profile.add(cloud, ego_velocity, self.mounting_check.yaw_error)
        return Query(
            cloud.stamp_ns,
            image,
            pose,
            odometry,
            _milliseconds_since(start),
            elapsed_ns,
            segment,
            profile,
            is_standing,
        )

    def query(self, query: Query, is_requested: bool = False) -> Recognition:
        """
        Return the mapped places that a prepared query may show, best first.

        :param is_requested: accept what was accepted before, even if the vehicle has not moved
        """
        self._arrive(query)
        start = time.perf_counter()
        descriptor = self._encoder.encode(query.image.bev)
        encode_ms = _milliseconds_since(start)

        start = time.perf_counter()
        hits = self._search(descriptor, query.elapsed_ns)
        search_ms = _milliseconds_since(start)

        start = time.perf_counter()
        findings = self._findings(hits, query)
        num_points, config = query.image.num_points, self.config
        unlike = unlike_radars([*self._maps, self.live], query.profile)
        refused = {} if config.accept_risk_map_poses else self._wrong_maps
        unknown = {} if config.accept_risk_unknown_radar else refusals(unlike)
        refused = refused | unknown | self._submaps
        candidates = judge(findings, self._encoder.contract, config, num_points, refused)
        candidates = without_repeats(candidates, findings, self._accepted, is_requested)
        decision = candidates[0].decision if candidates else NO_CANDIDATE
        self._remember(descriptor, query, findings)
        times = StageTimes(query.bev_ms, encode_ms, search_ms, _milliseconds_since(start))
        return Recognition(
            query.stamp_ns,
            candidates,
            decision,
            times,
            num_points,
            num_points < config.min_points,
            query.image.ego_velocity,
            next(iter(unlike.values()), ''),
        )

    def remember(self, query: Query) -> bool:
        """Keep a prepared query as `query` does, but do not search; return whether it is kept."""
        self._arrive(query)
        return self._keep(query, lambda: self._encoder.encode(query.image.bev))

    def _arrive(self, query: Query) -> None:
        """Note where the vehicle has come."""
        self._accepted.arrive(query.odometry, query.is_standing)
        if self.live is not None and query.pose is not None:
            self.live.arrive(query.pose.position_m, query.segment, query.is_standing)

    def _search(self, descriptor: NDArray[np.float32], elapsed_ns: int) -> list[Hit]:
        config = self.config
        rows, radius_m = config.search_rows, config.ambiguity_radius_m
        mapped: list[tuple[PlaceSource, Neighbours]] = [
            (database, database.search(descriptor, rows)) for database in self._maps
        ]
        hits = merge_hits(mapped, config.top_k, radius_m, *config.num_verified)
        if self.live:
            newest_ns = elapsed_ns - round(config.exclude_recent_s * 1e9)
            live = self.live.search(descriptor, rows, newest_ns, config.exclude_recent_m)
            found = [(self.live, live)]
            hits += merge_hits(found, config.top_k, radius_m, *config.num_verified)
        return hits

    def _findings(self, hits: Sequence[Hit], query: Query) -> list[Finding]:
        """Return what verification and sequence say about each hit, best first."""
        config, kinds = self.config, list[list[Finding]]()
        num_verified = sum(config.num_verified)
        for is_live, sequence in self._sequences.items():
            kind = [hit for hit in hits if hit.source.is_live == is_live]
            laid = [
                self._laid_over(hit, query, rank < num_verified) for rank, hit in enumerate(kind)
            ]
            found = ranked(compared(supported(laid, query, sequence)))
            kinds.append(found[: config.top_k])
        # The running drive and the maps have calibrations of their own: the surer one is first.
        kinds.sort(key=lambda findings: findings[0].order if findings else (math.inf, 0.0))
        return [finding for findings in kinds for finding in findings]

    def _laid_over(self, hit: Hit, query: Query, is_verified: bool) -> Finding:
        """Lay the query's returns over those of a keyframe."""
        keyframe = hit.source.keyframe(hit.number)
        points_m = query.image.points_m
        too_few = self._verifier.too_few(points_m)
        if too_few or not is_verified:
            return Finding(hit, keyframe, None, too_few=too_few)
        key = (hit.source.map_id, hit.number)
        found = self._verifier.verify(points_m, keyframe.returns_cm, hit.yaw_rad, key)
        return Finding(hit, keyframe, None if found.too_few else found, too_few=found.too_few)

    def _remember(
        self, descriptor: NDArray[np.float32], query: Query, findings: Sequence[Finding]
    ) -> None:
        """Keep what later queries are compared with."""
        if query.odometry is not None and not query.is_standing:
            for is_live, sequence in self._sequences.items():
                kind = [found for found in findings if found.hit.source.is_live == is_live]
                seen = testimony(kind)
                ways_m = np.array([found.hit.source.way_m(found.hit.number) for found in seen])
                sequence.add(query.odometry, *planar_poses_of(seen), ways_m)
        self._keep(query, lambda: descriptor)

    def _keep(self, query: Query, descriptor: Callable[[], NDArray[np.float32]]) -> bool:
        """Make a query a place of the running drive if it is far enough and shows enough."""
        live, image, pose = self.live, query.image, query.pose
        if live is None or pose is None or image.num_points < self.config.min_points:
            return False
        if query.is_standing and len(live):
            return False
        if not live.wants(query.elapsed_ns, pose.position_m, query.segment):
            return False
        keyframe = Keyframe(query.stamp_ns, *pose, returns_of_points(image.points_m))
        live.add(descriptor(), keyframe, query.elapsed_ns, query.segment)
        return True


def _milliseconds_since(start: float) -> float:
    return (time.perf_counter() - start) * 1e3
