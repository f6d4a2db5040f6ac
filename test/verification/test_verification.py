# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Check the verification against scenes with known poses, made up and simulated."""

import math

import numpy as np
from numpy.typing import NDArray
import pytest
from ssd_ros.bev.polar_bev import PolarGrid
from ssd_ros.bev.preprocessing import CloudPreprocessor, PreprocessingConfig, scan_panorama
from ssd_ros.motion.trajectory import quaternion_from_yaw, Trajectory, wrap_angle
from ssd_ros.recognition.candidates import VERIFIED_OVERLAP
from ssd_ros.simulator.config import conditions_of, PRESETS, UNIT_SEED
from ssd_ros.simulator.recordings.sequence import SimulatedSequence
from ssd_ros.simulator.scene.world import World
from ssd_ros.simulator.visits.session import Session
from ssd_ros.verification import (
    NO_RETURN,
    NUM_RETURNS,
    returns_of_points,
    strongest_returns,
    turn_motions,
    Verification,
    VerificationConfig,
    Verifier,
)

GRID = PolarGrid()
Points = NDArray[np.float64]
CELL_M = 150 / 384  # along range


def town(seed: int) -> Points:
    """Return points along the walls of houses at random places, map frame."""
    rng = np.random.default_rng(seed)
    corners = rng.uniform(-70, 70, (25, 2))
    along = rng.uniform(0, 12, (25, 60))
    is_across = rng.random(25) < 0.5
    x = corners[:, :1] + np.where(is_across[:, None], 0, along)
    y = corners[:, 1:] + np.where(is_across[:, None], along, 0)
    return np.column_stack([x.ravel(), y.ravel()])


def seen_from(points: Points, pose: tuple[float, float, float], noise_m: float = 0.1) -> Points:
    """Return what a radar with a field of view of 120 degrees sees, in its frame."""
    x, y, yaw = pose
    cos, sin = math.cos(yaw), math.sin(yaw)
    local = (points - [x, y]) @ np.array([[cos, -sin], [sin, cos]])
    local += np.random.default_rng(1).normal(0, noise_m, local.shape)
    ahead = np.abs(np.arctan2(local[:, 1], local[:, 0])) < math.radians(60)
    return local[ahead & (np.hypot(*local.T) < 80)]


def verify(scene: Points, query: Points, yaw_rad: float) -> Verification:
    returns_cm = returns_of_points(scene.astype(np.float32))
    return Verifier().verify(query.astype(np.float32), returns_cm, yaw_rad)


def panorama_with(cells: dict[tuple[int, int], int]) -> NDArray[np.uint8]:
    panorama = np.zeros((GRID.num_ranges, GRID.panorama_azimuths), np.uint8)
    for cell, value in cells.items():
        panorama[cell] = value
    return panorama


def rows_of(returns_cm: NDArray[np.int16]) -> NDArray[np.int16]:
    return returns_cm[returns_cm[:, 0] != NO_RETURN]


def planar(poses: Trajectory) -> NDArray[np.float64]:
    return np.column_stack([poses.positions_m[:, :2], poses.yaws_rad])


@pytest.mark.parametrize(
    ('pose', 'view_yaw_deg'),
    [
        ((0.0, 0.0, 0.0), 0),
        ((1.3, -2.1, math.radians(4)), 0),
        ((-5.9, 5.9, math.radians(-7)), 0),
        ((3.2, 4.4, math.radians(93)), 90),
        ((-2.0, 0.6, math.radians(-177)), 180),
    ],
)
def test_the_pose_is_found_to_fifteen_centimetres(
    pose: tuple[float, float, float], view_yaw_deg: float
) -> None:
    scene = town(0)
    found = verify(scene, seen_from(scene, pose), math.radians(view_yaw_deg))
    # The middles of the fine cells are at most 0.18 m away.
    assert math.hypot(found.x_m - pose[0], found.y_m - pose[1]) < 0.15
    assert abs(wrap_angle(found.yaw_rad - pose[2])) < math.radians(0.5)
    assert -math.pi < found.yaw_rad <= math.pi
    assert found.overlap > 1.5 * VERIFIED_OVERLAP


def test_another_place_overlaps_little() -> None:
    query = seen_from(town(0), (0, 0, 0))
    overlaps = [verify(town(seed), query, 0.0).overlap for seed in range(1, 11)]
    assert max(overlaps) < 0.3
    assert min(overlaps) >= 0


def test_errors_are_as_large_as_the_covariance_says() -> None:
    squares = []
    for seed in range(30):
        rng = np.random.default_rng(seed)
        pose = tuple(rng.uniform([-4, -4, -0.1], [4, 4, 0.1]).tolist())
        found = verify(town(seed), seen_from(town(seed), pose, noise_m=0.15), 0.0)
        error = np.array([found.x_m, found.y_m, found.yaw_rad]) - pose
        squares.append(error @ np.linalg.solve(found.covariance, error))
    # 3 on average were they Gaussian; a floor keeps the covariance from promising too much.
    assert 0.1 < np.mean(squares) < 3


