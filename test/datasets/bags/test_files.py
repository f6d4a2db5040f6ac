# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Check recordings as people have them: of ROS 1, without metadata, in parts, unfinished."""

from __future__ import annotations

from pathlib import Path
import re
import shutil
import sqlite3
from typing import Any

import numpy as np
import pytest
from rosbags.rosbag1 import Writer as Writer1
from rosbags.rosbag2 import CompressionFormat, CompressionMode, StoragePlugin, Writer
from ssd_ros.datasets.bags.files import _zstd
from ssd_ros.datasets.bags.rosbag2 import Rosbag2Config, Rosbag2Sequence
from ssd_ros.datasets.bags.rosbag2_writer import write_rosbag2
from ssd_ros.datasets.formats.open_sequence import open_sequence
from ssd_ros.datasets.sequence import RadarSequence
from support.drives.in_memory import assert_same_data, assert_same_poses, drive
from support.recordings import in_parts, messages_of, ROS2, write_ros1, write_ros2
from support.spinning_messages import header, new
import yaml


@pytest.fixture(scope='module')
def messages(tmp_path_factory: pytest.TempPathFactory) -> list[tuple[str, int, Any]]:
    """Two clouds, three scans and two poses, in order of time."""
    return messages_of(write_rosbag2(tmp_path_factory.mktemp('source') / 'bag', drive()))


def assert_whole(sequence: RadarSequence) -> None:
    assert_same_data(sequence, drive())
    assert_same_poses(sequence.cloud_poses, drive().cloud_poses)
    assert isinstance(sequence, Rosbag2Sequence)
    sequence.close()


@pytest.mark.parametrize('first_seq', [0, 250, 65_530])
@pytest.mark.parametrize('compression', [None, *Writer1.CompressionFormat])
def test_ros_1_is_read_whatever_its_headers_are_numbered(
    tmp_path: Path, messages: list[Any], first_seq: int, compression: Any
) -> None:
    """Where bit 8 of seq is 0, stamps taken for CDR would be byte-swapped."""
    path = write_ros1(tmp_path / 'drive.bag', messages, compression, first_seq)
    assert_whole(open_sequence(path))


@pytest.mark.parametrize('suffix', ['.bag', '.db3', '.mcap'])
@pytest.mark.parametrize('slash', ['', '/'])
def test_a_folder_of_parts_needs_no_metadata(
    tmp_path: Path, messages: list[Any], suffix: str, slash: str
) -> None:
    poses = [message for message in messages if 'odom' in message[0]]
    many = [*messages, *(('/other', time_ns, pose) for _, time_ns, pose in poses * 3)]
    folder = in_parts(tmp_path / 'parts', many, suffix)
    assert (folder / f'bag_12{suffix}').exists()  # sorted as text, _12 would stand before _2
    bag = Rosbag2Config(poses_topic='/ground_truth/odom')
    assert_whole(open_sequence(f'{folder}{slash}', config=bag))


def test_a_link_to_a_file_is_that_file(tmp_path: Path, messages: list[Any]) -> None:
    (tmp_path / 'link.bag').symlink_to(write_ros1(tmp_path / 'drive.bag', messages))
    assert_whole(open_sequence(tmp_path / 'link.bag'))


@pytest.mark.parametrize('suffix', ['.bag', '.db3', '.mcap'])
def test_files_that_are_not_parts_of_one_must_be_named(
    tmp_path: Path, messages: list[Any], suffix: str
) -> None:
    folder = in_parts(tmp_path / 'drives', messages[:2], suffix)
    (folder / f'bag_1{suffix}').rename(folder / f'monday{suffix}')
    with pytest.raises(ValueError, match=rf'bag_0{suffix} to monday{suffix}, are not numbered'):
        open_sequence(folder)


def test_recordings_of_two_kinds_must_be_named(tmp_path: Path, messages: list[Any]) -> None:
    folder = in_parts(tmp_path / 'drives', messages[:1], '.db3')
    write_ros1(folder / 'a.bag', messages[:1])
    with pytest.raises(ValueError, match=r"several kinds, \['a.bag', 'bag_0.db3'\]: name one"):
        open_sequence(folder)


