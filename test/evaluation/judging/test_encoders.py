# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Check the tasks on cached drives with encoders whose answers are known."""

from __future__ import annotations

from dataclasses import replace
import math

import numpy as np
from numpy.typing import NDArray
import pytest
from ssd_ros.bev.beside import panorama_beside
from ssd_ros.bev.polar_bev import PolarGrid
from ssd_ros.evaluation.bev_cache import CachedDrive
from ssd_ros.evaluation.judging.encoders import calibrate, evaluate, mean_recall, retrieve
from ssd_ros.evaluation.queries.descriptors import Descriptors, Encoders, per_view
from ssd_ros.evaluation.queries.pairs import Pair, pairs_of, setting_of
from ssd_ros.evaluation.queries.protocol import Protocol
from ssd_ros.evaluation.scores.results import Result
from ssd_ros.recognition.answer import RecognizerConfig

GRID = PolarGrid(num_ranges=4, num_azimuths=4)
ALL = Protocol(database='B', query_m=0.0, num_views=12)
STEP_NS = 20_000_000_000  # between two places: those beside are nearer than 30 s


def drive(world: str, name: str, first_place: int, heading_deg: float = 0.0) -> CachedDrive:
    """
    Return ten places 10 m apart whose images tell place (row 0) and heading (row 1).

    Row 1 of a panorama counts columns from the world's east, so views differ by heading.
    """
    places = np.arange(first_place, first_place + 10)
    poses = np.column_stack([places * 10.0, np.zeros(10), np.full(10, math.radians(heading_deg))])
    turn = round(-heading_deg / 360 * 12)
    panoramas = np.zeros((10, 4, 12), np.uint8)
    panoramas[:, 0] = places[:, None] + 1
    panoramas[:, 1] = (np.arange(12) + turn) % 12 + 1
    students = np.zeros((10, 4, 4), np.uint8)
    students[:, 0] = places[:, None] + 1
    students[:, 1] = (np.arange(-2, 2) + turn) % 12 + 1
    stamps = np.arange(10, dtype=np.int64) * STEP_NS
    return CachedDrive(world, name, students, poses, stamps, panoramas, poses, stamps)


