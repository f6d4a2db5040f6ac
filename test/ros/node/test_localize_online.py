# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Drive the same road twice without a map: the localizer finds the first drive, and saves it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
import json
import math
from pathlib import Path
import signal

from diagnostic_msgs.msg import DiagnosticStatus
import numpy as np
from numpy.typing import NDArray
import pytest
from sensor_msgs.msg import PointCloud2
from ssd_ros.datasets.poses import empty_trajectory
from ssd_ros.datasets.sequence import WithoutLidar
from ssd_ros.maps.cells.database import open_map
from ssd_ros.maps.live_session import LIVE_MAP_ID
from ssd_ros.maps.place_database import PlaceDatabase
from ssd_ros.motion.trajectory import Trajectory
from ssd_ros.radar.types import RadarPointCloud, SpinningRadarScan
from ssd_ros.recognition import candidates
from ssd_ros.recognition.answer import RecognizerConfig
from ssd_ros.recognition.candidates import Flag
from ssd_ros.recognition.offline.drive_map import map_of_clouds
from ssd_ros.ros.health.texts import SESSION_FULL
from std_msgs.msg import Float64MultiArray, String
from std_srvs.srv import Trigger
from support.localizer import (
    DRIVE,
    integer,
    LATCHED,
    Localizer,
    NODE,
    odometry_msg,
    running_localizer,
    set_parameter,
    text,
)
from support.posts import small_encoder, write_small_encoder
from support.ros import Peer, Processes

# The base is 1.5 m behind the radar; odometry starts at 1000 m.
START_X_M, LEVER_M = 1000.0, 1.5
NUM_PLACES = 6


@pytest.fixture
def localizer(peer: Peer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Localizer]:
    """Start a node for each test: what it remembers is what they are about."""
    directory = tmp_path_factory.mktemp('online')
    with running_localizer(
        peer,
        directory,
        index_path="''",
        online_index=True,
        exclude_recent=5.0,
        radar_extrinsics=[LEVER_M, 0.0, 0.0, 0.0, 0.0, 0.0],
        publish_loop_closure_stamps=True,
        session_directory=directory,
        session_path='session.ssd',
    ) as running:
        yield running


def test_without_odometry_it_says_that_nothing_is_remembered(localizer: Localizer) -> None:
    localizer.answer_to(localizer.send(0))
    localizer.peer.wait(
        lambda: (
            localizer.status('matching').message
            == 'the running drive is not remembered: no odometry for the scans on /odom or in TF'
        ),
        'the warning',
    )


def drive(localizer: Localizer, index: int) -> PointCloud2:
    """Send the scan of a place with its odometry and return the candidates."""
    stamp_ns = localizer.send(index, START_X_M + 10.0 * index - LEVER_M)
    return localizer.answer_to(stamp_ns)


def test_too_few_points_are_not_taken_for_missing_odometry(localizer: Localizer) -> None:
    assert set_parameter(localizer.peer, 'aggregation.min_points', integer(10_000)).successful
    drive(localizer, 0)
    status = localizer.status('matching')
    assert {item.key: item.value for item in status.values}['live_keyframes'] == '0'
    assert 'accepted' in status.message


def first_round(localizer: Localizer) -> list[PointCloud2]:
    return [drive(localizer, index) for index in range(NUM_PLACES)]


def test_a_first_round_is_remembered_and_finds_only_what_is_older_than_exclude_recent(
    localizer: Localizer,
) -> None:
    for index, msg in enumerate(first_round(localizer)):
        assert msg.header.frame_id == 'odom'
        rows = candidates.from_msg(msg)
        # One scan in two seconds: those of the last five seconds are two.
        assert len(rows) == max(index - 2, 0)
        assert set(rows['map_id']) <= {LIVE_MAP_ID}
    localizer.wait_for_value('matching', lambda values: values['live_keyframes'] == '6')
    assert localizer.values('input')['odometry'] == 'topic'