@pytest.mark.parametrize('storage', ['sqlite3', 'mcap'])
@pytest.mark.parametrize(
    'said',
    [
        {'storage_identifier': ''},
        {'storage_identifier': None},
        {'message_count': 0, 'topics_with_message_count': []},  # of a recorder that was killed
    ],
)
def test_metadata_that_say_too_little_are_not_needed(
    tmp_path: Path, storage: str, said: dict[str, Any]
) -> None:
    path = write_rosbag2(tmp_path / 'bag', drive(), storage)
    file = path / 'metadata.yaml'
    content = yaml.safe_load(file.read_text())
    content['rosbag2_bagfile_information'].update(said)
    file.write_text(yaml.safe_dump(content))
    assert_whole(open_sequence(path))


@pytest.mark.parametrize('mode', [CompressionMode.FILE, CompressionMode.MESSAGE])
@pytest.mark.parametrize('storage', [StoragePlugin.SQLITE3, StoragePlugin.MCAP])
def test_compressed_recordings_are_read(
    tmp_path: Path, messages: list[Any], mode: CompressionMode, storage: StoragePlugin
) -> None:
    writer = Writer(tmp_path / 'bag', version=9, storage_plugin=storage)
    writer.set_compression(mode, CompressionFormat.ZSTD)
    with writer:
        for topic, time_ns, message in messages:
            name = message.__msgtype__
            found = [c for c in writer.connections if c.topic == topic]
            connection = found[0] if found else writer.add_connection(topic, name, typestore=ROS2)
            writer.write(connection, time_ns, ROS2.serialize_cdr(message, name))
    assert_whole(open_sequence(tmp_path / 'bag'))
    (tmp_path / 'bag/metadata.yaml').unlink()
    if mode == CompressionMode.FILE:
        assert_whole(open_sequence(tmp_path / 'bag'))
        assert_whole(open_sequence(next((tmp_path / 'bag').iterdir())))
    else:
        with pytest.raises(ValueError, match=r'compressed one by one .*run `ros2 bag reindex'):
            open_sequence(tmp_path / 'bag')


def test_a_compressed_file_cannot_fill_the_disk(tmp_path: Path) -> None:
    bomb = tmp_path / 'a.mcap.zstd'
    with _zstd().open(bomb, 'wb') as file:
        file.write(bytes(50_000_000))
    with pytest.raises(ValueError, match='becomes more than 1000 times its size'):
        open_sequence(bomb)


@pytest.mark.parametrize('version', range(4, 10))
def test_all_versions_of_the_metadata_are_read(tmp_path: Path, version: int) -> None:
    path = write_rosbag2(tmp_path / 'bag', drive())
    file = path / 'metadata.yaml'
    file.write_text(re.sub(r'version: \d', f'version: {version}', file.read_text()))
    assert_whole(open_sequence(path))


def test_an_unfinished_recording_says_what_helps(tmp_path: Path, messages: list[Any]) -> None:
    path = write_ros2(tmp_path / 'bag', messages) / 'bag.mcap'
    path.write_bytes(path.read_bytes()[:-37])  # footer and magic
    with pytest.raises(ValueError, match=f'was not finished.*`mcap recover {path} -o'):
        open_sequence(path)
    with pytest.raises(ValueError, match=f'`mcap recover {path} -o'):
        open_sequence(tmp_path / 'bag')
    bag = write_ros1(tmp_path / 'a.bag', messages)
    bag.write_bytes(bag.read_bytes()[:5000])
    with pytest.raises(ValueError, match=f'`rosbag reindex {bag}` may help'):
        open_sequence(bag)
    active = bag.rename(tmp_path / 'a.bag.active')
    with pytest.raises(ValueError, match=f'`rosbag reindex {active}` may help'):
        open_sequence(active)