def encode(bevs: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Return unit vectors near each other only for one place and one heading."""
    place = np.eye(40)[bevs[:, 0, 0]]
    heading = np.eye(20)[bevs[:, 1, 0]]
    return (np.concatenate([place, heading], axis=1) / math.sqrt(2)).astype(np.float32)


ENCODERS = Encoders(encode, per_view(encode, GRID, 12))
MAPPING = drive('w', 'w/01', 0)


def ask(queries: CachedDrive, protocol: Protocol = ALL, task: str = 'multi') -> Result:
    return retrieve(Pair(task, MAPPING, queries), Descriptors(ENCODERS), protocol)


def test_a_perfect_encoder_finds_every_place_and_heading() -> None:
    records = ask(drive('w', 'w/02', 0, heading_deg=90.0)).records
    assert records.keyframes.tolist() == list(range(10))
    assert records.ranks.tolist() == [0] * 10
    np.testing.assert_allclose(records.yaw_errors_deg, 0, atol=1e-4)
    np.testing.assert_allclose(records.distances, 0, atol=1e-3)
    assert records.occupied_cells is not None
    assert records.occupied_cells.tolist() == [8] * 10


def test_queries_beyond_the_map_have_no_positive_and_are_left_out() -> None:
    score = ask(drive('w', 'w/02', 7)).score()
    assert (score.num_queries, score.num_left_out) == (3, 7)
    assert score.recall_at_1 == 1.0


def test_queries_of_another_place_are_never_right_even_at_the_same_coordinates() -> None:
    result = ask(drive('other', 'other/01', 0))
    assert not result.records.hits(10).any()
    assert not result.is_answerable


def test_the_ratio_compares_with_the_best_place_beyond_the_ambiguity_radius() -> None:
    queries = drive('w', 'w/02', 0)
    queries.student_bevs[:, 1] = 0  # the heading is lost: half of the vector is wrong
    records = ask(queries).records
    # Right place, wrong heading: distance sqrt(2 - 2 / 2) = 1; elsewhere sqrt 2.
    np.testing.assert_allclose(records.distances, 1, atol=1e-6)
    assert records.ratios is not None
    np.testing.assert_allclose(records.ratios, 1 / math.sqrt(2), atol=1e-6)


def test_the_ratio_is_bounded_by_as_many_rows_as_the_recogniser_looks_at() -> None:
    assert Protocol().search_rows == RecognizerConfig().search_rows
    # The first row is the right one, the second of distance 1 belongs to the same place.
    records = ask(drive('w', 'w/02', 0), replace(ALL, search_rows=2)).records
    assert records.ratios is not None
    np.testing.assert_allclose(records.ratios, 0, atol=1e-3)
    queries = drive('w', 'w/02', 0)
    queries.student_bevs[:, 1] = 0
    records = ask(queries, replace(ALL, search_rows=2)).records
    assert records.ratios is not None
    np.testing.assert_allclose(records.ratios, 1, atol=1e-6)


def test_recall_is_averaged_over_drives_of_a_task() -> None:
    shifted = drive('w', 'w/03', 0)
    shifted.student_bevs[:5, 0] += 5  # half of the places look like the other half
    drives = [MAPPING, drive('w', 'w/02', 0), shifted]
    results = evaluate(drives, ENCODERS, ALL)
    names = [(result.task, result.map_drive, result.query_drive) for result in results]
    assert names[:3] == [('single', name, name) for name in ('w/01', 'w/02', 'w/03')]
    assert names[3:] == [('multi', 'w/01', 'w/02'), ('multi', 'w/01', 'w/03')]
    assert mean_recall(results, 'single') == pytest.approx((1 + 1 + 0.5) / 3)
    assert mean_recall(results, 'multi') == pytest.approx((1 + 0.5) / 2)
    assert mean_recall(results, '4d') is None


def test_one_sensor_alone_looks_straight_ahead_and_tells_no_yaw() -> None:
    drives = [MAPPING, drive('w', 'w/02', 0)]
    for result in evaluate(drives, ENCODERS, ALL, ('4d', 'spinning')):
        assert (result.num_views, result.recall_at_1) == (1, 1.0)
        assert result.score().median_yaw_error_deg is None


def test_in_its_own_drive_a_sensor_must_come_back_to_find_a_place() -> None:
    # East past ten places, then past the same ones again.
    twice = [np.concatenate([field, field]) for field in (
        MAPPING.student_bevs, MAPPING.student_poses, MAPPING.panoramas, MAPPING.panorama_poses,
    )]  # fmt: skip
    stamps = np.arange(20, dtype=np.int64) * STEP_NS
    loop = CachedDrive('w', 'w/01', twice[0], twice[1], stamps, twice[2], twice[3], stamps)
    for task in ('4d_single', 'spinning_single'):
        (result,) = evaluate([loop], ENCODERS, ALL, (task,))
        assert result.records.keyframes.tolist() == [*range(10, 20), *range(10)]
        assert result.records.num_positives.tolist() == [1] * 20


def test_drives_without_the_sensor_take_no_part() -> None:
    blind = replace(
        drive('w', 'w/02', 0),
        panoramas=MAPPING.panoramas[:0],
        panorama_poses=MAPPING.panorama_poses[:0],
        panorama_stamps_ns=MAPPING.panorama_stamps_ns[:0],
    )
    names = {task: [pair.query_drive.name for pair in pairs_of([MAPPING, blind], task)]
             for task in ('single', 'multi', '4d', 'spinning')}  # fmt: skip
    assert names == {'single': ['w/01'], 'multi': ['w/02'], '4d': ['w/02'], 'spinning': []}


def test_the_three_databases_hold_what_the_papers_and_the_map_builder_hold() -> None:
    queries = drive('w', 'w/02', 0)
    queries.student_poses[:, 0] = np.array([1, 2, 3, 21, 22, 44, 58, 61, 500, 501])
    pair = Pair('multi', MAPPING, queries)
    entries = {
        name: setting_of(pair, replace(ALL, database=name, keyframe_m=20.0)).entries.tolist()
        for name in 'ABC'
    }
    assert entries['A'] == [0, 0, 0, 2, 2, 4, 6, 6]  # queries at 500 m are not accepted
    assert entries['B'] == list(range(10))
    assert entries['C'] == list(range(5))  # scans 0, 2, 4, 6, 8


def test_recall_with_database_a_counts_repeated_scans_as_entries() -> None:
    queries = drive('w', 'w/02', 0)
    queries.student_poses[:, 0] = 40  # ten times in one place, each looking like another one
    result = ask(queries, replace(ALL, database='A'))
    assert result.num_keyframes == 10
    assert result.records.keyframes.tolist() == [4] * 10  # nothing else can be found


def test_turned_scans_are_found_under_their_new_heading() -> None:
    protocol = replace(ALL, random_yaw_seed=7)
    turned, straight = ask(drive('w', 'w/02', 0), protocol), ask(drive('w', 'w/02', 0))
    poses = setting_of(Pair('multi', MAPPING, MAPPING), protocol).scan_poses
    assert len(np.unique(np.round(poses.yaws_rad, 3))) > 3
    for result in (turned, straight):
        assert result.recall_at_1 == 1.0
        np.testing.assert_allclose(result.records.yaw_errors_deg, 0, atol=1e-4)


@pytest.mark.parametrize('heading_deg', [0.0, 90.0, 180.0])
def test_whole_turns_are_found_with_any_heading(heading_deg: float) -> None:
    queries = drive('w', 'w/02', 0, heading_deg)
    pair = Pair('spinning_any', MAPPING, queries)
    setting = setting_of(pair, ALL)
    turned_deg = np.degrees(setting.query_poses.yaws_rad) - heading_deg
    # Each is turned by an angle of its own, a whole number of the 12 columns.
    assert len(np.unique(np.round(turned_deg) % 360)) > 4
    np.testing.assert_allclose(np.round(turned_deg / 30) * 30, turned_deg, atol=1e-6)
    result = retrieve(pair, Descriptors(ENCODERS), ALL)
    records = result.records
    assert (result.num_views, records.ranks.tolist()) == (12, [0] * 10)
    np.testing.assert_allclose(records.distances, 0, atol=1e-3)
    np.testing.assert_allclose(records.yaw_errors_deg, 0, atol=1e-4)
    # Elsewhere all headings are alike and no place is: the mean cosine is 1 / 2.
    assert records.ratios is not None
    np.testing.assert_allclose(records.ratios, 0, atol=1e-3)
    few = retrieve(pair, Descriptors(ENCODERS), replace(ALL, num_views=4))
    assert (few.num_views, few.recall_at_1) == (4, 1.0)


def test_a_map_of_both_lanes_has_a_scan_in_each() -> None:
    protocol = replace(ALL, opposite_lane_m=3.5)
    queries = drive('w', 'w/02', 0)
    setting = setting_of(Pair('multi', MAPPING, queries), protocol)
    assert setting.lanes_m.tolist() == [0.0, 3.5] * 10
    assert setting.scans.tolist() == np.repeat(np.arange(10), 2).tolist()
    beside = setting.scan_poses.positions_m[1::2] - setting.scan_poses.positions_m[::2]
    np.testing.assert_allclose(beside, [[0, 3.5, 0]] * 10, atol=1e-9)
    seen: list[NDArray[np.uint8]] = []

    def encode_panorama(panorama: NDArray[np.uint8]) -> NDArray[np.float32]:
        seen.append(panorama)
        return ENCODERS.teacher(MAPPING.panoramas[0])

    descriptors = Descriptors(Encoders(encode, encode_panorama), GRID)
    result = retrieve(Pair('multi', MAPPING, queries), descriptors, protocol)
    assert result.num_keyframes == 20
    for row in range(10):
        own = np.asarray(MAPPING.panoramas[row])
        np.testing.assert_array_equal(seen[2 * row], own)
        np.testing.assert_array_equal(seen[2 * row + 1], panorama_beside(own, GRID, 3.5))
    # What looks ahead of its own kind needs no other lane, nor does a whole turn.
    for task in ('4d', 'spinning', 'spinning_any'):
        assert not setting_of(Pair(task, MAPPING, queries), protocol).lanes_m.any()


def test_fewer_views_are_every_second_of_all() -> None:
    queries = drive('w', 'w/02', 0, heading_deg=30.0)  # the heading of view 11 of 12
    distances = {
        num: ask(queries, replace(ALL, num_views=num)).records.distances for num in (12, 6)
    }
    np.testing.assert_allclose(distances[12], 0, atol=1e-3)
    np.testing.assert_allclose(distances[6], 1, atol=1e-6)
    with pytest.raises(ValueError, match='5 views asked for, expected a divisor of the 12'):
        ask(queries, replace(ALL, num_views=5))


def test_every_image_is_encoded_once_for_all_tasks() -> None:
    calls = {'student': 0, 'teacher': 0}

    def student(bevs: NDArray[np.uint8]) -> NDArray[np.float32]:
        calls['student'] += len(bevs)
        return encode(bevs)

    def teacher(panorama: NDArray[np.uint8]) -> NDArray[np.float32]:
        calls['teacher'] += 1
        return ENCODERS.teacher(panorama)

    descriptors = Descriptors(Encoders(student, teacher))
    drives = [MAPPING, drive('w', 'w/02', 0)]
    evaluate(drives, descriptors, ALL, ('single', 'multi', '4d', 'spinning'))
    evaluate(drives, descriptors, replace(ALL, num_views=6, database='A'))
    assert calls == {'student': 20, 'teacher': 20}


def test_acceptance_is_calibrated_against_other_places_too() -> None:
    strangers = [drive('v', 'v/01', 0), drive('v', 'v/02', 0)]
    for one in strangers:
        one.student_bevs[:, 0] += 20
        one.panoramas[:, 0] += 20
    drives = [MAPPING, drive('w', 'w/02', 0), *strangers]
    limits = calibrate(drives, Descriptors(ENCODERS), ALL, 0.97)
    # Of 40 first answers 20 are of the own place, at no distance; strangers agree in heading: 1.
    assert limits.precision == 1.0
    assert limits.recall == 1.0
    assert limits.max_distance < 0.5


def test_unknown_tasks_and_databases_are_refused() -> None:
    with pytest.raises(ValueError, match="unknown task 'sonar'; choose from single, multi"):
        evaluate([MAPPING], ENCODERS, ALL, ('sonar',))
    with pytest.raises(ValueError, match="database is 'D'; choose from A, B, C"):
        Protocol(database='D')
    with pytest.raises(ValueError, match='radius_m is 0'):
        Protocol(radius_m=0)
    with pytest.raises(ValueError, match='v/01 has no query within 5 m of a scan of w/01'):
        ask(drive('v', 'v/01', 20), replace(ALL, database='A'))