def test_a_second_round_finds_the_first_with_its_stamps_and_poses(localizer: Localizer) -> None:
    first_round(localizer)
    stamps = localizer.peer.listen(Float64MultiArray, f'{NODE}/loop_closure_stamps')
    second_place_ns = localizer.clock_ns - (NUM_PLACES - 2) * 2 * 10**9
    msg = drive(localizer, 1)
    best = candidates.from_msg(msg)[0]
    assert best['map_id'] == LIVE_MAP_ID
    assert best['keyframe_id'] == 1
    assert best['flags'] & (Flag.LIVE_SESSION | Flag.ACCEPTED) == Flag.LIVE_SESSION | Flag.ACCEPTED
    # The keyframe is the pose of the radar in the odometry frame.
    assert best['map_x'] == pytest.approx(START_X_M + 10, abs=1e-6)
    # The same cloud: the base is 1.5 m behind the keyframe's radar.
    assert (best['relative_x'], best['relative_y']) == pytest.approx((-LEVER_M, 0), abs=0.3)
    assert best['relative_yaw'] == pytest.approx(0, abs=math.radians(1))
    kf_s = int(best['kf_stamp_sec']) + int(best['kf_stamp_nanosec']) / 1e9
    assert kf_s == pytest.approx(second_place_ns / 1e9)
    now_s = localizer.clock_ns / 1e9
    localizer.peer.wait(
        lambda: stamps and abs(stamps[-1].data[0] - now_s) < 1e-3, 'the stamps of the closure'
    )
    assert list(stamps[-1].data) == pytest.approx([now_s, kf_s], abs=1e-6)
    # A closure within the drive says nothing of a map.
    assert localizer.poses == []


def test_a_vehicle_that_stands_where_it_was_before_closes_one_loop(localizer: Localizer) -> None:
    first_round(localizer)
    arrived_s = localizer.clock_ns // 10**9
    stamps = localizer.peer.listen(Float64MultiArray, f'{NODE}/loop_closure_stamps')
    accepted = [
        bool(candidates.from_msg(drive(localizer, 1))[0]['flags'] & Flag.ACCEPTED)
        for _ in range(8)
    ]
    assert accepted == [True] + 7 * [False]
    assert [msg.data[0] for msg in stamps if msg.data[0] > arrived_s] == [arrived_s + 2]
    response = localizer.peer.call(Trigger, f'{NODE}/query')
    reason = 'accepted before, and the vehicle has not moved since'
    assert json.loads(response.message)['reason'] == reason


def test_the_session_is_saved_and_loads_as_a_map(localizer: Localizer, tmp_path: Path) -> None:
    peer = localizer.peer
    first_round(localizer)
    drive(localizer, 1)
    response = peer.call(Trigger, f'{NODE}/save_session')
    assert response.success, response.message
    path = localizer.map_path.with_name('session.ssd')
    saved = open_map(path)
    assert response.message == f'wrote 7 keyframes, revision {saved.revision}, to {path}'
    assert (len(saved), saved.info.num_views, saved.info.sensor) == (7, 1, '4d')
    assert saved.info.map_frame_id == 'odom'
    x_m = saved.keyframes.positions_m[:6, 0]
    np.testing.assert_allclose(x_m, START_X_M + 10 * np.arange(6))

    infos = peer.listen(String, f'{NODE}/map_info', LATCHED)
    assert set_parameter(peer, 'index_path', text(path)).successful
    response = peer.call(Trigger, f'{NODE}/reload_map')
    assert response.message == f'loaded {path}, revision {saved.revision}'
    peer.wait(lambda: infos and json.loads(infos[-1].data)['maps'], 'the map')
    msg = drive(localizer, 3)
    assert msg.header.frame_id == 'map'
    rows = candidates.from_msg(msg)
    assert set(rows['map_id']) == {saved.map_id, LIVE_MAP_ID}
    is_live = rows['map_id'] == LIVE_MAP_ID
    assert set(rows[~is_live]['map_revision']) == {int(saved.revision, 16)}
    assert set(rows[is_live]['map_revision']) == {0}
    assert rows[rows['map_id'] == saved.map_id][0]['keyframe_id'] == 3

    # In use, it is not replaced, not even by a later state of the same drive.
    response = peer.call(Trigger, f'{NODE}/save_session')
    assert not response.success
    assert 'session.ssd is a map in use: choose another session_path' in response.message
    assert len(PlaceDatabase.load(path)) == 7


@dataclass(frozen=True)
class Recorded(WithoutLidar):
    """What the localizer was sent, as a recording."""

    cloud_stamps_ns: NDArray[np.int64]
    name: str = 'sent'
    scan_stamps_ns: NDArray[np.int64] = field(default_factory=lambda: np.empty(0, np.int64))
    scan_poses: Trajectory = field(default_factory=empty_trajectory)

    @property
    def cloud_poses(self) -> Trajectory:
        x_m = START_X_M + 10.0 * np.arange(NUM_PLACES)
        positions_m = np.column_stack([x_m, np.zeros((NUM_PLACES, 2))])
        upright = np.tile([0, 0, 0, 1.0], (NUM_PLACES, 1))
        return Trajectory(self.cloud_stamps_ns, positions_m, upright)

    def cloud(self, index: int) -> RadarPointCloud:
        return replace(DRIVE.cloud(index), stamp_ns=int(self.cloud_stamps_ns[index]))

    def scan(self, index: int) -> SpinningRadarScan:
        raise IndexError


