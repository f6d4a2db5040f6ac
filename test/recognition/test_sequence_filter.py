# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Check which candidates the last queries support, on drives drawn by hand."""

from collections.abc import Callable
from dataclasses import replace
import math

from hypothesis import given, settings
from hypothesis import strategies as st
import numpy as np
from numpy.typing import NDArray
import pytest
from ssd_ros.motion.odometry import compose, OdometryPose
from ssd_ros.recognition.sequence_filter import SequenceConfig, SequenceFilter

CONFIG = SequenceConfig(window=10, spacing_m=2.0, tolerance_m=2.0)
# A single query of 10 to 40 m ago is enough to tell.
SINGLE = replace(CONFIG, window=2, spacing_m=10.0)
FAR_AWAY = [500.0, 500.0, 0.0]

MakeOdometry = Callable[[float], OdometryPose]


def poses(*rows: list[float]) -> NDArray[np.float64]:
    return np.array(rows, dtype=np.float64).reshape(-1, 3)


def ids(*numbers: int) -> NDArray[np.uint32]:
    return np.array(numbers, dtype=np.uint32)


def along_x(travelled_m: float) -> OdometryPose:
    return OdometryPose(travelled_m, np.array([travelled_m, 0.0, 0.0]))


def speed_only(travelled_m: float) -> OdometryPose:
    return OdometryPose(travelled_m)


def driven(odometry: MakeOdometry, num_queries: int, config: SequenceConfig = CONFIG
           ) -> SequenceFilter:  # fmt: skip
    """Return a filter after queries every 2 m that were answered right, heading east."""
    result = SequenceFilter(config)
    for place in 2.0 * np.arange(num_queries):
        result.add(odometry(place), poses([100 + place, 50, 0]), ids(7))
    return result


@pytest.mark.parametrize('odometry', [along_x, speed_only])
def test_all_queries_support_the_right_place_and_none_another(odometry: MakeOdometry) -> None:
    candidates = poses([120, 50, 0], FAR_AWAY, [120, 58, 0], [110, 50, 0])
    support = driven(odometry, 10).support(odometry(20), candidates, ids(7, 7, 7, 7))
    # 8 m aside is beyond 2 + 0.05 * 20 = 3 m; 10 m behind, too.
    assert support.tolist() == [1, 0, 0, 0]


@pytest.mark.parametrize('odometry', [along_x, speed_only])
def test_fewer_witnesses_than_half_the_window_tell_nothing(odometry: MakeOdometry) -> None:
    for num_queries in range(10):
        place = 2.0 * num_queries
        support = driven(odometry, num_queries).support(
            odometry(place), poses([100 + place, 50, 0], FAR_AWAY), ids(7, 7)
        )
        expected = [np.nan, np.nan] if num_queries < 5 else [1, 0]
        np.testing.assert_array_equal(support, expected)


@pytest.mark.parametrize('odometry', [along_x, speed_only])
def test_queries_that_were_answered_elsewhere_lower_the_share(odometry: MakeOdometry) -> None:
    sequence = SequenceFilter(CONFIG)
    for number, place in enumerate(2.0 * np.arange(10)):
        answer = FAR_AWAY if number in (2, 5, 6) else [100 + place, 50, 0]
        sequence.add(odometry(place), poses(answer), ids(7))
    assert sequence.support(odometry(20), poses([120, 50, 0]), ids(7)) == pytest.approx([0.7])


def test_the_tolerance_grows_with_the_distance_travelled() -> None:
    sequence = SequenceFilter(SINGLE)
    sequence.add(along_x(0), poses([0, 0, 0]), ids(7))
    for travelled_m, limit_m in [(10.0, 2.5), (20.0, 3.0), (40.0, 4.0)]:
        candidates = poses([travelled_m, limit_m - 0.1, 0], [travelled_m, limit_m + 0.1, 0])
        support = sequence.support(along_x(travelled_m), candidates, ids(7, 7))
        assert support.tolist() == [1, 0]


def test_the_heading_must_agree_too() -> None:
    config_rad = CONFIG.yaw_tolerance_rad
    candidates = poses([120, 50, config_rad - 0.01], [120, 50, config_rad + 0.01], [120, 50, 3.1])
    support = driven(along_x, 10).support(along_x(20), candidates, ids(7, 7, 7))
    assert support.tolist() == [1, 0, 0]


