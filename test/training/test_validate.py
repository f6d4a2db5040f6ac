# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Check the retrieval protocol with encoders whose answers are known."""

import math

import numpy as np
from numpy.typing import NDArray
import pytest
from ssd_ros.polar_bev import PolarGrid
from ssd_ros.training.bev_cache import CachedDrive
from ssd_ros.training.validate import (
    build_map,
    evaluate,
    mean_recall,
    Protocol,
    retrieve,
)

GRID = PolarGrid(num_ranges=4, num_azimuths=4)
PROTOCOL = Protocol(keyframe_m=0.0, query_m=0.0, num_views=12, ambiguity_radius_m=25.0)


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
    stamps = np.arange(10, dtype=np.int64)
    return CachedDrive(world, name, students, poses, stamps, panoramas, poses, stamps)


def encode(bevs: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Return unit vectors near each other only for one place and one heading."""
    place = np.eye(40)[bevs[:, 0, 0]]
    heading = np.eye(20)[bevs[:, 1, 0]]
    return (np.concatenate([place, heading], axis=1) / math.sqrt(2)).astype(np.float32)


def test_a_perfect_encoder_finds_every_place_and_heading() -> None:
    place_map = build_map(drive('w', 'w/01', 0), encode, GRID, PROTOCOL)
    assert place_map.descriptors.shape == (10, 12, 60)
    turned = retrieve(drive('w', 'w/02', 0, heading_deg=90.0), encode, place_map, PROTOCOL)
    np.testing.assert_array_equal(turned.neighbours[:, 0], np.arange(10))
    assert turned.correct.all()
    np.testing.assert_allclose(turned.yaw_errors_rad, 0, atol=1e-6)
    np.testing.assert_allclose(turned.distances, 0, atol=1e-3)


def test_queries_beyond_the_map_have_no_positive_and_are_left_out() -> None:
    place_map = build_map(drive('w', 'w/01', 0), encode, GRID, PROTOCOL)
    result = retrieve(drive('w', 'w/02', 7), encode, place_map, PROTOCOL)
    summary = result.summary()
    assert (summary['num_queries'], summary['num_left_out']) == (3, 7)
    assert summary['recall_at_1'] == 1.0


def test_queries_of_another_world_are_never_right_even_at_the_same_coordinates() -> None:
    place_map = build_map(drive('w', 'w/01', 0), encode, GRID, PROTOCOL)
    result = retrieve(drive('other', 'other/01', 0), encode, place_map, PROTOCOL)
    assert not result.correct.any()


def test_the_ratio_compares_with_the_best_place_beyond_the_ambiguity_radius() -> None:
    place_map = build_map(drive('w', 'w/01', 0), encode, GRID, PROTOCOL)
    queries = drive('w', 'w/02', 0)
    queries.student_bevs[:, 1] = 0  # the heading is lost: half of the vector is wrong
    result = retrieve(queries, encode, place_map, PROTOCOL)
    # Right place, wrong heading: distance sqrt(2 - 2 / 2) = 1; elsewhere sqrt 2.
    np.testing.assert_allclose(result.distances, 1, atol=1e-6)
    np.testing.assert_allclose(result.ratios, 1 / math.sqrt(2), atol=1e-6)


def test_recall_is_averaged_over_drives_of_other_sessions_apart_from_the_maps_own() -> None:
    shifted = drive('w', 'w/03', 0)
    shifted.student_bevs[:5, 0] += 5  # half of the places look like the other half
    drives = [drive('w', 'w/01', 0), drive('w', 'w/02', 0), shifted]
    results = evaluate(drives, encode, encode, GRID, PROTOCOL)
    assert [result.is_multi_session for result in results] == [False, True, True]
    assert mean_recall(results, multi_session=False) == 1.0
    assert mean_recall(results, multi_session=True) == pytest.approx((1.0 + 0.5) / 2)
