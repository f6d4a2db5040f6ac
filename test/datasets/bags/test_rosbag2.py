# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Check recordings: a round trip through both storages, topics found and refused."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from rosbags.rosbag2 import Reader, Writer
from rosbags.typesys import get_typestore, Stores
from ssd_ros.cli.common.drive_options import DriveOptions
from ssd_ros.cli.common.drives import open_drive
from ssd_ros.datasets.bags.rosbag2 import Rosbag2Config, Rosbag2Sequence
from ssd_ros.datasets.bags.rosbag2_writer import write_rosbag2
from ssd_ros.datasets.poses import write_hercules_poses
from ssd_ros.datasets.sequence import RadarSequence
from ssd_ros.radar.point_cloud2 import DecoderConfig, PointCloudError
from support.drives.in_memory import assert_same_data, assert_same_poses, drive, START_NS

STORE = get_typestore(Stores.ROS2_JAZZY)


def header(stamp_ns: int) -> Any:
    sec, nanosec = divmod(stamp_ns, 1_000_000_000)
    stamp = STORE.types['builtin_interfaces/msg/Time'](sec=sec, nanosec=nanosec)
    return STORE.types['std_msgs/msg/Header'](stamp=stamp, frame_id='map')


def pose_message(msgtype: str, stamp_ns: int, x: float, w: float = 1.0) -> Any:
    types = STORE.types
    pose = types['geometry_msgs/msg/Pose'](
        position=types['geometry_msgs/msg/Point'](x=x, y=0.0, z=0.0),
        orientation=types['geometry_msgs/msg/Quaternion'](x=0.0, y=0.0, z=0.0, w=w),
    )
    if msgtype.endswith('WithCovarianceStamped'):
        pose = types['geometry_msgs/msg/PoseWithCovariance'](pose=pose, covariance=np.zeros(36))
    return types[msgtype](header=header(stamp_ns), pose=pose)


