# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""
Check that overlap means the same for every cloud, among four simulated worlds.

Queries of one drive through each world are thinned, clustered or made up, and laid over keyframes
of the other worlds, of both radars, at three headings.
"""

from __future__ import annotations

from collections.abc import Callable
import math
import re

import numpy as np
from numpy.typing import NDArray
import pytest
from ssd_ros.bev.preprocessing import CloudPreprocessor, PreprocessingConfig, scan_panorama
from ssd_ros.cli.bench.plain_verification import verify_plainly
from ssd_ros.motion.trajectory import wrap_angle
from ssd_ros.recognition.candidates import VERIFIED_OVERLAP
from ssd_ros.simulator.config import conditions_of, PRESETS, UNIT_SEED
from ssd_ros.simulator.recordings.sequence import SimulatedSequence
from ssd_ros.simulator.scene.world import World
from ssd_ros.simulator.visits.session import Session
from ssd_ros.verification import (
    chosen_search,
    numpy_search,
    returns_of_points,
    strongest_returns,
    turn_motions,
    use_compiled,
    Verification,
    Verifier,
    why_numpy,
)

Points = NDArray[np.float32]
NUM_PLACES = 4  # in each world
HEADINGS_RAD = np.radians([0.0, 70.0, 180.0])


class Place:
    """A keyframe of either radar, a query less than a metre from it, and its heading there."""

    def __init__(self, sequences: list[SimulatedSequence], scan: int) -> None:
        first, second = sequences
        position_m = first.scan_poses.positions_m[scan]
        yaw_rad = first.scan_poses.yaws_rad[scan]
        index = _nearest(second, position_m)
        preprocessing = PreprocessingConfig()
        panorama = scan_panorama(first.scan(scan), preprocessing)
        motion = turn_motions(first.scan_poses)[scan]
        self.points_m = _window(second, index, preprocessing)
        mapped_m = _window(first, _nearest(first, position_m), preprocessing)
        self.keyframes = [
            strongest_returns(panorama, preprocessing.grid, motion),
            returns_of_points(mapped_m),
        ]
        self.yaw_rad = float(wrap_angle(second.cloud_poses.yaws_rad[index] - yaw_rad))


def _nearest(sequence: SimulatedSequence, position_m: NDArray[np.float64]) -> int:
    offsets_m = (sequence.cloud_poses.positions_m - position_m)[:, :2]
    return max(4, int(np.hypot(*offsets_m.T).argmin()))


def _window(sequence: SimulatedSequence, last: int, config: PreprocessingConfig) -> Points:
    preprocessor = CloudPreprocessor(config)
    for index in range(last - 4, last + 1):
        image = preprocessor.process(sequence.cloud(index))
    return image.points_m


@pytest.fixture(scope='module')
def worlds() -> list[list[Place]]:
    preset = PRESETS['unit']
    found = []
    for seed in range(UNIT_SEED, UNIT_SEED + 4):
        world = World(seed, preset.world)
        sequences = [
            SimulatedSequence(Session(world, index, conditions_of('default', index), True))
            for index in range(2)
        ]
        scans = np.linspace(20, len(sequences[0].scan_poses) - 20, NUM_PLACES).astype(int)
        found.append([Place(sequences, scan) for scan in scans.tolist()])
    return found


def distinct(points_m: Points) -> Points:
    """Return one point of each cell of 0.25 m within 80 m."""
    near = points_m[np.hypot(*points_m.T) < 80]
    return near[np.unique(np.floor(near * 4), axis=0, return_index=True)[1]]


def thinned(points_m: Points, num: int, rng: np.random.Generator) -> Points:
    return rng.permutation(distinct(points_m))[:num]


def clustered(points_m: Points, num: int, rng: np.random.Generator) -> Points:
    """Return points in five to fifteen places of the query."""
    middles = rng.permutation(points_m)[: rng.integers(5, 16)]
    offsets = rng.normal(0, rng.uniform(0.3, 1.5), (num, 2))
    return np.asarray(middles[rng.integers(0, len(middles), num)] + offsets, np.float32)


def coarse(points_m: Points, num: int, rng: np.random.Generator) -> Points:
    """Return the points within 40 m at azimuths of 15 degrees."""
    near = points_m[np.hypot(*points_m.T) < 40]
    range_m = np.hypot(*near.T)
    step = math.radians(15)
    azimuth_rad = np.rint(np.arctan2(near[:, 1], near[:, 0]) / step) * step
    spoilt = np.column_stack([range_m * np.cos(azimuth_rad), range_m * np.sin(azimuth_rad)])
    return thinned(spoilt.astype(np.float32), num, rng)


def wall(points_m: Points, num: int, rng: np.random.Generator) -> Points:
    """Return points along a wall beside the road."""
    along_m = rng.uniform(-10, rng.uniform(10, 70), num)
    beside_m = rng.choice([-1, 1]) * rng.uniform(3, 25) + rng.normal(0, 0.1, num)
    turn = rng.normal(0, 0.1)
    x = math.cos(turn) * along_m - math.sin(turn) * beside_m
    return np.column_stack([x, math.sin(turn) * along_m + math.cos(turn) * beside_m])


def corner(points_m: Points, num: int, rng: np.random.Generator) -> Points:
    """Return a wall beside the road and one across."""
    across = wall(points_m, num // 3, rng)[:, ::-1]
    return np.concatenate([wall(points_m, num - num // 3, rng), across])


Cloud = Callable[[Points, int, np.random.Generator], Points]


@pytest.fixture(scope='module')
def verifier() -> Verifier:
    return Verifier()  # which remembers the 32 keyframes


@pytest.fixture
def wrong_overlaps(
    worlds: list[list[Place]], verifier: Verifier
) -> Callable[[Cloud, int], NDArray[np.float64]]:
    def overlaps(cloud: Cloud, num: int) -> NDArray[np.float64]:
        rng = np.random.default_rng(num)
        found = []
        for places in worlds:
            others = [place for world in worlds if world is not places for place in world]
            for place in places:
                points_m = cloud(place.points_m, num, rng).astype(np.float32)
                for other in others:
                    yaw_rad = float(rng.choice(HEADINGS_RAD))
                    for sensor, returns_cm in enumerate(other.keyframes):
                        key = (id(other), sensor)
                        laid = verifier.verify(points_m, returns_cm, yaw_rad, key)
                        found.append(laid.overlap)
        return np.array(found)

    return overlaps


@pytest.mark.parametrize('num', [10, 15, 20, 30, 50, 75, 100, 150, 200, 300, 400, 600, 800])
def test_thinned_clouds_fit_at_most_one_wrong_keyframe_in_a_hundred(
    wrong_overlaps: Callable[[Cloud, int], NDArray[np.float64]], num: int
) -> None:
    overlaps = wrong_overlaps(thinned, num)
    assert len(overlaps) == 384
    assert np.count_nonzero(overlaps >= VERIFIED_OVERLAP) <= 3


@pytest.mark.parametrize('cloud', [clustered, coarse, wall, corner])
@pytest.mark.parametrize('num', [50, 200, 800])
def test_clustered_clouds_and_walls_fit_no_more(
    wrong_overlaps: Callable[[Cloud, int], NDArray[np.float64]], cloud: Cloud, num: int
) -> None:
    assert np.count_nonzero(wrong_overlaps(cloud, num) >= VERIFIED_OVERLAP) <= 3


@pytest.mark.parametrize(('num', 'least'), [(100, 0.75), (200, 0.8), (800, 0.95)])
def test_clouds_fit_their_own_keyframe_in_a_map_of_the_same_radar(
    worlds: list[list[Place]], verifier: Verifier, num: int, least: float
) -> None:
    rng = np.random.default_rng(num)
    overlaps = [
        verifier.verify(
            thinned(place.points_m, num, rng), place.keyframes[1], place.yaw_rad, (id(place), 1)
        ).overlap
        for places in worlds
        for place in places
    ]
    assert np.mean(np.array(overlaps) >= VERIFIED_OVERLAP) >= least


def test_of_ten_points_nothing_is_told(worlds: list[list[Place]], verifier: Verifier) -> None:
    place = worlds[0][0]
    few = thinned(place.points_m, 10, np.random.default_rng(0))
    found = verifier.verify(few, place.keyframes[1], place.yaw_rad)
    assert found.overlap == 0
    assert re.fullmatch(r'too few to tell: \d+ distinct points of 15', found.too_few)


def test_of_a_keyframe_of_ten_returns_nothing_is_told(worlds: list[list[Place]]) -> None:
    place = worlds[0][0]
    found = Verifier().verify(place.points_m, place.keyframes[1][:10], place.yaw_rad)
    assert found.overlap == 0
    assert found.too_few == 'too few to tell: 10 distinct returns in the keyframe of 15'


def difference(one: Verification, other: Verification) -> float:
    """Return the greatest of those of poses, covariances and overlaps."""
    yaw_rad = float(wrap_angle(one.yaw_rad - other.yaw_rad))
    numbers = [one.x_m - other.x_m, one.y_m - other.y_m, yaw_rad, one.overlap - other.overlap]
    return float(np.abs([*numbers, *(one.covariance - other.covariance).ravel()]).max())


@pytest.mark.parametrize('is_compiled', [False, True])
def test_poses_and_overlaps_are_those_of_plain_look_ups(
    worlds: list[list[Place]], is_compiled: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(chosen_search, '_chosen', numpy_search)
    if is_compiled:
        pytest.importorskip('numba')
        monkeypatch.setattr(chosen_search, '_why_numpy', '')
        use_compiled()
        assert not why_numpy()
    places, rng = [place for world in worlds for place in world], np.random.default_rng(0)
    verifier, differences, overlaps = Verifier(), [], []
    for number, place in enumerate(places):
        clouds = [place.points_m, *(thinned(place.points_m, num, rng) for num in (20, 100))]
        for other in (place, places[number - 3], places[number - 7]):
            yaw_rad = place.yaw_rad if other is place else float(rng.choice(HEADINGS_RAD))
            for points_m in clouds:
                for returns_cm in other.keyframes:
                    expected = verify_plainly(points_m, returns_cm, yaw_rad)
                    found = verifier.verify(points_m, returns_cm, yaw_rad)
                    differences.append(difference(found, expected))
                    overlaps.append(found.overlap)
    assert len(differences) == 288
    assert max(differences) < 1e-9
    assert np.count_nonzero(np.array(overlaps) > VERIFIED_OVERLAP) > 40  # right ones, too
