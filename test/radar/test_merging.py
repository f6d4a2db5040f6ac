# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Check that several radars see one world: a wall that two of them look at from a moving car."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray
import pytest
from ssd_ros.radar.ego_velocity import EgoVelocityConfig, estimate_ego_velocity, Motion
from ssd_ros.radar.merging import merge_clouds, MergeConfig, PlacedCloud, RadarMerger
from ssd_ros.radar.types import RadarPointCloud

MILLISECOND_NS = 1_000_000
NOW_NS = 1_700_000_000 * 1000 * MILLISECOND_NS
SPEED_MPS = 10.0

# A wall along the road, 6 m to the left, in the frame of the car: x from 10 to 40 m, three high.
WALL_M = np.stack([np.linspace(10, 40, 31), np.full(31, 6.0), np.arange(31) % 3], axis=1)


def placed_at(x: float, y: float, yaw_deg: float) -> NDArray[np.float64]:
    """Return T_car_radar of a radar 0.5 m above the ground."""
    pose = np.eye(4)
    c, s = math.cos(math.radians(yaw_deg)), math.sin(math.radians(yaw_deg))
    pose[:2, :2] = [[c, -s], [s, c]]
    pose[:3, 3] = x, y, 0.5
    return pose


FRONT = placed_at(3.5, 0.0, 0.0)
LEFT = placed_at(3.0, 0.9, 50.0)


def seen(
    car_radar: NDArray[np.float64],
    points_m: NDArray[np.float64],
    stamp_ns: int = NOW_NS,
    velocity_mps: tuple[float, float, float] = (0.0, 0.0, 0.0),
    frame_id: str = 'radar',
) -> RadarPointCloud:
    """
    Return points of the car's frame as a radar of the car measures them.

    :param velocity_mps: of the points over the ground; the car drives along x
    """
    rotation = car_radar[:3, :3]
    xyz_m = (points_m - car_radar[:3, 3]) @ rotation
    relative_mps = (np.array(velocity_mps) - [SPEED_MPS, 0, 0]) @ rotation
    radial_mps = xyz_m @ relative_mps / np.linalg.norm(xyz_m, axis=1)
    rcs_dbsm = np.full(len(xyz_m), 10, np.float32)
    return RadarPointCloud(
        stamp_ns, xyz_m.astype(np.float32), rcs_dbsm, radial_mps.astype(np.float32), frame_id
    )


def left(cloud: RadarPointCloud) -> PlacedCloud:
    return PlacedCloud(cloud, np.linalg.inv(FRONT) @ LEFT)


def test_two_radars_see_a_wall_at_the_same_place_and_at_the_same_speed() -> None:
    primary = seen(FRONT, WALL_M, frame_id='front')
    merged = merge_clouds(primary, [left(seen(LEFT, WALL_M))])
    assert (len(merged), merged.frame_id, merged.stamp_ns) == (62, 'front', NOW_NS)
    np.testing.assert_allclose(merged.xyz_m[31:], primary.xyz_m, atol=1e-5)
    # As the primary radar would have measured them, though the other one looks elsewhere.
    np.testing.assert_allclose(
        merged.radial_velocity_mps[31:], primary.radial_velocity_mps, atol=1e-4
    )
    motion = estimate_ego_velocity(
        merged.xyz_m, merged.rcs_dbsm, merged.radial_velocity_mps, EgoVelocityConfig()
    )
    np.testing.assert_allclose(motion.velocity_mps, [SPEED_MPS, 0, 0], atol=1e-3)
    assert motion.usable.all()


def test_an_older_scan_is_moved_to_the_time_of_the_primary_one() -> None:
    # 50 ms before, the car was half a metre behind: the wall was farther ahead of it.
    before_m = WALL_M + np.array([0.5, 0, 0])
    other = seen(LEFT, before_m, NOW_NS - 50 * MILLISECOND_NS)
    merged = merge_clouds(seen(FRONT, WALL_M), [left(other)])
    np.testing.assert_allclose(merged.xyz_m[31:], merged.xyz_m[:31], atol=1e-4)


def test_what_moves_is_left_out_by_the_radar_that_sees_it() -> None:
    car_ahead_m = np.array([[20.0, 9.0, 0.5], [21.0, 9.0, 0.5]])
    still, moving = seen(LEFT, WALL_M), seen(LEFT, car_ahead_m, velocity_mps=(-8.0, 0.0, 0.0))
    both = RadarPointCloud(
        NOW_NS,
        np.concatenate([still.xyz_m, moving.xyz_m]),
        np.concatenate([still.rcs_dbsm, moving.rcs_dbsm]),
        np.concatenate([still.radial_velocity_mps, moving.radial_velocity_mps]),
    )
    assert len(merge_clouds(seen(FRONT, WALL_M), [left(both)])) == 31 + 31


def test_only_the_field_of_view_of_the_primary_radar_is_kept() -> None:
    # 4 m beside the radar and 1, 2, 3 m ahead of it: at 76, 63 and 53 degrees.
    beside_m = np.array([[4.5, 4.0, 0.5], [5.5, 4.0, 0.5], [6.5, 4.0, 0.5]])
    other = seen(LEFT, np.concatenate([WALL_M, beside_m]))
    primary = seen(FRONT, WALL_M)
    assert len(merge_clouds(primary, [left(other)])) == 31 + 31 + 1
    assert len(merge_clouds(primary, [left(other)], MergeConfig(fov_deg=130.0))) == 31 + 31 + 2


def test_a_radar_whose_own_speed_is_unknown_adds_nothing() -> None:
    primary, two_points = seen(FRONT, WALL_M), seen(LEFT, WALL_M[:2])
    assert merge_clouds(primary, [left(two_points)]) is primary


def test_a_primary_radar_that_sees_next_to_nothing_takes_the_speed_of_another() -> None:
    primary = seen(FRONT, WALL_M[:1])
    config = EgoVelocityConfig()
    alone = estimate_ego_velocity(
        primary.xyz_m, primary.rcs_dbsm, primary.radial_velocity_mps, config
    )
    assert alone.motion is Motion.UNKNOWN
    merged = merge_clouds(primary, [left(seen(LEFT, WALL_M))])
    motion = estimate_ego_velocity(
        merged.xyz_m, merged.rcs_dbsm, merged.radial_velocity_mps, config
    )
    np.testing.assert_allclose(motion.velocity_mps, [SPEED_MPS, 0, 0], atol=0.01)


def test_the_newest_scan_of_each_other_radar_adds_once() -> None:
    merger, primary = RadarMerger(), seen(FRONT, WALL_M)
    merger.hold('left', left(seen(LEFT, WALL_M[:10])))
    merger.hold('left', left(seen(LEFT, WALL_M[:20])))
    merger.hold('other', left(seen(LEFT, WALL_M[:5])))
    assert len(merger.merged(primary)) == 31 + 20 + 5
    assert merger.merged(primary) is primary


@pytest.mark.parametrize(('age_ms', 'num_points'), [(150, 62), (151, 31), (-150, 62), (-151, 31)])
def test_a_scan_too_far_away_in_time_is_left_out(age_ms: int, num_points: int) -> None:
    merger = RadarMerger()
    merger.hold('left', left(seen(LEFT, WALL_M, NOW_NS - age_ms * MILLISECOND_NS)))
    assert len(merger.merged(seen(FRONT, WALL_M))) == num_points
