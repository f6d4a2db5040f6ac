# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Play a bag into the localizer and collect its answers: three processes, as in the demo."""

from __future__ import annotations

import json
from pathlib import Path
import signal
from typing import Any

from nav_msgs.msg import Odometry
import numpy as np
import pytest
from sensor_msgs.msg import PointCloud2
from ssd_ros.datasets.bags.rosbag2_writer import write_rosbag2
from ssd_ros.maps.builder import build_database
from support.posts import small_encoder, straight_drive, write_small_encoder
from support.ros import Peer, Processes

# Twenty keyframes 10 m apart, one scan every 50 ms.
DRIVE = straight_drive(num=20)
DRIVE.step_ns = 50_000_000
POINTS = '/radar/points'


def json_lines(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text().splitlines()]


@pytest.mark.parametrize('storage', ['sqlite3', 'mcap'])
def test_every_cloud_of_a_bag_arrives_with_its_stamp_and_pace(
    peer: Peer, processes: Processes, tmp_path: Path, storage: str
) -> None:
    bag = write_rosbag2(tmp_path / 'bag', DRIVE, storage, with_scans=False)
    received = []
    peer.node.create_subscription(PointCloud2, POINTS, received.append, 100)
    log = tmp_path / 'published.jsonl'
    player = processes.start(
        'companions.bag_player',
        '--bag',
        str(bag),
        '--topic',
        POINTS,
        '--rate',
        '2',
        '--log',
        str(log),
    )
    peer.wait(lambda: len(received) == 20, 'all clouds')
    assert player.end() == 0, player.text()
    stamps = [msg.header.stamp.sec * 10**9 + msg.header.stamp.nanosec for msg in received]
    assert stamps == DRIVE.cloud_stamps_ns.tolist()
    assert received[3].width == len(DRIVE.cloud(3))
    published = json_lines(log)
    assert [record['stamp_ns'] for record in published] == stamps
    # 19 steps of 50 ms at twice the speed; a loaded machine may be late, none is early.
    lasted_s = (published[-1]['publish_ns'] - published[0]['publish_ns']) / 1e9
    assert 0.47 < lasted_s < 10


def test_odometry_is_played_with_the_clouds(
    peer: Peer, processes: Processes, tmp_path: Path
) -> None:
    poses = DRIVE.cloud_poses
    between_ns = poses.stamps_ns[:-1] + 25_000_000
    twice = poses.interpolate(np.sort(np.append(poses.stamps_ns, between_ns)))
    bag = write_rosbag2(tmp_path / 'bag', DRIVE, with_scans=False, odometry=twice)
    received: list[Any] = []
    peer.node.create_subscription(PointCloud2, POINTS, received.append, 100)
    peer.node.create_subscription(Odometry, '/odom', received.append, 100)
    player = processes.start(
        'companions.bag_player', '--bag', str(bag), '--topic', POINTS, '--odometry-topic', '/odom'
    )
    peer.wait(lambda: len(received) == 59, 'all clouds and all odometry')
    assert player.end() == 0, player.text()
    odometry = [msg for msg in received if isinstance(msg, Odometry)]
    stamps = [msg.header.stamp.sec * 10**9 + msg.header.stamp.nanosec for msg in odometry]
    assert stamps == twice.stamps_ns.tolist()
    assert [msg.pose.pose.position.x for msg in odometry[:3]] == [0.0, 5.0, 10.0]
    assert (odometry[0].header.frame_id, odometry[0].child_frame_id) == ('odom', 'base_link')


def test_player_localizer_and_collector_make_a_table_of_answers_and_latencies(
    processes: Processes, tmp_path: Path
) -> None:
    build_database(DRIVE, small_encoder(tmp_path, 'spinning')).save(tmp_path / 'map.ssd')
    bag = write_rosbag2(tmp_path / 'bag', DRIVE, with_scans=False)
    published, collected = tmp_path / 'published.jsonl', tmp_path / 'collected.jsonl'
    localizer = processes.start(
        'node.localize_node', '--ros-args', '-r', f'points:={POINTS}',
        '-p', 'stamp_source:=header', '-p', f'index_path:={tmp_path / "map.ssd"}',
        '-p', 'query_rate:=100.0',
        '-p', f'model_path:={write_small_encoder(tmp_path / "student.onnx", "4d")}',
    )  # fmt: skip
    collector = processes.start('companions.candidate_collector', '--output', str(collected))
    localizer.wait_for_text('map of 20 keyframes')
    collector.wait_for_file(collected, '{"event": "matched"}')
    player = processes.start(
        'companions.bag_player', '--bag', str(bag), '--topic', POINTS, '--log', str(published)
    )
    assert player.end() == 0, player.text()
    collector.wait_for_file(collected, str(DRIVE.cloud_stamps_ns[-1]))
    assert collector.end(signal.SIGTERM) == 0, collector.text()
    assert localizer.end(signal.SIGINT) == 0, localizer.text()

    answers = {record['stamp_ns']: record for record in json_lines(collected)[1:]}
    publish_ns = {record['stamp_ns']: record['publish_ns'] for record in json_lines(published)}
    assert len(publish_ns) == 20
    # A loaded machine may leave out scans, but never the newest.
    assert len(answers) > 1
    assert max(answers) == DRIVE.cloud_stamps_ns[-1]
    for stamp_ns, answer in answers.items():
        assert answer['receive_ns'] > publish_ns[stamp_ns]
        assert answer['frame_id'] == 'map'
        assert [row['rank'] for row in answer['rows']] == list(range(10))
        assert answer['rows'][0]['confidence'] is None
        assert answer['rows'][0]['map_x'] == answer['rows'][0]['keyframe_id'] * 10


@pytest.mark.parametrize(
    ('arguments', 'reason'),
    [
        (['--bag', '/nowhere', '--topic', POINTS], 'cannot read bag /nowhere'),
        (['--bag', 'BAG', '--topic', '/other'], f'no PointCloud2 on /other; the bag has {POINTS}'),
        (['--bag', 'BAG', '--topic', '/ground_truth/odom'], 'no PointCloud2 on'),
        (
            ['--bag', 'BAG', '--topic', POINTS, '--odometry-topic', '/odom'],
            f'no Odometry on /odom; the bag has {POINTS}',
        ),
        (['--bag', 'BAG', '--topic', POINTS, '--rate', '0'], 'expected more than 0'),
        (['--bag', 'BAG', '--topic', POINTS, '--log', '/nowhere/x'], 'cannot write /nowhere/x'),
    ],
)
def test_what_cannot_be_played_is_refused_with_the_reason(
    processes: Processes, tmp_path: Path, arguments: list[str], reason: str
) -> None:
    bag = write_rosbag2(tmp_path / 'bag', straight_drive(num=2), with_scans=False)
    arguments = [str(bag) if argument == 'BAG' else argument for argument in arguments]
    player = processes.start('companions.bag_player', *arguments)
    assert player.end() in (1, 2)
    assert reason in player.text()
    assert 'Traceback' not in player.text()


def test_a_player_without_a_listener_can_be_ended(processes: Processes, tmp_path: Path) -> None:
    bag = write_rosbag2(tmp_path / 'bag', straight_drive(num=2), with_scans=False)
    player = processes.start('companions.bag_player', '--bag', str(bag), '--topic', POINTS)
    player.wait_for_text('waiting for 1 subscriber(s)')
    assert player.end(signal.SIGTERM) == 0, player.text()