def test_headings_on_both_sides_of_south_and_west_are_near() -> None:
    for odometry in (along_x, speed_only):
        sequence = SequenceFilter(SINGLE)
        sequence.add(odometry(0), poses([0, 0, math.pi - 0.05]), ids(7))
        support = sequence.support(odometry(10), poses([-10, 0, -math.pi + 0.05]), ids(7))
        assert support == [1]


def test_an_unknown_heading_supports_nothing() -> None:
    support = driven(along_x, 10).support(along_x(20), poses([120, 50, math.nan]), ids(7))
    assert support.tolist() == [0]


def test_a_turn_seen_by_the_odometry_is_followed() -> None:
    sequence = SequenceFilter(SINGLE)
    sequence.add(OdometryPose(0, np.array([5.0, 5.0, 1.0])), poses([100, 50, math.pi / 2]), ids(7))
    # 10 m ahead, 4 m left and a quarter turn left in the odometry's own frame.
    now = OdometryPose(15, compose(np.array([5.0, 5.0, 1.0]), np.array([10, 4, math.pi / 2])))
    support = sequence.support(now, poses([96, 60, math.pi], [104, 60, 0]), ids(7, 7))
    assert support.tolist() == [1, 0]


@pytest.mark.parametrize('before_corner_m', [0.0, 5.0, 10.0, 15.0, 20.0])
def test_speed_alone_allows_a_corner_anywhere_on_the_way(before_corner_m: float) -> None:
    after_corner_m = 20 - before_corner_m
    farther = 21.1 / math.hypot(before_corner_m, after_corner_m)  # than 20 m and 1 m of tolerance
    candidates = poses(
        [before_corner_m, after_corner_m, math.pi / 2],
        [before_corner_m, -after_corner_m - 0.1, math.pi / 2],  # turned left, but lies right
        [before_corner_m * farther, after_corner_m * farther, math.pi / 2],
    )
    sequence = SequenceFilter(replace(SINGLE, tolerance_m=1.0, tolerance_per_m=0.0))
    sequence.add(speed_only(0), poses([0, 0, 0]), ids(7))
    support = sequence.support(speed_only(20), candidates, ids(7, 7, 7))
    assert support[0] == 1
    assert support[2] == 0
    # Straight on first, the sides differ by less than the tolerance.
    assert support[1] == (before_corner_m == 20)


def test_speed_alone_allows_no_turn_on_the_spot() -> None:
    sequence = SequenceFilter(SINGLE)
    sequence.add(speed_only(0), poses([0, 0, 0]), ids(7))
    # In 10 m with a radius of 6 m: 1.67 rad, and 0.3 rad of tolerance.
    candidates = poses([5, 7, 1.95], [5, 7, 2.0], [0, 0, math.pi])
    support = sequence.support(speed_only(10), candidates, ids(7, 7, 7))
    assert support.tolist() == [1, 0, 0]


@pytest.mark.parametrize('odometry', [along_x, speed_only])
def test_reversing_leads_backward(odometry: MakeOdometry) -> None:
    sequence = SequenceFilter(SINGLE)
    sequence.add(odometry(0), poses([100, 50, 0]), ids(7))
    support = sequence.support(odometry(-10), poses([90, 50, 0], [110, 50, 0]), ids(7, 7))
    assert support.tolist() == [1, 0]


def test_another_map_with_the_same_coordinates_is_another_place() -> None:
    support = driven(along_x, 10).support(
        along_x(20), poses([120, 50, 0], [120, 50, 0]), ids(8, 7)
    )
    assert support.tolist() == [0, 1]


def test_every_answer_of_a_query_counts_in_its_map() -> None:
    sequence = SequenceFilter(SINGLE)
    answers = poses([100, 50, 0], [0, -300, 0], [-40, 70, 0])
    sequence.add(along_x(0), answers, ids(7, 7, 8))
    candidates = poses([110, 50, 0], [10, -300, 0], [-30, 70, 0], [-30, 70, 0])
    support = sequence.support(along_x(10), candidates, ids(7, 7, 8, 7))
    assert support.tolist() == [1, 1, 1, 0]
    (entry,) = sequence.state()
    assert entry.poses.tolist() == [[100, 50, 0], [0, -300, 0], [-40, 70, 0]]
    assert entry.map_ids.tolist() == [7, 7, 8]