def test_a_database_with_a_log_beside_it_is_not_read_in_part(
    tmp_path: Path, messages: list[Any]
) -> None:
    """A recorder that was killed leaves its last messages in the log, where rosbags is blind."""
    whole = write_ros2(tmp_path / 'bag', messages, 'sqlite3') / 'bag.db3'
    connection = sqlite3.connect(whole)
    connection.execute('PRAGMA journal_mode=WAL')
    connection.execute('UPDATE messages SET timestamp = timestamp + 1')
    connection.commit()
    killed = Path(shutil.copytree(tmp_path / 'bag', tmp_path / 'killed')) / 'bag.db3'
    connection.close()
    with pytest.raises(ValueError, match=r'part of it is still in bag.db3-wal; join them with'):
        open_sequence(killed)
    sqlite3.connect(killed).execute('PRAGMA wal_checkpoint(TRUNCATE)').fetchall()
    assert len(open_sequence(killed).cloud_stamps_ns) == 2


def test_ros_1_in_mcap_is_refused_by_name(tmp_path: Path, messages: list[Any]) -> None:
    path = write_ros2(tmp_path / 'bag', messages) / 'bag.mcap'
    path.write_bytes(path.read_bytes().replace(b'ros2', b'ros1', 1))
    with pytest.raises(ValueError, match=r'holds messages of ROS 1 in MCAP.*give the .bag'):
        open_sequence(path)


@pytest.mark.parametrize('is_ros1', [False, True])
def test_a_recording_without_messages_is_an_empty_drive(tmp_path: Path, is_ros1: bool) -> None:
    path = write_ros1(tmp_path / 'a.bag', []) if is_ros1 else write_ros2(tmp_path / 'bag', [])
    sequence = open_sequence(path)
    assert (len(sequence.cloud_stamps_ns), len(sequence.scan_stamps_ns)) == (0, 0)


def with_strange_topic(folder: Path, messages: list[Any], definition: str, storage: str) -> Path:
    with Writer(
        folder / 'bag', version=9, storage_plugin=StoragePlugin[storage.upper()]
    ) as writer:
        strange = writer.add_connection(
            '/strange', 'acme_msgs/msg/Thing', msgdef=definition, rihs01='RIHS01_' + '0' * 64
        )
        writer.write(strange, messages[0][1], b'\0\1\0\0' + bytes(20))
        connections: dict[str, Any] = {}
        for topic, time_ns, message in messages:
            name = message.__msgtype__
            if topic not in connections:
                connections[topic] = writer.add_connection(topic, name, typestore=ROS2)
            writer.write(connections[topic], time_ns, ROS2.serialize_cdr(message, name))
    return folder / 'bag'


@pytest.mark.parametrize('storage', ['sqlite3', 'mcap'])
@pytest.mark.parametrize(
    'definition', ['uint8 a\n', 'acme_msgs/Unknown[] parts\n', 'this is no definition )(', '']
)
def test_types_of_unknown_packages_do_not_disturb(
    tmp_path: Path, messages: list[Any], definition: str, storage: str
) -> None:
    assert_whole(open_sequence(with_strange_topic(tmp_path, messages, definition, storage)))


def test_a_topic_without_messages_is_no_choice(tmp_path: Path, messages: list[Any]) -> None:
    with Writer(tmp_path / 'bag', version=9) as writer:
        for name in ('/radar/points', '/rear/points'):
            writer.add_connection(name, 'sensor_msgs/msg/PointCloud2', typestore=ROS2)
        for topic, time_ns, message in messages:
            if topic == '/radar/points':
                data = ROS2.serialize_cdr(message, message.__msgtype__)
                writer.write(writer.connections[0], time_ns, data)
    assert len(open_sequence(tmp_path / 'bag').cloud_stamps_ns) == 2


def test_a_message_without_a_header_is_left_out_and_counted(
    tmp_path: Path, messages: list[Any], caplog: pytest.LogCaptureFixture
) -> None:
    path = write_ros2(tmp_path / 'bag', messages, 'sqlite3')
    with sqlite3.connect(path / 'bag.db3') as connection:
        connection.execute("UPDATE messages SET data = x'0001' WHERE id = 2")
    assert len(open_sequence(path).cloud_stamps_ns) == 1
    assert f'{path}: left out 1 messages without a header' in caplog.text


