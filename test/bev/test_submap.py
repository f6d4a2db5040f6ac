# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Check submaps on posts beside a straight road."""

import numpy as np
from numpy.typing import NDArray
import pytest
from ssd_ros.bev.polar_bev import PolarGrid
from ssd_ros.bev.preprocessing import PreprocessingConfig
from ssd_ros.bev.submap import outstanding, submap_panorama, SubmapStream
from ssd_ros.motion.odometry import motion_between
from ssd_ros.radar.ego_velocity import EgoVelocity, Motion
from ssd_ros.radar.types import RadarPointCloud

# Rows of 10 m, columns of 30 degrees: every cell can be found by eye.
COARSE = PreprocessingConfig(grid=PolarGrid(num_ranges=15, num_azimuths=4))
POSTS_M = np.stack(np.meshgrid(np.arange(-100.0, 300.0, 10.0), [-9.0, 11.0]), axis=-1)
STEP_M = 1.0


@pytest.mark.parametrize(
    ('x', 'y', 'cell'),
    [
        (45.0, -1.0, (4, 0)),  # a little to the right of ahead
        (45.0, 1.0, (4, 11)),
        (1.0, 25.0, (2, 9)),  # left
        (-1.0, -25.0, (2, 3)),  # right
        (-45.0, 1.0, (4, 6)),  # behind, a little to the left
    ],
)
def test_a_return_lands_where_a_turn_of_a_spinning_radar_has_it(
    x: float, y: float, cell: tuple[int, int]
) -> None:
    returns = np.array([[x, y, 0.0, 25.0]], np.float32)
    image = submap_panorama(returns, COARSE, 50.0)
    assert image.shape == (15, 12)
    assert image[cell] == 200
    assert np.count_nonzero(image) == 1
    assert not submap_panorama(returns, COARSE, 20.0).any()


def scan_from(pose: NDArray[np.float64]) -> tuple[RadarPointCloud, EgoVelocity]:
    """Return the posts within 60 m and 60 degrees of a radar at a planar pose."""
    posts = np.column_stack([POSTS_M.reshape(-1, 2), np.zeros(POSTS_M.size // 2)])
    local = motion_between(pose, posts) * [1, 1, 0]
    seen = (np.hypot(*local.T[:2]) < 60) & (np.abs(np.arctan2(local[:, 1], local[:, 0])) < 1.04)
    xyz = local[seen].astype(np.float32)
    num = len(xyz)
    cloud = RadarPointCloud(0, xyz, np.full(num, 10.0, np.float32), np.zeros(num, np.float32))
    motion = EgoVelocity(Motion.UNKNOWN, np.zeros(3), np.full(3, np.inf), np.ones(num, bool))
    return cloud, motion


def test_a_submap_is_seen_all_around_from_its_middle_half_its_length_later() -> None:
    stream, found = SubmapStream(40.0, 10.0), []
    for number in range(101):
        pose = np.array([STEP_M * number, 0.0, 0.0])
        new = stream.add(*scan_from(pose), pose, 0, number)
        if new is not None:
            found.append((number, *new))
    assert [(number, tag) for number, tag, _ in found] == [
        (20 + 10 * place, 10 * place) for place in range(9)
    ]
    returns = found[4][2]
    local = POSTS_M.reshape(-1, 2) - [40.0, 0.0]
    around = local[np.abs(local[:, 0]) <= 10]
    # Each post near the middle was seen, those behind it, too, where it really is.
    apart_m = np.hypot(*(returns[:, None, :2] - around).transpose(2, 0, 1))
    assert apart_m.min(axis=0).max() < 1e-3
    assert apart_m.min(axis=1)[np.abs(returns[:, 0]) <= 4].max() < 1e-3


def test_what_stands_out_are_strong_returns_seen_repeatedly() -> None:
    post = np.array([[10.1, 5.1, 0.0, 20.0]] * 3)  # one cell
    once = np.array([[30.1, 5.1, 0.0, 25.0]])
    kerb = np.column_stack([np.linspace(-20, 20, 8), np.full(8, 3.1), np.zeros(8), np.zeros(8)])
    returns = np.concatenate([kerb, post, once]).astype(np.float32)
    np.testing.assert_array_equal(outstanding(returns), returns[8:11])
    louder = returns + np.array([0, 0, 0, 17], np.float32)
    np.testing.assert_array_equal(outstanding(louder), louder[8:11])
    assert len(outstanding(returns[:0])) == 0


def test_a_scan_without_a_tag_is_part_of_submaps_but_not_their_middle() -> None:
    stream, tags = SubmapStream(20.0, 5.0), []
    for number in range(40):
        pose = np.array([STEP_M * number, 0.0, 0.0])
        tag = number if number % 3 == 0 else None
        new = stream.add(*scan_from(pose), pose, 0, tag)
        tags += [] if new is None else [new[0]]
    assert tags == [0, 6, 12, 18, 24]