def test_queries_that_fit_two_places_of_one_map_are_ambiguous() -> None:
    sequence = SequenceFilter(CONFIG)
    for number, place in enumerate(2.0 * np.arange(10)):
        right = [100 + place, 50, 0]
        other = {1: FAR_AWAY, 4: [100 + place, 55.1, 0], 7: [100 + place, 54.9, 0]}.get(number)
        given = poses(right) if other is None else poses(right, other)
        (share,) = sequence.ambiguity(along_x(place), ids(7))
        assert np.isnan(share) == (number < 5)
        sequence.add(along_x(place), given, ids(*[7] * len(given)))
    # Nearer than 5 m is the same place, however the numbers of the candidates run.
    assert sequence.ambiguity(along_x(20), ids(7)) == pytest.approx([0.2])
    # Of the running drive: one place, passed on two laps that odometry lays 9 m apart.
    laps = SequenceFilter(CONFIG)
    for place in 2.0 * np.arange(10):
        both = poses([100 + place, 50, 0], [100 + place, 59, 0])
        laps.add(along_x(place), both, ids(7, 7), np.array([0.0, 360.0]))
    assert laps.ambiguity(along_x(20), ids(7)) == 0
    # The best of two maps, or of two segments of one, are no rivals.
    of_two = SequenceFilter(CONFIG)
    for place in 2.0 * np.arange(10):
        of_two.add(along_x(place), poses([100 + place, 50, 0], FAR_AWAY), ids(7, 8))
    assert of_two.ambiguity(along_x(20), ids(7, 8)).tolist() == [0, 0]


def test_a_map_of_elsewhere_in_which_all_fits_alike_makes_no_other_ambiguous() -> None:
    sequence = SequenceFilter(CONFIG)
    for place in 2.0 * np.arange(10):
        seen = poses([100 + place, 50, 0], FAR_AWAY, [700, 0, 0])
        sequence.add(along_x(place), seen, ids(7, 8, 8))
    # Whatever the order of the candidates; a map that nobody was asked of has nothing alike.
    assert sequence.ambiguity(along_x(20), ids(7, 8, 7, 9)).tolist() == [0, 1, 0, 0]
    assert sequence.support(along_x(20), poses([120, 50, 0]), ids(7)).tolist() == [1]


@pytest.mark.parametrize('odometry', [along_x, speed_only])
def test_standing_still_repeats_nothing(odometry: MakeOdometry) -> None:
    sequence = SequenceFilter(CONFIG)
    for _ in range(100):
        support = sequence.support(odometry(0), poses([100, 50, 0]), ids(7))
        assert np.isnan(support).all()
        sequence.add(odometry(0), poses([100, 50, 0]), ids(7))
    assert len(sequence.state()) == 1


def test_the_state_shows_what_is_remembered() -> None:
    sequence = SequenceFilter(CONFIG)
    for place in 0.5 * np.arange(101):  # 50 m
        sequence.add(along_x(place), poses([100 + place, 50, 0]), ids(7))
    state = sequence.state()
    assert [entry.odometry.travelled_m for entry in state] == list(range(32, 52, 2))
    assert state[0].poses.tolist() == [[132, 50, 0]]
    assert state[0].map_ids.tolist() == [7]
    sequence.clear()
    assert sequence.state() == ()


def test_queries_without_candidates_are_remembered_as_disagreeing() -> None:
    sequence = driven(along_x, 5)
    for place in (10.0, 12.0, 14.0, 16.0, 18.0):
        sequence.add(along_x(place), poses(), ids())
    support = sequence.support(along_x(20), poses([120, 50, 0]), ids(7))
    assert support.tolist() == [0.5]
    assert sequence.support(along_x(20), poses(), ids()).shape == (0,)


def test_queries_of_long_ago_are_forgotten() -> None:
    sequence = driven(along_x, 10)
    # 2 * 10 * 2 m back reaches to the queries at 16 and 18 m, which are too few to tell.
    assert np.isnan(sequence.support(along_x(56), poses([156, 50, 0]), ids(7))).all()
    sequence.add(along_x(56), poses([156, 50, 0]), ids(7))
    assert [entry.odometry.travelled_m for entry in sequence.state()] == [16, 18, 56]


