# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Check that poses are kept, mended or refused, and that it is said."""

import numpy as np
import pytest
from ssd_ros.datasets.pose_check import check_poses, require_one_place
from ssd_ros.motion.trajectory import Trajectory, wrap_angle
from support.wheels import drive_on_wheels


def shifted(poses: Trajectory, part: slice, offset_m: tuple[float, float]) -> Trajectory:
    positions_m = poses.positions_m.copy()
    positions_m[part, :2] += offset_m
    return Trajectory(poses.stamps_ns, positions_m, poses.quaternions_xyzw)


@pytest.mark.parametrize('offset_deg', [0.0, -4.0])
def test_headings_that_fit_are_kept_to_the_bit(offset_deg: float) -> None:
    poses, _ = drive_on_wheels(offset_deg=offset_deg, max_curvature=0.15)
    checked = check_poses(poses, 'Library/01')
    np.testing.assert_array_equal(checked.poses.quaternions_xyzw, poses.quaternions_xyzw)
    assert 'headings kept' in checked.note
    assert 'lever arm 3.7 m' in checked.note


@pytest.mark.parametrize('offset_deg', [178.7, -43.0, 12.5, 6.0])
def test_a_constant_offset_is_taken_off(offset_deg: float) -> None:
    poses, yaws_rad = drive_on_wheels(offset_deg=offset_deg)
    checked = check_poses(poses, 'Bridge/01')
    off_deg = np.degrees(np.abs(wrap_angle(checked.poses.yaws_rad - yaws_rad)))
    assert off_deg.max() < 0.1
    assert f'headings turned by {-offset_deg:+.1f} degrees' in checked.note
    assert '--heading file' in checked.note


def test_headings_that_drift_are_refused_with_the_way_out() -> None:
    poses, yaws_rad = drive_on_wheels(offset_deg=29.0, drift_deg=32.0)
    with pytest.raises(ValueError, match=r'^Parking_Lot/01: .*off by \+4\d degrees.*--heading'):
        check_poses(poses, 'Parking_Lot/01')
    kept = check_poses(poses, 'Parking_Lot/01', 'file')
    assert kept.poses is not None
    np.testing.assert_array_equal(kept.poses.quaternions_xyzw, poses.quaternions_xyzw)
    made = check_poses(poses, 'Parking_Lot/01', 'motion:3.7')
    off_deg = np.degrees(np.abs(wrap_angle(made.poses.yaws_rad - yaws_rad)))
    assert np.percentile(off_deg, 90) < 2
    by_hand = check_poses(poses, 'Parking_Lot/01', '-45')
    off_deg = np.degrees(np.abs(wrap_angle(by_hand.poses.yaws_rad - yaws_rad)))
    assert off_deg.max() == pytest.approx(16, abs=0.1)


def test_headings_that_cannot_be_mended_come_from_the_course_if_that_is_asked() -> None:
    poses, yaws_rad = drive_on_wheels(offset_deg=29.0, drift_deg=32.0)
    checked = check_poses(poses, 'yard', 'auto:3.7')
    off_deg = np.degrees(np.abs(wrap_angle(checked.poses.yaws_rad - yaws_rad)))
    assert np.percentile(off_deg, 90) < 2
    assert checked.note.startswith(
        'headings from the course, lever arm 3.7 m; those given are off'
    )
    right, _ = drive_on_wheels()
    kept = check_poses(right, 'yard', 'auto:3.7').poses
    np.testing.assert_array_equal(kept.quaternions_xyzw, right.quaternions_xyzw)


def test_reversing_is_told_where_headings_come_from_the_course() -> None:
    poses, _ = drive_on_wheels(drift_deg=80.0, reverse=0.3)
    note = check_poses(poses, 'yard', 'motion:3.7').note
    assert '; wrong by 180 degrees where it reversed, 25% of the way' in note
    with pytest.raises(ValueError, match='its headings do not fit its course'):
        check_poses(poses, 'yard', 'auto:3.7')


def test_a_lever_arm_that_no_vehicle_has_is_told() -> None:
    poses, _ = drive_on_wheels(lever_arm_m=12.0)
    with pytest.raises(ValueError, match=r'only a sensor 12\.0 m ahead of the rear axle would'):
        check_poses(poses, 'yard')


def test_what_is_too_short_to_check_is_kept_and_said() -> None:
    poses, _ = drive_on_wheels(duration_s=2.0, offset_deg=90.0)
    assert check_poses(poses, 'yard').note.startswith(
        'headings kept; they could not be checked: only 8 m'
    )
    empty = poses.select(np.zeros(0, np.int64))
    assert len(check_poses(empty, 'yard').poses) == 0


def test_stray_poses_are_left_out_and_told() -> None:
    poses, _ = drive_on_wheels()
    checked = check_poses(shifted(poses, slice(700, 703), (443_000.0, 0.0)), 'yard')
    assert len(checked.poses) == len(poses) - 3
    assert 'left out 3 of 2400 poses that no vehicle reaches' in checked.note
    assert np.ptp(checked.poses.positions_m[:, 0]) < 2000


@pytest.mark.parametrize('heading', ['auto', 'file', 'motion'])
def test_a_drive_in_two_frames_is_refused(heading: str) -> None:
    poses, _ = drive_on_wheels()
    with pytest.raises(
        ValueError,
        match=rf'^yard: its poses jump by 443\.0 km at stamp {poses.stamps_ns[1200]}, from',
    ):
        check_poses(shifted(poses, slice(1200, None), (443_000.0, 0.0)), 'yard', heading)


def test_a_step_of_the_gps_is_told() -> None:
    poses, _ = drive_on_wheels()
    checked = check_poses(shifted(poses, slice(1200, None), (0.0, 36.0)), 'yard')
    assert len(checked.poses) == len(poses)
    assert 'headings kept, ' in checked.note
    assert 'its poses jump by 36 m' in checked.note


def test_poses_that_are_everywhere_are_refused() -> None:
    poses, _ = drive_on_wheels()
    positions_m = np.random.default_rng(0).uniform(0, 1e6, (len(poses), 3))
    with pytest.raises(ValueError, match='between which no vehicle gets in time'):
        check_poses(Trajectory(poses.stamps_ns, positions_m, poses.quaternions_xyzw), 'yard')


def test_drives_of_other_origins_are_refused_by_name() -> None:
    here = drive_on_wheels()[0].positions_m
    near, local = here - (5000.0, 0.0, 0.0), here - (320_000.0, 4_150_000.0, 0.0)
    places = [('none', here[:0], 'a'), ('01', here, 'a'), ('02', near[:, :2], 'a')]
    require_one_place([*places, ('03', local, 'another frame')])
    with pytest.raises(ValueError, match=r'^03 lies 4,162 km from 01: their origins or UTM zones'):
        require_one_place([*places, ('03', local, 'a')])