def test_a_straight_wall_leaves_the_pose_along_it_open() -> None:
    wall = np.column_stack([np.linspace(-80, 80, 1600), np.full(1600, 12.0)])
    x_variance, y_variance, _ = np.diag(verify(wall, seen_from(wall, (0, 0, 0)), 0.0).covariance)
    assert x_variance > 4 * y_variance


def test_the_covariance_is_symmetric_and_positive() -> None:
    scene = town(3)
    covariance = verify(scene, seen_from(scene, (1, 1, 0)), 0.0).covariance
    np.testing.assert_array_equal(covariance, covariance.T)
    assert np.linalg.eigvalsh(covariance).min() > 0


@pytest.mark.parametrize('query', [np.zeros((0, 2)), np.full((500, 2), np.nan), town(0) + 300])
def test_a_query_without_usable_points_overlaps_nowhere(query: Points) -> None:
    found = verify(town(0), query, math.radians(190))
    assert found.overlap == 0
    assert found.yaw_rad == pytest.approx(math.radians(-170))
    # Evenly anywhere between -6 and 6 m.
    assert found.covariance[0, 0] == pytest.approx(12.0)


def test_a_keyframe_without_returns_overlaps_nowhere() -> None:
    returns_cm = np.full((NUM_RETURNS, 2), NO_RETURN, np.int16)
    query = seen_from(town(0), (0, 0, 0)).astype(np.float32)
    found = Verifier().verify(query, returns_cm, 0.0)
    assert found.overlap == 0
    assert np.isfinite(found.covariance).all()


def test_returns_and_points_anywhere_are_bearable() -> None:
    rng = np.random.default_rng(0)
    returns_cm = rng.integers(-32768, 32768, (NUM_RETURNS, 2)).astype(np.int16)
    points = rng.uniform(-200, 200, (3000, 2)).astype(np.float32)
    points[:100] = [[np.inf, np.nan]]
    assert 0 <= Verifier().verify(points, returns_cm, 1e6).overlap < 0.3


def test_points_at_the_reach_of_the_search_stay_within_the_grids() -> None:
    angle = np.radians(np.arange(0, 360, 0.3))
    ring = 79.9 * np.column_stack([np.cos(angle), np.sin(angle)])
    for x, y in ((6.0, 6.0), (-6.0, -6.0)):
        found = verify(ring + np.array([x, y]), ring, 0.0)
        assert found.x_m == pytest.approx(x, abs=0.5)
        assert found.y_m == pytest.approx(y, abs=0.5)


def test_kept_grids_change_nothing_and_are_bounded() -> None:
    scenes = [town(seed) for seed in range(4)]
    returns = [returns_of_points(scene.astype(np.float32)) for scene in scenes]
    query = seen_from(scenes[0], (1, 0, 0)).astype(np.float32)
    verifier = Verifier(VerificationConfig(num_cached_keyframes=2))
    for _ in range(2):
        for key, returns_cm in enumerate(returns):
            kept = verifier.verify(query, returns_cm, 0.0, key=key)
            fresh = Verifier().verify(query, returns_cm, 0.0)
            assert (kept.x_m, kept.y_m, kept.overlap) == (fresh.x_m, fresh.y_m, fresh.overlap)
    assert len(verifier._grids) == 2


def test_a_return_lies_in_the_middle_of_its_cell_right_of_forward() -> None:
    # Columns of 0.625 degrees run clockwise from forward.
    rows = rows_of(strongest_returns(panorama_with({(100, 48): 200}), GRID))
    range_cm, angle = 100.5 * CELL_M * 100, 2 * math.pi * 48.5 / 576
    expected = [round(range_cm * math.cos(angle)), round(-range_cm * math.sin(angle))]
    np.testing.assert_array_equal(rows, [expected])


def test_a_blob_along_range_is_one_return_at_its_peak() -> None:
    blob = {(99, 48): 150, (100, 48): 200, (101, 48): 160, (102, 48): 140}
    alone = strongest_returns(panorama_with({(100, 48): 200}), GRID)
    np.testing.assert_array_equal(strongest_returns(panorama_with(blob), GRID), alone)


def test_of_a_square_metre_the_strongest_return_is_kept() -> None:
    # Two columns of 0.6 degrees at 10 m are 0.1 m apart.
    both = strongest_returns(panorama_with({(26, 48): 150, (26, 49): 200}), GRID)
    stronger = strongest_returns(panorama_with({(26, 49): 200}), GRID)
    np.testing.assert_array_equal(both, stronger)


def test_bright_clutter_close_by_does_not_take_all_rows() -> None:
    panorama = np.zeros((GRID.num_ranges, GRID.panorama_azimuths), np.uint8)
    panorama[8:150:2] = 250  # to 58 m, far more than there are rows
    panorama[180, ::4] = 130  # weak, at 70 m
    rows = rows_of(strongest_returns(panorama, GRID)) / 100
    assert len(rows) == NUM_RETURNS
    assert np.count_nonzero(np.hypot(*rows.T) > 69) > 100


