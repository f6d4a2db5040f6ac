# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Check maps of submaps past posts, driven there and back in the lane beside."""

from dataclasses import replace
import math
from pathlib import Path

import numpy as np
import pytest
from ssd_ros.bev.preprocessing import scan_panorama
from ssd_ros.encoders.network import OnnxEncoder
from ssd_ros.maps.meta import MapError
from ssd_ros.maps.place_database import PlaceDatabase
from ssd_ros.maps.reposing import reposed
from ssd_ros.radar.types import RadarPointCloud
from ssd_ros.recognition.offline.submap_drive import map_of_submaps, submaps_of
from ssd_ros.recognition.place_recognizer import PlaceRecognizer
from support.posts import PostDrive, random_posts, SMALL, small_encoder, straight_drive

POSTS = random_posts(num=1500)
THERE = replace(straight_drive(num=121, step_m=1.0), posts=POSTS)
BACK = PostDrive(
    POSTS,
    np.stack([np.arange(121.0)[::-1], np.full(121, 3.5), np.full(121, math.pi)], axis=1),
    name='Posts/02',
)
OWN_LANE = (0.0,)


@pytest.fixture(scope='module')
def teacher(tmp_path_factory: pytest.TempPathFactory) -> OnnxEncoder:
    return small_encoder(tmp_path_factory.mktemp('submaps'), 'spinning')


@pytest.fixture(scope='module')
def database(teacher: OnnxEncoder) -> PlaceDatabase:
    return map_of_submaps(THERE, teacher, 40.0, 10.0, 'corner of the yard', 'yard')


def test_each_place_is_a_keyframe_in_three_lanes(database: PlaceDatabase) -> None:
    positions_m = database.keyframes.positions_m.reshape(-1, 3, 3)
    # 20 m before the end of the drive is the last place whose submap is whole.
    np.testing.assert_allclose(positions_m[:, 0, 0], np.arange(0, 101, 10))
    np.testing.assert_allclose(positions_m[:, :, 1], [[0.0, 3.5, -3.5]] * 11, atol=1e-12)
    assert (np.diff(database.keyframes.stamps_ns) > 0).all()
    info = database.info
    assert (info.sensor, info.submap_m, info.num_views, len(database)) == ('4d', 40.0, 36, 33)
    assert (info.origin, info.map_frame_id, info.num_scans) == ('corner of the yard', 'yard', 121)
    assert database.confidence is None


def test_the_way_back_is_found_in_the_lane_beside_and_turned_round(
    teacher: OnnxEncoder, database: PlaceDatabase
) -> None:
    num_right = 0
    asked = list(submaps_of(BACK, SMALL, 40.0, 10.0, OWN_LANE))
    assert len(asked) == 11
    for submap in asked:
        found = database.search_turn(teacher.encode_panorama(submap.panorama), 3)
        apart_m = database.positions_m(found.keyframes[:1])[0] - submap.pose.position_m
        if np.hypot(*apart_m[:2]) < 1:
            num_right += 1
            assert abs(found.yaws_rad[0]) == pytest.approx(math.pi, abs=math.radians(5))
    assert num_right >= 9


def test_a_spinning_radar_that_comes_back_finds_them_too(
    teacher: OnnxEncoder, database: PlaceDatabase
) -> None:
    num_right = 0
    for index in range(30, 91, 10):
        ring = teacher.encode_panorama(scan_panorama(BACK.scan(index), SMALL))
        first = database.search_turn(ring, 1).keyframes
        apart_m = database.positions_m(first)[0] - BACK.scan_poses.positions_m[index]
        num_right += bool(np.hypot(*apart_m[:2]) < 5)
    assert num_right >= 5


def test_a_map_of_submaps_comes_back_from_its_files(
    database: PlaceDatabase, tmp_path: Path
) -> None:
    database.save(tmp_path / 'yard.map')
    loaded = PlaceDatabase.load(tmp_path / 'yard.map')
    assert loaded.info == database.info
    np.testing.assert_array_equal(loaded.descriptors(), database.descriptors())
    loaded.require_turns()


def test_of_single_windows_nothing_is_accepted(database: PlaceDatabase, tmp_path: Path) -> None:
    recognizer = PlaceRecognizer(small_encoder(tmp_path, '4d'), [database])
    found = recognizer.process(THERE.cloud(50))
    assert found.candidates
    assert {one.decision.kind for one in found.candidates} == {'rejected'}
    assert found.decision.reason.startswith(
        'the map is of submaps, in which whole turns are found'
    )


def test_other_poses_are_refused_to_a_map_of_submaps(database: PlaceDatabase) -> None:
    with pytest.raises(MapError, match='keyframes of this map are submaps'):
        reposed(database, database.keyframes, 'other.txt')


def test_a_drive_shorter_than_half_a_submap_makes_no_map(teacher: OnnxEncoder) -> None:
    with pytest.raises(ValueError, match='no 75 m of way with poses, that a submap of 150 m'):
        map_of_submaps(straight_drive(num=20, step_m=1.0), teacher, 150.0)


class Damaged(PostDrive):
    """A drive of which most clouds cannot be read."""

    def cloud(self, index: int) -> RadarPointCloud:
        if index % 4:
            raise ValueError('cut off')
        return super().cloud(index)


def test_a_drive_most_of_whose_clouds_cannot_be_read_makes_no_map(teacher: OnnxEncoder) -> None:
    damaged = Damaged(THERE.posts, THERE.xy_yaw)
    with pytest.raises(ValueError, match='10 of the first 14 4D radar scans cannot be used'):
        map_of_submaps(damaged, teacher, 40.0)


def test_a_spinning_radar_makes_no_submaps(database: PlaceDatabase) -> None:
    with pytest.raises(MapError, match='submap_m is 40, expected 0 for sensor spinning'):
        replace(database.info, sensor='spinning')
