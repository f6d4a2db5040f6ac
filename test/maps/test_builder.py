# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Check which scans of a drive become keyframes and that their views are encoded in order."""

from __future__ import annotations

from dataclasses import dataclass, replace
import logging
import math
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
import pytest
from ssd_ros.bev.polar_bev import view_yaws_rad
from ssd_ros.bev.preprocessing import scan_panorama
from ssd_ros.datasets.sequence import RadarSequence
from ssd_ros.encoders.network import OnnxEncoder
from ssd_ros.maps.builder import build_database, encode_views
from ssd_ros.motion.trajectory import Trajectory
from ssd_ros.recognition.place_recognizer import PlaceRecognizer
from support.posts import DESCRIPTOR_SIZE, PostDrive, small_encoder, SPACE, straight_drive


def views_of(drive: RadarSequence, teacher: OnnxEncoder, num: int) -> NDArray[np.float32]:
    panorama = scan_panorama(drive.scan(0), teacher.contract.preprocessing)
    return encode_views(panorama, teacher, num)


@pytest.fixture
def teacher(tmp_path: Path) -> OnnxEncoder:
    return small_encoder(tmp_path, 'spinning')


def test_the_drive_of_the_helpers_is_a_sequence() -> None:
    assert isinstance(straight_drive(), RadarSequence)


def test_keyframes_stand_the_asked_distance_apart(teacher: OnnxEncoder) -> None:
    drive = straight_drive(num=9, step_m=1.0)
    places = build_database(drive, teacher, num_views=4, keyframe_distance_m=2.0)
    np.testing.assert_allclose(places.keyframes.positions_m[:, 0], [0, 2, 4, 6, 8])
    np.testing.assert_array_equal(places.keyframes.stamps_ns, drive.scan_stamps_ns[::2])
    assert places.num_rows == 5 * 4
    assert places.descriptor_size == DESCRIPTOR_SIZE


def test_the_map_says_where_it_comes_from(teacher: OnnxEncoder) -> None:
    places = build_database(straight_drive(num=3), teacher, num_views=4, origin='UTM 52N')
    info = places.info
    assert (info.source, info.origin, info.num_views) == ('Posts/01', 'UTM 52N', 4)
    assert (info.descriptor_space, info.encoder_digest) == (SPACE, teacher.digest)
    assert (info.num_scans, info.num_without_pose, info.num_unreadable) == (3, 0, 0)


def test_view_j_of_a_place_is_view_0_seen_by_a_radar_turned_by_its_yaw(
    teacher: OnnxEncoder,
) -> None:
    yaw_rad = view_yaws_rad(36)[5]
    assert np.degrees(yaw_rad) == pytest.approx(-50)
    forward = views_of(straight_drive(num=1), teacher, 36)
    turned = views_of(straight_drive(num=1, yaw_rad=float(yaw_rad)), teacher, 36)
    # The posts fall on columns of 0.9 degrees, so turning moves one by up to half of that.
    assert forward[5] @ turned[0] > 0.95
    assert forward[0] @ turned[0] < 0.8


def test_fewer_views_are_every_kth_of_all(teacher: OnnxEncoder) -> None:
    every = views_of(straight_drive(num=1), teacher, 36)
    assert every.shape == (36, DESCRIPTOR_SIZE)
    np.testing.assert_array_equal(views_of(straight_drive(num=1), teacher, 9), every[::4])


def test_progress_counts_to_the_expected_number(teacher: OnnxEncoder) -> None:
    calls: list[tuple[int, int]] = []
    build_database(
        straight_drive(num=3), teacher, num_views=4, progress=lambda *call: calls.append(call)
    )
    assert calls == [(1, 3), (2, 3), (3, 3)]


def test_an_unreadable_scan_is_replaced_by_the_next(
    teacher: OnnxEncoder, caplog: pytest.LogCaptureFixture
) -> None:
    drive = replace(straight_drive(num=9, step_m=1.0), unreadable={2, 3})
    with caplog.at_level(logging.WARNING):
        places = build_database(drive, teacher, num_views=4)
    np.testing.assert_allclose(places.keyframes.positions_m[:, 0], [0, 4, 6, 8])
    assert places.info.num_unreadable == 2
    assert 'Posts/01: left out scan 2: scan 2 is damaged' in caplog.text


@dataclass
class SparselyPosedDrive(PostDrive):
    """A drive with poses for its even scans only."""

    @property
    def scan_poses(self) -> Trajectory:
        return super().scan_poses.select(np.arange(0, len(self.xy_yaw), 2))


def test_scans_without_a_pose_are_left_out_and_counted(
    teacher: OnnxEncoder, caplog: pytest.LogCaptureFixture
) -> None:
    full = straight_drive(num=6)
    drive = SparselyPosedDrive(full.posts, full.xy_yaw)
    with caplog.at_level(logging.WARNING):
        places = build_database(drive, teacher, num_views=4)
    np.testing.assert_allclose(places.keyframes.positions_m[:, 0], [0, 20, 40])
    assert places.info.num_without_pose == 3
    assert 'left out 3 scans without a pose' in caplog.text