def test_a_recording_of_the_drive_gives_the_same_map_offline(localizer: Localizer) -> None:
    first_round(localizer)
    assert localizer.peer.call(Trigger, f'{NODE}/save_session').success
    saved = PlaceDatabase.load(localizer.map_path.with_name('session.ssd'))
    made = map_of_clouds(
        Recorded(saved.keyframes.stamps_ns),
        small_encoder(localizer.map_path.parent, '4d'),
        config=RecognizerConfig(min_points=1),
    )
    assert len(made) == len(saved) == NUM_PLACES
    # What goes over the wire are float32.
    np.testing.assert_allclose(made.descriptors(), saved.descriptors(), atol=1e-6)
    np.testing.assert_allclose(made.keyframes.positions_m, saved.keyframes.positions_m, atol=1e-6)
    for number in range(NUM_PLACES):
        returns = made.keyframe(number).returns_cm, saved.keyframe(number).returns_cm
        np.testing.assert_array_equal(*returns)


def test_a_later_state_of_the_drive_replaces_an_earlier_one_and_no_other_drive(
    localizer: Localizer,
) -> None:
    peer, path = localizer.peer, localizer.map_path.with_name('session.ssd')
    drive(localizer, 0)
    assert peer.call(Trigger, f'{NODE}/save_session').success
    first = PlaceDatabase.load(path)
    drive(localizer, 1)
    assert peer.call(Trigger, f'{NODE}/save_session').success
    second = PlaceDatabase.load(path)
    assert (len(first), len(second)) == (1, 2)
    assert first.info.uuid == second.info.uuid
    assert peer.call(Trigger, f'{NODE}/clear').success
    drive(localizer, 2)
    response = peer.call(Trigger, f'{NODE}/save_session')
    assert not response.success
    assert f'session.ssd is another drive ({first.info.uuid})' in response.message
    assert 'overwrite_sessions:=true' in response.message
    assert len(PlaceDatabase.load(path)) == 2


def test_a_place_to_save_to_must_be_named_free_and_within_the_folder(
    localizer: Localizer,
) -> None:
    peer, folder = localizer.peer, localizer.map_path.parent
    outside = folder.parent / 'outside'
    (outside / 'project').mkdir(parents=True)
    (folder / 'notes').mkdir()
    (folder / 'notes' / 'notes.txt').write_text('mine')
    (folder / 'link').symlink_to(outside)
    meta = (localizer.map_path / 'meta.json').read_bytes()
    drive(localizer, 0)
    for name, reason in [
        ('', 'session_path'),
        ('notes', 'exists and is not a map'),
        (localizer.map_path.name, "is a map of sensor 'spinning'"),
        (str(outside / 'new'), 'expected a name below session_directory'),
        ('../outside/new', 'expected a name below session_directory'),
        ('~/new', 'expected a name below session_directory'),
        ('.', 'expected a name below session_directory'),
        ('link/new', f'leads out of {folder}'),
    ]:
        assert set_parameter(peer, 'session_path', text(name)).successful
        response = peer.call(Trigger, f'{NODE}/save_session')
        assert not response.success
        assert reason in response.message
    assert (folder / 'notes' / 'notes.txt').read_text() == 'mine'
    assert (localizer.map_path / 'meta.json').read_bytes() == meta
    assert [path.name for path in outside.rglob('*')] == ['project']


@pytest.mark.parametrize('name', ['session_directory', 'allow_save_session', 'overwrite_sessions'])
def test_what_confines_saving_cannot_be_set_by_others_of_the_domain(
    localizer: Localizer, name: str
) -> None:
    result = set_parameter(localizer.peer, name, text('/'))
    assert not result.successful