def points_message(
    stamp_ns: int, num_points: int, num_bytes: int, doppler: str = 'doppler'
) -> Any:
    names = ['x', 'y', 'z', doppler, 'rcs']
    field = STORE.types['sensor_msgs/msg/PointField']
    return STORE.types['sensor_msgs/msg/PointCloud2'](
        header=header(stamp_ns),
        height=1,
        width=num_points,
        fields=[field(name=n, offset=4 * i, datatype=7, count=1) for i, n in enumerate(names)],
        is_bigendian=False,
        point_step=20,
        row_step=20 * num_points,
        data=np.ones(num_bytes // 4, np.float32).view(np.uint8),
        is_dense=True,
    )


def bag_of(path: Path, *messages: tuple[str, int, Any]) -> Path:
    """Write topic, log time and message of each."""
    with Writer(path, version=9) as writer:
        connections: dict[str, Any] = {}
        for topic, log_time_ns, message in messages:
            if topic not in connections:
                msgtype = message.__msgtype__
                connections[topic] = writer.add_connection(topic, msgtype, typestore=STORE)
            data = STORE.serialize_cdr(message, message.__msgtype__)
            writer.write(connections[topic], log_time_ns, data)
    return path


@pytest.mark.parametrize('storage', ['sqlite3', 'mcap'])
def test_what_is_written_is_read_back_whole(tmp_path: Path, storage: str) -> None:
    sequence = Rosbag2Sequence(write_rosbag2(tmp_path / 'bag', drive(), storage))
    expected = drive()
    assert isinstance(sequence, RadarSequence)
    assert sequence.name == 'bag'
    assert_same_data(sequence, expected)
    assert_same_poses(sequence.cloud_poses, expected.cloud_poses)
    assert sequence.cloud(0).frame_id == 'radar'
    # The one recorded trajectory is that of the 4D radar; two scans lie within its 50 ms.
    assert sequence.scan_poses.stamps_ns.tolist() == [START_NS + 3, START_NS + 7]
    sequence.close()


def test_the_topics_are_those_of_a_robot(tmp_path: Path) -> None:
    with Reader(write_rosbag2(tmp_path / 'bag', drive())) as reader:
        assert {c.topic: (c.msgtype, c.msgcount) for c in reader.connections} == {
            '/radar/points': ('sensor_msgs/msg/PointCloud2', 2),
            '/radar/polar': ('sensor_msgs/msg/Image', 3),
            '/ground_truth/odom': ('nav_msgs/msg/Odometry', 2),
        }
        log_times_ns = [log_time_ns for _, log_time_ns, _ in reader.messages()]
        assert log_times_ns == sorted(log_times_ns)
    assert [path.name for path in tmp_path.iterdir()] == ['bag']


def test_a_lidar_beside_a_spinning_radar_is_no_4d_radar(tmp_path: Path) -> None:
    scan = STORE.types['sensor_msgs/msg/Image'](
        header(5), 400, 500, 'mono8', 0, 500, np.eye(400, 500, dtype=np.uint8).ravel()
    )
    for name, doppler, num_clouds in (('car', 'ring', 0), ('both', 'doppler', 1)):
        points = points_message(5, 2, 40, doppler)
        path = bag_of(tmp_path / name, ('/points', 5, points), ('/polar', 5, scan))
        assert len(Rosbag2Sequence(path).cloud_stamps_ns) == num_clouds
        assert len(Rosbag2Sequence(path).scan_stamps_ns) == 1
        named = Rosbag2Config(points_topic='/points')
        assert len(Rosbag2Sequence(path, named).cloud_stamps_ns) == 1


def test_scans_can_be_left_out_and_progress_counts_messages(tmp_path: Path) -> None:
    counts: list[int] = []
    path = write_rosbag2(tmp_path / 'bag', drive(), with_scans=False, progress=counts.append)
    assert counts == [1, 2, 3, 4]
    sequence = Rosbag2Sequence(path)
    assert (len(sequence.cloud_stamps_ns), len(sequence.scan_stamps_ns)) == (2, 0)


def test_a_drive_without_clouds_is_recorded_with_the_poses_of_its_scans(tmp_path: Path) -> None:
    spinning = replace(drive(), cloud_stamps_ns=np.empty(0, np.int64))
    sequence = Rosbag2Sequence(write_rosbag2(tmp_path / 'bag', spinning))
    assert len(sequence.cloud_stamps_ns) == 0
    assert_same_poses(sequence.scan_poses, spinning.scan_poses)


def test_an_interrupted_writer_leaves_nothing(tmp_path: Path) -> None:
    def interrupt(num_done: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write_rosbag2(tmp_path / 'bag', drive(), progress=interrupt)
    assert list(tmp_path.iterdir()) == []


def test_an_unknown_storage_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="unknown storage 'zip'; choose from sqlite3, mcap"):
        write_rosbag2(tmp_path / 'bag', drive(), 'zip')


@pytest.mark.parametrize(
    'msgtype',
    ['geometry_msgs/msg/PoseStamped', 'geometry_msgs/msg/PoseWithCovarianceStamped'],
)
def test_poses_may_have_any_of_three_types(tmp_path: Path, msgtype: str) -> None:
    second = 1_000_000_000
    path = bag_of(
        tmp_path / 'bag',
        ('/pose', 5, pose_message(msgtype, 100 * second, 0.0)),
        ('/points', 6, points_message(100 * second + second // 4, 3, 60)),
        ('/pose', 7, pose_message(msgtype, 101 * second, 8.0, w=0.9)),
    )
    poses = Rosbag2Sequence(path).cloud_poses
    assert poses.positions_m.tolist() == [[2, 0, 0]]
    assert np.linalg.norm(poses.quaternions_xyzw) == pytest.approx(1)


def test_poses_from_elsewhere_leave_those_of_the_recording_alone(tmp_path: Path) -> None:
    write_hercules_poses(tmp_path / 'gt.txt', drive().scan_poses)
    path = write_rosbag2(tmp_path / 'bag', drive())
    assert len(Rosbag2Sequence(path, Rosbag2Config(reads_poses=False)).cloud_poses) == 0
    opened = open_drive(path, DriveOptions(poses=tmp_path / 'gt.txt'))
    assert_same_poses(opened.scan_poses, drive().scan_poses)


def test_messages_without_a_stamp_get_the_time_of_the_recorder(tmp_path: Path) -> None:
    messages = [('/points', 1000 + i, points_message(0, 2 + i, 40 + 20 * i)) for i in range(3)]
    sequence = Rosbag2Sequence(bag_of(tmp_path / 'bag', *messages))
    assert sequence.cloud_stamps_ns.tolist() == [1000, 1001, 1002]
    # The last point of each repeats the one before and is dropped as such.
    assert [len(sequence.cloud(i)) for i in range(3)] == [1, 2, 3]
    assert sequence.cloud(2).stamp_ns == 1002


def test_messages_logged_at_one_time_are_told_apart_by_their_stamps(tmp_path: Path) -> None:
    messages = [('/points', 5, points_message(30 - 10 * i, 3 + i, 100)) for i in range(3)]
    sequence = Rosbag2Sequence(bag_of(tmp_path / 'bag', *messages))
    assert sequence.cloud_stamps_ns.tolist() == [10, 20, 30]
    assert [len(sequence.cloud(i)) for i in range(3)] == [4, 3, 2]


def test_several_topics_of_one_type_must_be_named(tmp_path: Path) -> None:
    path = bag_of(
        tmp_path / 'bag',
        ('/front', 5, points_message(5, 3, 60)),
        ('/rear', 5, points_message(5, 4, 80)),
    )
    with pytest.raises(ValueError, match=r"several topics .*choose from \['/front', '/rear'\]"):
        Rosbag2Sequence(path)
    assert len(Rosbag2Sequence(path, Rosbag2Config(points_topic='/rear')).cloud(0)) == 3


def test_a_topic_that_is_not_there_is_refused_with_those_that_are(tmp_path: Path) -> None:
    path = write_rosbag2(tmp_path / 'bag', drive())
    with pytest.raises(ValueError, match=r"no topic '/points' .*/radar/points \(sensor_msgs/"):
        Rosbag2Sequence(path, Rosbag2Config(points_topic='/points'))


def test_a_topic_of_another_type_is_refused(tmp_path: Path) -> None:
    path = write_rosbag2(tmp_path / 'bag', drive())
    with pytest.raises(ValueError, match=r"no topic '/radar/points' of .*Image"):
        Rosbag2Sequence(path, Rosbag2Config(scan_topic='/radar/points'))


def test_options_of_decoder_and_range_reach_the_data(tmp_path: Path) -> None:
    path = write_rosbag2(tmp_path / 'bag', drive())
    config = Rosbag2Config(range_resolution_m=0.0596, decoder=DecoderConfig(doppler_sign=-1))
    sequence = Rosbag2Sequence(path, config)
    assert sequence.scan(0).range_resolution_m == 0.0596
    assert sequence.cloud(0).radial_velocity_mps.tolist() == [2.5, -1.5]


def test_a_cloud_with_short_data_is_refused_alone(tmp_path: Path) -> None:
    path = bag_of(
        tmp_path / 'bag',
        ('/points', 5, points_message(5, 3, 40)),
        ('/points', 6, points_message(6, 3, 60)),
    )
    sequence = Rosbag2Sequence(path)
    with pytest.raises(PointCloudError, match='has 40 bytes, expected 60'):
        sequence.cloud(0)
    assert len(sequence.cloud(1)) == 2


def test_a_lost_pose_is_left_out_and_counted_and_its_scans_have_none(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """All zeros, as a lost odometry sends it, and what a division by zero makes of a pose."""
    second, kind = 1_000_000_000, 'geometry_msgs/msg/PoseStamped'
    values = [(0.0, 1.0), (0.0, 0.0), (2.0, 1.0), (3.0, 1.0), (np.nan, 1.0), (1e300, 1.0)]
    path = bag_of(
        tmp_path / 'bag',
        *(
            message
            for k, (x, w) in enumerate(values)
            for message in (
                ('/pose', k, pose_message(kind, (100 + k) * second, x, w)),
                ('/points', k, points_message((100 + k) * second, 3, 60)),
                ('/points', k, points_message((100 + k) * second + second // 2, 3, 60)),
            )
        ),
    )
    poses = Rosbag2Sequence(path).cloud_poses
    assert poses.stamps_ns.tolist() == [100 * second, 102 * second, 102_500_000_000, 103 * second]
    assert poses.positions_m[:, 0].tolist() == [0.0, 2.0, 2.5, 3.0]
    assert [record.getMessage() for record in caplog.records] == [
        f'{path}: /pose: left out 3 of 6 poses: 1 null (quaternion 0), 1 not finite, '
        '1 beyond 1e+08 m, from 101.000 to 105.000 s'
    ]


def test_a_recording_with_nothing_but_lost_poses_has_none(tmp_path: Path) -> None:
    pose = pose_message('geometry_msgs/msg/PoseStamped', 5, 0.0, 0.0)
    path = bag_of(tmp_path / 'bag', ('/pose', 5, pose), ('/points', 5, points_message(5, 3, 60)))
    assert len(Rosbag2Sequence(path).cloud_poses) == 0


@pytest.mark.parametrize('storage', ['sqlite3', 'mcap'])
@pytest.mark.parametrize('share', [0.0, 0.5, 0.9])
def test_a_recording_that_is_cut_off_is_refused(
    tmp_path: Path, storage: str, share: float
) -> None:
    path = write_rosbag2(tmp_path / 'bag', drive(), storage)
    data = next(path.glob('bag.*'))
    data.write_bytes(data.read_bytes()[: int(data.stat().st_size * share)])
    unfinished = storage == 'mcap' and share > 0
    expected = (
        '`mcap recover .*/bag.mcap -o ' if unfinished else 'is not a recording that can be read'
    )
    with pytest.raises(ValueError, match=expected):
        Rosbag2Sequence(path)


def test_a_recording_without_its_data_is_refused(tmp_path: Path) -> None:
    path = write_rosbag2(tmp_path / 'bag', drive())
    (path / 'bag.db3').unlink()
    with pytest.raises(
        ValueError, match=r'not a recording that can be read: .*missing.*`ros2 bag reindex '
    ):
        Rosbag2Sequence(path)


def test_broken_metadata_are_refused(tmp_path: Path) -> None:
    path = write_rosbag2(tmp_path / 'bag', drive())
    (path / 'metadata.yaml').write_text('rosbag2_bagfile_information: {version: nine}')
    with pytest.raises(ValueError, match='is not a recording that can be read'):
        Rosbag2Sequence(path)


@pytest.mark.parametrize('storage', ['sqlite3', 'mcap'])
def test_whatever_bytes_are_damaged_the_error_is_one_to_catch(
    tmp_path: Path, storage: str
) -> None:
    path = write_rosbag2(tmp_path / 'bag', drive(), storage, with_scans=False)
    data = next(path.glob('bag.*'))
    whole = data.read_bytes()
    rng = np.random.default_rng(0)
    num_refused = 0
    for _ in range(30):
        damaged = np.frombuffer(whole, np.uint8).copy()
        damaged[rng.integers(0, len(damaged), 20)] = rng.integers(0, 256, 20)
        data.write_bytes(damaged.tobytes())
        try:
            sequence = Rosbag2Sequence(path)
            for index in range(len(sequence.cloud_stamps_ns)):
                sequence.cloud(index)
        except (ValueError, OSError):
            num_refused += 1
    assert num_refused > 15