def test_a_drive_that_leaves_nothing_is_an_error(teacher: OnnxEncoder) -> None:
    drive = straight_drive(num=2)
    message = '2 of the first 2 scans cannot be used, the last because: scan 1 is damaged'
    with pytest.raises(ValueError, match=message):
        build_database(replace(drive, unreadable={0, 1}), teacher, num_views=4)
    with pytest.raises(ValueError, match='has no spinning radar scans'):
        build_database(replace(drive, xy_yaw=np.empty((0, 3))), teacher)


def test_a_drive_without_poses_is_an_error(teacher: OnnxEncoder) -> None:
    @dataclass
    class Unposed(PostDrive):
        @property
        def scan_poses(self) -> Trajectory:
            return super().scan_poses.select(np.empty(0, np.int64))

    drive = straight_drive(num=2)
    with pytest.raises(ValueError, match='none of 2 spinning radar scans has a pose'):
        build_database(Unposed(drive.posts, drive.xy_yaw), teacher)


def test_what_a_map_cannot_hold_is_refused_before_a_scan_is_read(teacher: OnnxEncoder) -> None:
    unread = replace(straight_drive(num=3), unreadable={0, 1, 2})
    with pytest.raises(ValueError, match=r"map_frame_id is 'a\\nb' of 3 characters"):
        build_database(unread, teacher, map_frame_id='a\nb')
    with pytest.raises(ValueError, match=r'map_frame_id is .* expected 1'):
        build_database(unread, teacher, map_frame_id='')
    with pytest.raises(ValueError, match=r'origin is .* of 5000 characters'):
        build_database(unread, teacher, origin='a' * 5000)
    unread.step_ns = 1 << 60
    with pytest.raises(ValueError, match=r'has the stamp \d+ ns, expected 0 to before 2\^31 s'):
        build_database(unread, teacher)


@pytest.mark.parametrize(
    ('num_views', 'distance_m', 'message'),
    [
        (7, 2.0, '7 views do not divide the 36 that the teacher gives'),
        (72, 2.0, '72 views do not divide the 36'),
        (0, 2.0, '0 views do not divide'),
        (36, -1.0, 'keyframe_distance_m is -1'),
        (36, float('nan'), 'keyframe_distance_m is nan'),
    ],
)
def test_impossible_options_are_refused_before_a_scan_is_read(
    teacher: OnnxEncoder, num_views: int, distance_m: float, message: str
) -> None:
    drive = replace(straight_drive(num=1), unreadable={0})
    with pytest.raises(ValueError, match=message):
        build_database(drive, teacher, num_views, distance_m)


def test_the_lane_beside_is_seen_by_a_keyframe_of_its_own(teacher: OnnxEncoder) -> None:
    drive = straight_drive(num=12, yaw_rad=0.0)
    plain = build_database(drive, teacher)
    both = build_database(drive, teacher, opposite_lane_m=3.5)
    assert both.info.opposite_lane_m == 3.5
    own = np.arange(len(plain)) * 2
    np.testing.assert_array_equal(both.keyframes.stamps_ns[own], plain.keyframes.stamps_ns)
    np.testing.assert_array_equal(both.returns_cm[own], plain.returns_cm)
    by_keyframe = both.descriptors().reshape(len(both), -1, DESCRIPTOR_SIZE)
    np.testing.assert_array_equal(
        by_keyframe[own].reshape(-1, DESCRIPTOR_SIZE), plain.descriptors()
    )
    np.testing.assert_allclose(
        both.keyframes.positions_m[own + 1] - plain.keyframes.positions_m, [[0, 3.5, 0]] * 12
    )
    # A keyframe beside says the same again: of the poses it tells nothing.
    assert both.info.pose_misfit_m == plain.info.pose_misfit_m


def test_who_comes_the_other_way_is_nearest_to_the_keyframe_in_its_lane(
    teacher: OnnxEncoder, tmp_path: Path
) -> None:
    drive = straight_drive(num=8)
    poses = drive.xy_yaw[::-1] + np.array([0.0, 3.5, np.pi])
    back = replace(drive, xy_yaw=poses)
    both = build_database(drive, teacher, opposite_lane_m=3.5)
    recognizer = PlaceRecognizer(small_encoder(tmp_path, '4d'), [both])
    for index in range(len(poses)):
        first = recognizer.process(back.cloud(index)).candidates[0]
        assert first.keyframe_id == 2 * (7 - index) + 1
        assert math.cos(first.relative_yaw_rad) < -0.99
        assert math.hypot(first.relative_x_m, first.relative_y_m) < 1.6  # a cell


def test_a_lane_farther_away_than_any_is_refused_before_the_work(teacher: OnnxEncoder) -> None:
    with pytest.raises(ValueError, match='opposite_lane_m is 350'):
        build_database(straight_drive(), teacher, opposite_lane_m=350.0)