@pytest.mark.parametrize(
    'unlinked',
    [
        OdometryPose(20.0, np.array([20.0, 0.0, 0.0]), segment=1),
        OdometryPose(-500.0, np.array([20.0, 0.0, 0.0])),
    ],
    ids=['another segment', 'distance jumped back'],
)
def test_a_broken_link_forgets_the_queries_before_it(unlinked: OdometryPose) -> None:
    sequence = driven(along_x, 10)
    assert np.isnan(sequence.support(unlinked, poses([120, 50, 0]), ids(7))).all()
    sequence.add(unlinked, poses([120, 50, 0]), ids(7))
    assert [entry.odometry for entry in sequence.state()] == [unlinked]


@pytest.mark.parametrize(
    ('before', 'between'), [(along_x, speed_only), (speed_only, along_x)], ids=['lost', 'found']
)
def test_a_query_without_odometry_keeps_the_witnesses_for_its_return(
    before: MakeOdometry, between: MakeOdometry
) -> None:
    sequence = driven(before, 10)
    # Its path is counted from elsewhere, and there is nothing that it is linked to.
    alone = between(5000)
    assert np.isnan(sequence.support(alone, poses([120, 50, 0]), ids(7))).all()
    for _ in range(3):  # standing still it is remembered once
        sequence.add(alone, poses([120, 50, 0]), ids(7))
    assert len(sequence.state()) == CONFIG.window
    assert sequence.state()[-1].odometry == alone
    support = sequence.support(before(22), poses([122, 50, 0], FAR_AWAY), ids(7, 7))
    assert support.tolist() == [1, 0]


def test_witnesses_of_before_are_pushed_out_by_a_way_without_odometry() -> None:
    sequence = driven(along_x, 10)
    for place in 2.0 * np.arange(10):
        sequence.add(speed_only(place), poses([100 + place, 50, 0]), ids(7))
    assert all(entry.odometry.planar is None for entry in sequence.state())
    assert len(sequence.state()) == CONFIG.window


@settings(max_examples=50, deadline=None)
@given(
    seed=st.integers(0, 10_000),
    frame=st.tuples(st.floats(-1e6, 1e6), st.floats(-1e6, 1e6), st.floats(-3.1, 3.1)),
    planar=st.booleans(),
)
def test_where_the_map_has_its_zero_does_not_matter(
    seed: int, frame: tuple[float, float, float], planar: bool
) -> None:
    rng = np.random.default_rng(seed)
    here, there = SequenceFilter(CONFIG), SequenceFilter(CONFIG)
    odometry: NDArray[np.float64] = np.zeros(3)
    for number in range(8):
        pose = OdometryPose(3.0 * number, odometry if planar else None)
        answers = compose(odometry, rng.normal(0, [1.5, 1.5, 0.2], (3, 3)))
        moved = compose(np.array(frame), answers)
        expected = here.support(pose, answers, ids(7, 7, 7))
        np.testing.assert_array_equal(there.support(pose, moved, ids(7, 7, 7)), expected)
        here.add(pose, answers, ids(7, 7, 7))
        there.add(pose, moved, ids(7, 7, 7))
        odometry = compose(odometry, np.array([3.0, 0.0, rng.normal(0, 0.2)]))


def test_shapes_that_do_not_fit_are_named() -> None:
    with pytest.raises(ValueError, match=r'poses have shape \(2,\).*expected \(K, 3\) and \(K,\)'):
        SequenceFilter().support(along_x(0), np.zeros(2), ids(7))
    with pytest.raises(ValueError, match=r'map_ids \(1,\)'):
        SequenceFilter().add(along_x(0), np.zeros((2, 3)), ids(7))


@pytest.mark.parametrize(
    ('name', 'value', 'message'),
    [
        ('window', 0, 'window is 0, expected at least 1'),
        ('spacing_m', -2.0, 'spacing_m is -2.0, expected 0 or more'),
        ('tolerance_m', math.nan, 'tolerance_m is nan'),
        ('yaw_tolerance_rad', math.inf, 'yaw_tolerance_rad is inf'),
        ('min_turn_radius_m', 0.0, 'min_turn_radius_m is 0.0, expected more than 0'),
    ],
)
def test_impossible_options_are_refused(name: str, value: float, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        SequenceConfig(**{name: value})  # type: ignore[arg-type]