@pytest.mark.parametrize('instead', ['', 'string row_step\n'])
@pytest.mark.parametrize('storage', ['sqlite3', 'mcap'])
def test_a_definition_that_lacks_a_field_is_named(
    tmp_path: Path, messages: list[Any], storage: str, instead: str
) -> None:
    definition, _ = ROS2.generate_msgdef('sensor_msgs/msg/PointCloud2', ros_version=2)
    with Writer(
        tmp_path / 'bag', version=9, storage_plugin=StoragePlugin[storage.upper()]
    ) as writer:
        cloud = writer.add_connection(
            '/radar/points',
            'sensor_msgs/msg/PointCloud2',
            msgdef=definition.replace('uint32 row_step\n', instead),
            rihs01='RIHS01_' + '0' * 64,
        )
        name, time_ns, message = messages[1]
        assert name == '/radar/points'
        writer.write(cloud, time_ns, ROS2.serialize_cdr(message, message.__msgtype__))
    sequence = open_sequence(tmp_path / 'bag')
    with pytest.raises(
        ValueError, match=r'/radar/points is recorded with .*PointCloud2 that lacks row_step'
    ):
        sequence.cloud(0)


def livox(package: str, stamp_ns: int) -> Any:
    point = {'offset_time': 0, 'y': 4.0, 'z': 0.5, 'tag': 0, 'line': 0}
    points = [
        new(f'{package}/msg/CustomPoint', x=3.0 + k, reflectivity=10 * k, **point)
        for k in range(4)
    ]
    return new(
        f'{package}/msg/CustomMsg',
        header=header(stamp_ns),
        timebase=0,
        point_num=4,
        lidar_id=1,
        rsvd=np.zeros(3, np.uint8),
        points=points,
    )


@pytest.mark.parametrize('package', ['livox_ros_driver', 'livox_ros_driver2'])
@pytest.mark.parametrize('is_ros1', [False, True])
@pytest.mark.parametrize('is_defined', [True, False])
def test_livox_clouds_are_read_without_doppler(
    tmp_path: Path,
    package: str,
    is_ros1: bool,
    is_defined: bool,
    caplog: pytest.LogCaptureFixture,
) -> None:
    messages = [('/livox/lidar', 5 + k, livox(package, (k + 1) * 10**9)) for k in range(2)]
    path = tmp_path / 'a.bag'
    if is_ros1:
        write_ros1(path, messages)
    else:
        path = write_ros2(tmp_path / 'bag', messages, 'sqlite3')
        if not is_defined:  # as before Iron
            with sqlite3.connect(path / 'bag.db3') as connection:
                connection.execute('DELETE FROM message_definitions')
    cloud = open_sequence(path).cloud(1)
    assert '/livox/lidar is of a LiDAR, without Doppler' in caplog.text
    assert not cloud.radial_velocity_mps.any()
    assert cloud.stamp_ns == 2 * 10**9
    np.testing.assert_allclose(cloud.xyz_m, [[3 + k, 4, 0.5] for k in range(4)])
    # Reflectivity has no unit: its ranks are laid over the RCS of a radar.
    assert np.all(np.diff(cloud.rcs_dbsm) > 0)


def test_a_pose_that_cannot_be_read_is_left_out(
    tmp_path: Path, messages: list[Any], caplog: pytest.LogCaptureFixture
) -> None:
    path = write_ros2(tmp_path / 'bag', messages, 'sqlite3')
    with sqlite3.connect(path / 'bag.db3') as connection:
        connection.execute('UPDATE messages SET data = substr(data, 1, 60) WHERE id = 1')
    assert len(open_sequence(path).cloud_poses) == 1
    assert '/ground_truth/odom: left out 1 of 2 poses: 1 unreadable' in caplog.text
