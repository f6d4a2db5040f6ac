# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Check that a recorded drive gives the map that the running node would have saved."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
import pytest
from ssd_ros.datasets.poses import empty_trajectory
from ssd_ros.datasets.sequence import WithoutLidar
from ssd_ros.maps.live_session import LiveSession
from ssd_ros.motion.trajectory import Trajectory
from ssd_ros.radar.types import RadarPointCloud, SpinningRadarScan
from ssd_ros.recognition.answer import RecognizerConfig, SensorPose
from ssd_ros.recognition.offline.drive_map import map_of_clouds
from ssd_ros.recognition.place_recognizer import PlaceRecognizer
from support.posts import small_encoder, straight_drive

POSTS = straight_drive(num=20)  # 10 m apart
FEW = RecognizerConfig(min_points=1)


@dataclass(frozen=True)
class Clouds(WithoutLidar):
    """A drive of which some scans are broken, empty or without a pose."""

    broken: tuple[int, ...] = ()
    empty: tuple[int, ...] = ()
    lost: tuple[int, ...] = ()
    name: str = 'posts'
    scan_stamps_ns: NDArray[np.int64] = field(default_factory=lambda: np.empty(0, np.int64))
    scan_poses: Trajectory = field(default_factory=empty_trajectory)

    @property
    def cloud_stamps_ns(self) -> NDArray[np.int64]:
        return POSTS.cloud_stamps_ns

    @property
    def cloud_poses(self) -> Trajectory:
        return POSTS.cloud_poses.select(~np.isin(np.arange(20), self.lost))

    def cloud(self, index: int) -> RadarPointCloud:
        if index in self.broken:
            raise ValueError('has 4 bytes, expected 20')
        cloud = POSTS.cloud(index)
        return cloud.select(np.zeros(len(cloud), bool)) if index in self.empty else cloud

    def scan(self, index: int) -> SpinningRadarScan:
        raise IndexError


@pytest.mark.parametrize('distance_m', [0.0, 2.0, 25.0])
def test_the_rows_are_those_of_a_live_session(tmp_path: Path, distance_m: float) -> None:
    encoder = small_encoder(tmp_path, '4d')
    live = LiveSession(encoder.contract.descriptor_size, distance_m)
    recognizer = PlaceRecognizer(encoder, [], FEW, live)
    poses = POSTS.cloud_poses
    for index in range(20):
        pose = SensorPose(poses.positions_m[index], poses.quaternions_xyzw[index])
        recognizer.process(POSTS.cloud(index), pose)
    database = map_of_clouds(Clouds(), encoder, distance_m, 'a survey', 'site', config=FEW)
    expected = live.to_map(database.info)
    assert len(database) == {0.0: 20, 2.0: 20, 25.0: 7}[distance_m]
    np.testing.assert_array_equal(database.descriptors(), expected.descriptors)
    np.testing.assert_array_equal(database.keyframes.stamps_ns, expected.keyframes.stamps_ns)
    np.testing.assert_array_equal(database.keyframes.positions_m, expected.keyframes.positions_m)
    for number, returns_cm in enumerate(expected.returns_cm):
        np.testing.assert_array_equal(database.keyframe(number).returns_cm, returns_cm)
    info = database.info
    assert (info.sensor, info.num_views, info.origin) == ('4d', 1, 'a survey')
    assert (info.source, info.map_frame_id) == ('posts', 'site')


def test_what_gives_no_place_is_left_out_and_counted(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    drive = Clouds(broken=(3,), empty=(5,), lost=(7, 8, 9))
    database = map_of_clouds(drive, small_encoder(tmp_path, '4d'), config=FEW)
    info = database.info
    assert (info.num_scans, info.num_without_pose, info.num_unreadable) == (20, 3, 1)
    left_out = sorted({*POSTS.cloud_stamps_ns} - {*database.keyframes.stamps_ns})
    assert left_out == POSTS.cloud_stamps_ns[[3, 5, 7, 8, 9]].tolist()
    assert 'posts: 3 scans without a pose make no place' in caplog.text


@pytest.mark.parametrize(
    ('drive', 'config', 'expected'),
    [
        (Clouds(lost=tuple(range(20))), {}, r'none of 20 4D radar scans has a pose .* 0 poses'),
        (Clouds(broken=tuple(range(20))), {}, r'10 of the first 10 .* expected 20'),
        (Clouds(empty=tuple(range(20))), {}, 'no scan with a pose shows the 30 static points'),
        (Clouds(), {'min_points': 99_999}, 'shows the 99999 static points'),
    ],
)
def test_a_map_of_nothing_is_refused(
    tmp_path: Path, drive: Clouds, config: dict[str, int], expected: str
) -> None:
    with pytest.raises(ValueError, match=expected):
        map_of_clouds(
            drive, small_encoder(tmp_path, '4d'), config=replace(RecognizerConfig(), **config)
        )
