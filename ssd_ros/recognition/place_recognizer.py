# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Real time: scans of a radar in, the mapped places that they may show out."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
import math
import time

import numpy as np
from numpy.typing import NDArray
from ssd_ros.bev.preprocessing import PreprocessingConfig
from ssd_ros.bev.submap import LANES_M, SubmapImage
from ssd_ros.encoders.place_encoder import describe, PlaceEncoder
from ssd_ros.maps.cells.whereabouts import Whereabouts
from ssd_ros.maps.live_session import LiveSession
from ssd_ros.maps.neighbours import Neighbours, Prior
from ssd_ros.maps.place_database import Keyframe, PlaceDatabase
from ssd_ros.maps.place_search import Hit, merge_hits, PlaceSource
from ssd_ros.motion.mounting_check import MountingCheck
from ssd_ros.radar.types import Scan
from ssd_ros.recognition.answer import (
    DEFAULT_CONFIG,
    LoopClosureCandidate,
    Query,
    Recognition,
    RecognizerConfig,
    SensorPose,
    StageTimes,
)
from ssd_ros.recognition.candidate_judge import judge, without_repeats
from ssd_ros.recognition.decision import Decision, NO_CANDIDATE, NO_SUBMAP, OUTSIDE
from ssd_ros.recognition.findings import (
    Finding,
    frame_of,
    planar_pose_of,
    planar_poses_of,
    ranked,
)
from ssd_ros.recognition.map_check import map_refusals, query_refusals, submap_refusals
from ssd_ros.recognition.query_stream import QueryStream
from ssd_ros.recognition.radar_check import calibration_of, refusals, unlike_radars
from ssd_ros.recognition.rivals import testimony, weighed
from ssd_ros.recognition.sequence_filter import SequenceFilter
from ssd_ros.recognition.standstill import AcceptedPlaces
from ssd_ros.verification import returns_of_points, Verifier


