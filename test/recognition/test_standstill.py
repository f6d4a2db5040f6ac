# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Drive round a block, stand, drive on: who stands closes no loop, and none again and again."""

from __future__ import annotations

from collections.abc import Iterator
import math
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
import pytest
from ssd_ros.datasets.sequence import WithoutLidar
from ssd_ros.encoders.network import OnnxEncoder
from ssd_ros.maps.builder import build_database
from ssd_ros.maps.live_session import LiveSession
from ssd_ros.motion.odometry import OdometryPose
from ssd_ros.motion.trajectory import quaternion_from_yaw
from ssd_ros.radar.ego_velocity import Motion
from ssd_ros.radar.types import RadarPointCloud
from ssd_ros.recognition.answer import Query, Recognition, RecognizerConfig, SensorPose
from ssd_ros.recognition.place_recognizer import PlaceRecognizer
from ssd_ros.recognition.standstill import AcceptedPlaces, StandstillDetector
from support.posts import small_encoder, START_NS, straight_drive

LAP_M, RADIUS_M = 80 * math.pi, 40.0
SPEED_MPS = 2.0
STAND_S = 600
NOISE_M, NOISE_MPS = 0.1, 0.03


@pytest.fixture(scope='module')
def student(tmp_path_factory: pytest.TempPathFactory) -> OnnxEncoder:
    return small_encoder(tmp_path_factory.mktemp('student'), '4d')