def test_odometry_that_does_not_fit_is_told_of(localizer: Localizer) -> None:
    drive(localizer, 0)
    misses = int(localizer.values('input')['odometry_misses'])
    # A scan two seconds after the last odometry.
    localizer.answer_to(localizer.send(2))
    localizer.wait_for_value('input', lambda values: int(values['odometry_misses']) == misses + 1)
    assert localizer.values('input')['odometry'] == 'doppler'
    localizer.running.wait_for_text('s, the newest is of 2 s earlier')
    msg = odometry_msg(0.0, localizer.clock_ns)
    msg.header.frame_id, msg.child_frame_id = 'world', 'imu'
    localizer.send_odometry(msg)
    localizer.running.wait_for_text("odometry has frame_id 'world', odom_frame is 'odom'")
    localizer.running.wait_for_text("odometry has child_frame_id 'imu', base_frame is 'base_link'")


def test_clear_forgets_the_running_drive(localizer: Localizer) -> None:
    drive(localizer, 0)
    localizer.wait_for_value('matching', lambda values: values['live_keyframes'] == '1')
    response = localizer.peer.call(Trigger, f'{NODE}/clear')
    assert (response.success, response.message) == (True, 'cleared')
    localizer.wait_for_value('matching', lambda values: values['live_keyframes'] == '0')


def test_a_bag_that_begins_again_begins_the_drive_again(localizer: Localizer) -> None:
    drive(localizer, 0)
    localizer.wait_for_value('matching', lambda values: values['live_keyframes'] == '1')
    localizer.clock_ns -= 10**11
    for index in (5, 4):
        localizer.send(index, START_X_M + 10.0 * index - LEVER_M)
    for index in (3, 2):
        drive(localizer, index)
    # Among places of the time before, the stamps of these would be too old.
    localizer.wait_for_value('matching', lambda values: int(values['live_keyframes']) > 1)
    localizer.running.wait_for_text('started a new window of scans')


def test_a_full_drive_is_said_once_and_queries_go_on(peer: Peer, tmp_path: Path) -> None:
    """In a process whose sessions hold three keyframes instead of a gigabyte."""
    program = (
        'from ssd_ros.maps.live_session import LiveSession\n'
        'LiveSession.is_full = property(lambda session: len(session) >= 3)\n'
        'from ssd_ros.ros.node.localize_node import main\n'
        'main()\n'
    )
    (tmp_path / 'small_session.py').write_text(program)
    parameters = {
        'model_path': write_small_encoder(tmp_path / 'student.onnx', '4d'),
        'online_index': True,
        'stamp_source': 'header',
        'diagnostics_rate': 10.0,
        'aggregation.min_points': 5,
    }
    with Processes(tmp_path) as started:
        running = started.start_program(tmp_path / 'small_session.py', **parameters)
        localizer = Localizer(peer, running, None, tmp_path)
        said = SESSION_FULL.format(keyframes=3)
        for index in range(6):
            localizer.answer_to(localizer.send(index, 10.0 * index))
        status = localizer.status('matching')
        assert (status.level, status.message) == (DiagnosticStatus.WARN, said)
        values = {item.key: item.value for item in status.values}
        assert (values['live_keyframes'], values['queries']) == ('3', '6')
        assert running.text().count(said) == 1
        assert peer.call(Trigger, f'{NODE}/clear').success
        localizer.answer_to(localizer.send(0, 60.0))
        localizer.wait_for_value('matching', lambda values: values['live_keyframes'] == '1')
        assert said not in localizer.status('matching').message
        assert running.end(signal.SIGINT) == 0, running.text()


def test_odometry_that_begins_anew_is_a_segment_of_the_saved_drive(localizer: Localizer) -> None:
    first_round(localizer)
    null = odometry_msg(math.nan, localizer.clock_ns + 1_000_000_000)
    null.pose.pose.orientation.w = 0.0
    localizer.send_odometry(null)
    for index in range(NUM_PLACES, NUM_PLACES + 4):  # 1050 m back, while time goes on
        localizer.answer_to(localizer.send(index, START_X_M - 1050.0 + 10.0 * index))
    # The scan of the first pose has none: whether it is a single odd one is not known yet.
    localizer.wait_for_value('matching', lambda values: values['live_keyframes'] == '9')
    values = localizer.values('input')
    assert (values['odometry_segments'], values['odometry_invalid']) == ('2', '1')
    localizer.running.wait_for_text('odometry began anew at')
    response = localizer.peer.call(Trigger, f'{NODE}/save_session')
    assert response.message.startswith('wrote 9 keyframes of 2 segments, not related, revision ')
    saved = PlaceDatabase.load(response.message.partition(' to ')[2])
    assert saved.info.segment_starts == (0, NUM_PLACES)
    x_m = saved.keyframes.positions_m[:, 0]
    assert x_m[NUM_PLACES - 1] - x_m[NUM_PLACES] > 900