class PlaceRecognizer:
    """
    Find the mapped places that scans of a 4D radar, or turns of a spinning one, may show.

    `prepare` and `clear` belong to one thread, `query` to another or the same one.
    """

    def __init__(
        self,
        encoder: PlaceEncoder,
        maps: Sequence[PlaceDatabase],
        config: RecognizerConfig = DEFAULT_CONFIG,
        live: LiveSession | None = None,
        preprocessing: PreprocessingConfig | None = None,
        submap_m: float = 0.0,
    ) -> None:
        """
        Take over maps.

        :param encoder: a student, for 4D radar, or a teacher, for a spinning radar or submaps
        :param maps: in one frame; may be empty where there is a live session
        :param live: remembers the running drive of a 4D radar and finds places in it
        :param preprocessing: to try another one than the encoder's
        :param submap_m: of way that a query of a 4D radar shows all around its middle, and so do
            the places of the live session; 0 = windows of scans
        :raise MapError: a map was filled by an encoder of another training run, or whole turns
            cannot be found in it
        :raise ValueError: the running drive of a spinning radar is to be remembered
        """
        self._encoder = encoder
        self._submap_m = submap_m
        if live is not None and self.sensor == 'spinning':
            raise ValueError('places of the running drive are remembered of a 4D radar alone')
        self.config = config
        self._stream = QueryStream(preprocessing or encoder.contract.preprocessing, submap_m)
        self.live = live
        self.swap_maps(maps)
        self.clear()

    @property
    def sensor(self) -> str:
        """Of which radar the scans are, '4d' or 'spinning'."""
        return '4d' if self._submap_m else self._encoder.contract.sensor

    @property
    def mounting_check(self) -> MountingCheck:
        """What the scans say of how the radar is mounted."""
        return self._stream.mounting_check

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
        asks_turns = self._encoder.contract.sensor == 'spinning'
        for database in maps:
            name = 'the loaded teacher' if asks_turns else 'the loaded student'
            database.require_encoder(kind, space, name)
            if asks_turns:
                database.require_turns()
        if self._stream.submaps is not None:
            maps = [database.without_calibration() for database in maps]
            is_of_submaps = any(database.info.sensor == '4d' for database in maps)
            self._stream.submaps.sees_all = not is_of_submaps and self.live is None
        self._maps = tuple(maps)
        self._wrong_maps = map_refusals(maps)
        self._submaps = {} if asks_turns else submap_refusals(maps)
        self._verifier = Verifier()  # which remembers keyframes
        self._accepted = AcceptedPlaces()
        self._whereabouts = Whereabouts()

    def clear(self) -> None:
        """Forget the scans so far and what they were taken for."""
        self._stream.clear()
        self._accepted = AcceptedPlaces()
        self._whereabouts = Whereabouts()
        self._sequences = {False: SequenceFilter(), True: SequenceFilter()}
        self._verifier = Verifier()

    def mount(self, base_radar: NDArray[np.float64]) -> None:
        """
        Take over how the radar is mounted.

        :param base_radar: shape (3,): x, y, yaw of the radar in the vehicle, see ScanMotion
        """
        self._stream.mount(base_radar)

    def set_clock(self, step_ns: int) -> None:
        """
        Expect stamps of a clock that was set: the drive goes on.

        :param step_ns: by how much it was set ahead
        """
        self._stream.set_clock(step_ns)

    def process(self, scan: Scan, pose: SensorPose | None = None) -> Recognition:
        """Return the mapped places that the last scans may show, best first."""
        return self.query(self.prepare(scan, pose))

    def prepare(
        self,
        scan: Scan,
        pose: SensorPose | None = None,
        segment: int = 0,
        checked_by: SensorPose | None = None,
    ) -> Query:
        """
        Add a scan to the window; cheap, for scans that are not searched for, too.

        A scan of a spinning radar is a window by itself.

        :param pose: with the others as for QueryStream.add
        """
        return self._stream.add(scan, pose, segment, checked_by)

    def query(
        self,
        query: Query,
        is_requested: bool = False,
        prior: Prior | None = None,
        description: NDArray[np.float32] | None = None,
    ) -> Recognition:
        """
        Return the mapped places that a prepared query may show, best first.

        :param is_requested: accept what was accepted before, even if the vehicle has not moved
        :param prior: where the radar is in the map frame; maps of squares are searched there.
            None = about the place that was accepted last, or anywhere
        :param description: of the query, from an earlier answer to it; None = not known yet
        """
        if not self._is_whole(query):
            return self._without_submap(query)
        self._arrive(query)
        start = time.perf_counter()
        if description is None:
            description = describe(self._encoder, query.image.bev)
        encode_ms = _milliseconds_since(start)

        start = time.perf_counter()
        maps = self._reached(query, prior)
        hits = self._search(maps, description, query.elapsed_ns)
        search_ms = _milliseconds_since(start)

        start = time.perf_counter()
        findings = self._findings(hits, query)
        num_points, config = query.image.num_points, self.config
        unlike = unlike_radars([*self._maps, self.live], query.profile, self.sensor)
        refused = {} if config.accept_risk_map_poses else self._wrong_maps
        unknown = {} if config.accept_risk_unknown_radar else refusals(unlike)
        refused = refused | unknown | self._submaps
        if query.is_submap and not config.accept_risk_submaps:
            refused = query_refusals([*self._maps, self.live])
        candidates = judge(findings, self._encoder.contract, config, num_points, refused)
        candidates = without_repeats(candidates, findings, self._accepted, is_requested)
        decision = candidates[0].decision if candidates else NO_CANDIDATE
        if not candidates and prior is not None and not any(place.num_rows for place in maps):
            decision = Decision('rejected', OUTSIDE.format(prior=prior))
        self._note_place(query, candidates, findings)
        self._remember(description, query, findings)
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
            query.is_submap,
            description,
        )

    def remember(self, query: Query) -> bool:
        """Keep a prepared query as `query` does, but do not search; return whether it is kept."""
        if not self._is_whole(query):
            return False
        self._arrive(query)
        return self._keep(query, lambda: describe(self._encoder, query.image.bev))

    def _is_whole(self, query: Query) -> bool:
        """Return whether a query shows all that it is to show."""
        return query.is_submap or not self._submap_m

    def _without_submap(self, query: Query) -> Recognition:
        decision = Decision('rejected', NO_SUBMAP.format(length_m=self._submap_m))
        num_points, ego_velocity = query.image.num_points, query.image.ego_velocity
        times = StageTimes(query.bev_ms, 0.0, 0.0, 0.0)
        return Recognition(query.stamp_ns, (), decision, times, num_points, False, ego_velocity)

    def _arrive(self, query: Query) -> None:
        """Note where the vehicle has come."""
        self._accepted.arrive(query.odometry, query.is_standing)
        if self.live is not None and query.pose is not None:
            self.live.arrive(query.pose.position_m, query.segment, query.is_standing)

    def _reached(self, query: Query, prior: Prior | None) -> Sequence[PlaceDatabase]:
        """Return what of the maps is to be searched."""
        if prior is not None:
            return [database.within(prior) for database in self._maps]
        if (here := self._whereabouts.prior(query.odometry)) is None:
            return self._maps
        reached = [database.within(here) for database in self._maps]
        # Where the vehicle has left all maps, so it may be elsewhere than odometry says.
        return reached if any(place.num_rows for place in reached) else self._maps

    def _note_place(
        self,
        query: Query,
        candidates: Sequence[LoopClosureCandidate],
        findings: Sequence[Finding],
    ) -> None:
        """Note where in the maps the vehicle is, if that was accepted, even if not anew."""
        found = [
            finding.pose_in_map
            for candidate, finding in zip(candidates, findings, strict=True)
            if not candidate.is_live and (candidate.accepted or candidate.decision.is_repeat)
        ]
        self._whereabouts.add(query.odometry, found[0] if found else None)

    def _search(
        self, maps: Sequence[PlaceDatabase], description: NDArray[np.float32], elapsed_ns: int
    ) -> list[Hit]:
        config = self.config
        rows, radius_m = config.search_rows, config.ambiguity_radius_m
        mapped: list[tuple[PlaceSource, Neighbours]] = [
            (database, database.find(description, rows)) for database in maps
        ]
        hits = merge_hits(mapped, config.top_k, radius_m, *config.num_verified)
        if self.live:
            newest_ns = elapsed_ns - round(config.exclude_recent_s * 1e9)
            live = self.live.find(description, rows, newest_ns, config.exclude_recent_m)
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
            found = ranked(weighed(laid, query, sequence))
            kinds.append(found[: config.top_k])
        # The running drive and the maps have calibrations of their own: the surer one is first.
        kinds.sort(key=lambda findings: findings[0].order if findings else (math.inf, 0.0))
        return [finding for findings in kinds for finding in findings]

    def _laid_over(self, hit: Hit, query: Query, is_verified: bool) -> Finding:
        """Lay the query's returns over those of a keyframe."""
        source, points_m = hit.source, query.image.points_m
        keyframe, found = source.keyframe(hit.number), None
        too_few = self._verifier.too_few(points_m)
        if is_verified and not too_few:
            key = (source.map_id, hit.number)
            found = self._verifier.verify(points_m, keyframe.returns_cm, hit.yaw_rad, key)
            too_few = found.too_few
        verification = None if too_few else found
        return Finding(
            hit,
            keyframe,
            verification,
            planar_pose_of(hit, keyframe, verification),
            frame_of(hit),
            calibration_of(source, self.sensor),
            too_few=too_few,
        )

    def _remember(
        self, description: NDArray[np.float32], query: Query, findings: Sequence[Finding]
    ) -> None:
        """Keep what later queries are compared with."""
        if query.odometry is not None and not query.is_standing:
            for is_live, sequence in self._sequences.items():
                kind = [found for found in findings if found.hit.source.is_live == is_live]
                seen = testimony(kind)
                ways_m = np.array([found.hit.source.way_m(found.hit.number) for found in seen])
                sequence.add(query.odometry, *planar_poses_of(seen), ways_m)
        self._keep(query, lambda: description)

    def _keep(self, query: Query, descriptor: Callable[[], NDArray[np.float32]]) -> bool:
        """Make a query a place of the running drive if it is far enough and shows enough."""
        live, image, pose = self.live, query.image, query.pose
        if live is None or pose is None or image.num_points < self.config.min_points:
            return False
        if query.is_standing and len(live):
            return False
        if not live.wants(query.elapsed_ns, pose.position_m, query.segment):
            return False
        if isinstance(image, SubmapImage):
            self._keep_beside(query, image, pose, live)
        keyframe = Keyframe(query.stamp_ns, *pose, returns_of_points(image.points_m))
        live.add(descriptor(), keyframe, query.elapsed_ns, query.segment)
        return True

    def _keep_beside(
        self, query: Query, image: SubmapImage, pose: SensorPose, live: LiveSession
    ) -> None:
        """Make what a submap shows a place in the lanes beside, too."""
        lanes_m = LANES_M[1:]
        for number, lane_m in enumerate(lanes_m):
            beside = replace(image, to_left_m=lane_m)
            stamp_ns = query.stamp_ns - len(lanes_m) + number  # the own one's is true
            returns_cm = returns_of_points(beside.points_m)
            keyframe = Keyframe(stamp_ns, *pose.beside(lane_m), returns_cm)
            ring = describe(self._encoder, beside.bev)
            live.add(ring, keyframe, query.elapsed_ns, query.segment)


def _milliseconds_since(start: float) -> float:
    return (time.perf_counter() - start) * 1e3