class BlockDrive(WithoutLidar):
    """A vehicle that goes round a block among 300 posts, counter-clockwise; looks ahead."""

    def __init__(self, student: OnnxEncoder, drift_mps: float = 0.0, jitter_m: float = 0.0):
        rng = np.random.default_rng(0)
        self._posts = rng.uniform(-110, 110, (300, 2))
        radius_m = np.hypot(*self._posts.T)
        self._posts = self._posts[np.abs(radius_m - RADIUS_M) > 5]
        self._rng = rng
        self._drift_mps, self._jitter_m = drift_mps, jitter_m
        self._now_s = self._way_m = self._drifted_m = 0.0
        self._ways_m: dict[int, float] = {}  # by stamp
        live = LiveSession(student.contract.descriptor_size, keyframe_distance_m=0.5)
        # Stricter than the model's: random projections take many places for one.
        config = RecognizerConfig(accept_max_ratio=0.7)
        self.recognizer = PlaceRecognizer(student, [], config, live)

    def go(
        self, seconds: float, speed_mps: float, rate_hz: int = 5, asked_hz: int = 1
    ) -> list[Recognition]:
        """Drive or stand and return the answers; not every scan need be searched for."""
        answers = []
        for number in range(round(seconds * rate_hz)):
            self._now_s += 1 / rate_hz
            self._way_m += speed_mps / rate_hz
            self._drifted_m += 0 if speed_mps else self._drift_mps / rate_hz
            query = self._query(speed_mps)
            if number % (rate_hz // asked_hz) == 0:
                answers.append(self.recognizer.query(query))
        return answers

    def right(self, answer: Recognition) -> bool:
        """Return whether the best candidate was passed where the vehicle is now."""
        before_m = self._ways_m[answer.candidates[0].stamp_ns]
        laps = (self._ways_m[answer.stamp_ns] - before_m) / LAP_M
        return round(laps) >= 1 and abs(laps - round(laps)) * LAP_M < 5

    def least_way_m(self, answer: Recognition) -> float:
        """Return how far ago the last of the candidates was passed."""
        passed_m = [self._ways_m[candidate.stamp_ns] for candidate in answer.candidates]
        return self._ways_m[answer.stamp_ns] - max(passed_m, default=-math.inf)

    def _query(self, speed_mps: float) -> Query:
        angle = self._way_m / RADIUS_M
        x, y, yaw = RADIUS_M * math.cos(angle), RADIUS_M * math.sin(angle), angle + math.pi / 2
        stamp_ns = START_NS + round(self._now_s * 1e9)
        self._ways_m[stamp_ns] = self._way_m
        seen_m = self._odometry_m(np.array([x, y, 0.0]))
        pose = SensorPose(seen_m, quaternion_from_yaw(yaw))
        return self.recognizer.prepare(self._cloud(stamp_ns, x, y, yaw, speed_mps), pose)

    def _odometry_m(self, position_m: NDArray[np.float64]) -> NDArray[np.float64]:
        drift_m = np.array([self._drifted_m, 0, 0])
        return position_m + drift_m + self._rng.normal(0, self._jitter_m, 3)

    def _cloud(
        self, stamp_ns: int, x: float, y: float, yaw: float, speed_mps: float
    ) -> RadarPointCloud:
        ahead, aside = self._posts.T[0] - x, self._posts.T[1] - y
        seen = np.stack(
            [
                math.cos(yaw) * ahead + math.sin(yaw) * aside,
                math.cos(yaw) * aside - math.sin(yaw) * ahead,
                np.zeros(len(ahead)),
            ],
            axis=1,
        )
        range_m = np.linalg.norm(seen, axis=1)
        seen = seen[(range_m < 100) & (np.abs(np.arctan2(seen[:, 1], seen[:, 0])) < 1.0)]
        seen = seen[self._rng.random(len(seen)) > 0.1]
        doppler_mps = -speed_mps * seen[:, 0] / np.linalg.norm(seen, axis=1)
        doppler_mps += self._rng.normal(0, NOISE_MPS, len(seen))
        seen[:, :2] += self._rng.normal(0, NOISE_M, (len(seen), 2))
        rcs_dbsm = np.full(len(seen), 20, np.float32)
        return RadarPointCloud(
            stamp_ns, seen.astype(np.float32), rcs_dbsm, doppler_mps.astype(np.float32), 'radar'
        )


def accepted(answers: list[Recognition]) -> list[Recognition]:
    return [answer for answer in answers if answer.decision.accepted]


@pytest.mark.parametrize(
    'odometry', [{}, {'jitter_m': 0.05}, {'drift_mps': 0.1}], ids=['good', 'jitters', 'drifts']
)
def test_ten_minutes_of_standing_close_no_loop_and_later_ones_are_closed(
    student: OnnxEncoder, odometry: dict[str, float]
) -> None:
    drive = BlockDrive(student, **odometry)
    first = drive.go(0.6 * LAP_M / SPEED_MPS, SPEED_MPS)
    standing = drive.go(STAND_S, 0.0, 2)
    assert len(standing) == 600
    assert all(answer.stationary for answer in standing[1:])
    # Only places of 30 m ago and more are looked at, to a step of the way.
    assert min(map(drive.least_way_m, standing)) >= 29
    rest = drive.go(0.3 * LAP_M / SPEED_MPS, SPEED_MPS)
    assert accepted(first + standing + rest) == []
    again = drive.go(LAP_M / SPEED_MPS, SPEED_MPS)
    closures = accepted(again)
    # The last 0.1 laps of the first are new; what follows was passed.
    assert len(closures) > 0.7 * len(again)
    assert all(drive.right(answer) for answer in closures)


def test_a_place_passed_before_is_closed_once_however_long_the_vehicle_stands(
    student: OnnxEncoder,
) -> None:
    drive = BlockDrive(student)
    drive.go(1.5 * LAP_M / SPEED_MPS, SPEED_MPS)
    standing = drive.go(60, 0.0, 5)
    assert len(accepted(standing)) <= 1
    reasons = {answer.decision.reason for answer in standing[5:]}
    assert 'accepted before, and the vehicle has not moved since' in reasons
    assert all(answer.decision.is_repeat for answer in standing[5:])
    on = drive.go(12, SPEED_MPS)
    assert len(accepted(on)) > 8


def test_a_creeping_vehicle_closes_loops_by_the_way_it_comes(student: OnnxEncoder) -> None:
    drive = BlockDrive(student)
    drive.go(1.5 * LAP_M / SPEED_MPS, SPEED_MPS)
    creeping = drive.go(10, 0.2, 20, 20)
    # 2 m in steps of more than 0.1 m, and as many as 200 scans.
    assert 5 <= len(accepted(creeping)) <= 20
    # Slower than the Doppler velocity tells from standing.
    assert len(accepted(drive.go(10, 0.04, 20, 20))) <= 1


def test_a_parked_vehicle_is_told_once_where_it_is_and_whenever_it_asks(
    student: OnnxEncoder, tmp_path: Path
) -> None:
    places = straight_drive(num=30)
    database = build_database(places, small_encoder(tmp_path, 'spinning'))
    recognizer = PlaceRecognizer(student, [database], RecognizerConfig(accept_max_rival=0.0))

    def answer(index: int, is_requested: bool = False) -> bool:
        # No Doppler and no odometry: it stands as far as anybody knows.
        query = recognizer.prepare(places.cloud(index))
        return recognizer.query(query, is_requested).decision.accepted

    assert [answer(15), answer(15), answer(15)] == [True, False, False]
    assert answer(15, is_requested=True)
    # Another place is news, and both are known now.
    assert [answer(20), answer(20), answer(15)] == [True, False, False]
    recognizer.swap_maps([database])
    assert answer(15)


def moving_on(speed_mps: float, seconds: float, rate_hz: float) -> Iterator[tuple[int, float]]:
    for step in range(round(seconds * rate_hz)):
        yield round(step / rate_hz * 1e9), speed_mps * step / rate_hz


@pytest.mark.parametrize(('odometry_mps', 'share'), [(0.0, 1.0), (0.2, 1.0), (5.0, 0.01)])
def test_odometry_that_goes_on_is_believed_rather_than_zeros_of_doppler(
    odometry_mps: float, share: float
) -> None:
    detector = StandstillDetector()
    stands = [
        detector.add(now_ns, Motion.STANDSTILL, OdometryPose(x_m, np.array([x_m, 0, 0])))
        for now_ns, x_m in moving_on(odometry_mps, 60, 10)
    ]
    # 1.5 m at 5 m/s are three scans of 600.
    assert share / 2 <= np.mean(stands) <= share


def test_unknown_velocities_go_on_as_the_last_known_one() -> None:
    detector = StandstillDetector()
    motions = [
        Motion.UNKNOWN,
        Motion.STANDSTILL,
        Motion.UNKNOWN,
        Motion.MOVING,
        Motion.UNKNOWN,
    ]
    stands = [detector.add(number, motion, None) for number, motion in enumerate(motions)]
    assert stands == [False, True, True, False, False]


def test_places_are_forgotten_when_the_vehicle_has_moved_and_compare_in_one_frame() -> None:
    places, pose = AcceptedPlaces(), np.array([10.0, 20.0, 0.0])
    places.arrive(OdometryPose(100.0), is_standing=False)
    places.add(7, pose)
    assert places.holds(7, np.array([13.0, 24.0, 2.0]))
    assert not places.holds(7, np.array([13.0, 24.1, 0.0]))
    assert not places.holds(8, pose)
    for there, is_standing in [(100.05, False), (130.0, True)]:
        places.arrive(OdometryPose(there), is_standing)
        assert places.holds(7, pose)
    places.arrive(OdometryPose(100.11), is_standing=False)
    assert not places.holds(7, pose)
    # Nobody knows whether it has moved.
    places.add(7, pose)
    places.arrive(None, is_standing=False)
    assert not places.holds(7, pose)