def test_the_returns_of_a_keyframe_take_eight_kilobytes() -> None:
    returns_cm = strongest_returns(panorama_with({}), GRID)
    assert returns_cm.nbytes <= 8192
    assert len(rows_of(returns_cm)) == 0


def test_a_panorama_of_another_grid_is_refused() -> None:
    with pytest.raises(ValueError, match=r'shape \(384, 192\), expected \(384, 576\)'):
        strongest_returns(np.zeros((384, 192), np.uint8), GRID)


def test_returns_are_brought_to_the_middle_of_the_turn() -> None:
    # Column 0 is seen half a turn early: 1 m of 2 m before, 0.1 of 0.2 rad less turned.
    turn_motion = np.array([2.0, 0.0, 0.2])
    still = rows_of(strongest_returns(panorama_with({(100, 0): 200}), GRID))[0] / 100
    moved = rows_of(strongest_returns(panorama_with({(100, 0): 200}), GRID, turn_motion))[0] / 100
    range_m, angle = np.hypot(*still), np.arctan2(still[1], still[0]) - 0.1
    expected = [range_m * np.cos(angle) - 1, range_m * np.sin(angle)]
    np.testing.assert_allclose(moved, expected, atol=0.02)


def test_motion_during_a_turn_is_that_of_the_drive() -> None:
    # 8 m/s on a circle of 40 m to the left, a turn each 0.25 s, one scan missing.
    time_s = np.delete(np.arange(40) * 0.25, 20)
    yaw = 0.2 * time_s
    positions = np.column_stack([40 * np.sin(yaw), 40 - 40 * np.cos(yaw), np.zeros(39)])
    poses = Trajectory(
        (time_s * 1e9).astype(np.int64) + 10**18, positions, quaternion_from_yaw(yaw)
    )
    motions = turn_motions(poses)
    np.testing.assert_allclose(motions[:, 0], 2.0, atol=0.01)
    np.testing.assert_allclose(motions[:, 2], 0.05, atol=1e-6)
    # A chord to one side, where a neighbour is missing, points 1.4 degrees off.
    assert np.abs(motions[:, 1]).max() < 0.051


def test_a_single_scan_has_no_motion() -> None:
    poses = Trajectory(np.array([5]), np.zeros((1, 3)), quaternion_from_yaw(np.zeros(1)))
    np.testing.assert_array_equal(turn_motions(poses), np.zeros((1, 3)))


def test_returns_of_points_are_centimetres_of_the_points_nearby() -> None:
    points = np.array([[1.234, -5.678], [1.235, -5.677], [100, 0], [np.nan, 1], [-3, 2]])
    rows = rows_of(returns_of_points(points.astype(np.float32)))
    np.testing.assert_array_equal(rows, [[123, -568], [-300, 200]])


@pytest.mark.parametrize(
    ('options', 'match'),
    [
        ({'max_points': 14}, 'max_points 14'),
        ({'min_distinct': 0.0}, 'min_distinct is 0'),
        ({'surface_scale': 0.0}, r'surface_scale is 0\.0, expected more than 0'),
    ],
)
def test_a_wrong_constant_is_refused(options: dict[str, float], match: str) -> None:
    with pytest.raises(ValueError, match=match):
        VerificationConfig(**options)  # type: ignore[arg-type]


def test_a_simulated_revisit_is_placed_to_half_a_metre_and_a_degree() -> None:
    preset, preprocessing = PRESETS['unit'], PreprocessingConfig()
    world = World(UNIT_SEED, preset.world)
    first, second = (
        SimulatedSequence(Session(world, index, conditions_of('default', index), True))
        for index in range(2)
    )
    motions = turn_motions(first.scan_poses)
    scans, clouds = planar(first.scan_poses), planar(second.cloud_poses)
    errors = []
    for keyframe in range(10, len(scans), len(scans) // 24):
        panorama = scan_panorama(first.scan(keyframe), preprocessing)
        returns_cm = strongest_returns(panorama, GRID, motions[keyframe])
        query = int(np.hypot(*(clouds[:, :2] - scans[keyframe, :2]).T).argmin())
        preprocessor = CloudPreprocessor(preprocessing)
        for index in range(max(0, query - 4), query + 1):
            image = preprocessor.process(second.cloud(index))
        found = Verifier().verify(image.points_m, returns_cm, 0.0)
        x, y, yaw = clouds[query] - scans[keyframe]
        cos, sin = math.cos(scans[keyframe, 2]), math.sin(scans[keyframe, 2])
        position_m = math.hypot(found.x_m - cos * x - sin * y, found.y_m + sin * x - cos * y)
        errors.append([position_m, math.degrees(abs(wrap_angle(found.yaw_rad - yaw)))])
    assert len(errors) >= 24
    assert np.median(errors, axis=0)[0] < 0.5
    assert np.median(errors, axis=0)[1] < 1.0
