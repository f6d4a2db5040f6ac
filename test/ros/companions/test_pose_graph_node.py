# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The example of a back end in a process of its own, fed over DDS."""

from __future__ import annotations

from collections.abc import Callable
import itertools
import json
from pathlib import Path
import signal
import time
from typing import Any

import numpy as np
from numpy.typing import NDArray
import pytest

pytest.importorskip('gtsam', reason='gtsam is not installed (make test installs it)')

from geometry_msgs.msg import Pose, Quaternion
from nav_msgs.msg import Odometry
from nav_msgs.msg import Path as PathMsg
from rcl_interfaces.msg import Parameter, ParameterValue
from rcl_interfaces.srv import SetParameters
from rclpy.qos import DurabilityPolicy, QoSProfile
from sensor_msgs.msg import PointCloud2, PointField
from ssd_ros.motion.trajectory import Trajectory
from ssd_ros.pose_graph.trajectory_files import absolute_trajectory_error_m, read_tum
from ssd_ros.recognition import candidates
from ssd_ros.ros.messages.conversions import time_msg
from std_msgs.msg import Header
from support.drives.three_laps import closures, LIVE_MAP_ID, odometry, PRIOR_MAP_ID, truth
from support.ros import Peer, Processes, Running

# Every third pose is enough for a test: 1.8 m apart.
DRIVE = truth().select(np.arange(0, 1800, 3))
ODOMETRY = odometry(DRIVE)
CLOSURES = closures(truth(), wrong_share=0.2)
FIXES = closures(truth(), wrong_share=0.2, map_id=PRIOR_MAP_ID)
LATCHED = QoSProfile(depth=1, durability=DurabilityPolicy.TRANSIENT_LOCAL)


def odometry_msg(index: int) -> Odometry:
    msg = Odometry(header=Header(stamp=time_msg(int(ODOMETRY.stamps_ns[index]))))
    msg.header.frame_id, msg.child_frame_id = 'odom', 'base_link'
    x, y, z = ODOMETRY.positions_m[index].tolist()
    pose = Pose()
    pose.position.x, pose.position.y, pose.position.z = x, y, z
    qx, qy, qz, qw = ODOMETRY.quaternions_xyzw[index].tolist()
    pose.orientation = Quaternion(x=qx, y=qy, z=qz, w=qw)
    msg.pose.pose = pose
    return msg


def candidates_msg(stamp_ns: int, rows: NDArray[np.void]) -> PointCloud2:
    header = Header(stamp=time_msg(stamp_ns), frame_id='map')
    return candidates.to_msg(rows, PointCloud2(header=header), PointField)


def start(processes: Processes, folder: Path) -> Running:
    arguments = ['--output', str(folder), '--node-spacing', '5', '--radar-in-base', '0', '-0', '0']
    return processes.start('companions.pose_graph_node', *arguments)


def drive(peer: Peer, answers: dict[int, NDArray[np.void]], num: int = len(DRIVE)) -> PathMsg:
    """Send odometry and candidates until the path has come to the end; return it."""
    odometry_publisher = peer.speak(Odometry, '/odom', 100)
    answer_publisher = peer.speak(PointCloud2, '/ssd_localizer/candidates', 100)
    paths = peer.listen(PathMsg, '/pose_graph/path', LATCHED)
    # Odometry is best effort: what is sent before the node has found its publisher is lost.
    send_until(
        peer,
        lambda: odometry_publisher.publish(odometry_msg(0)),
        lambda: paths and stamp_of(paths[-1].header) == DRIVE.stamps_ns[0],
    )
    for index, stamp_ns in enumerate(DRIVE.stamps_ns[:num].tolist()):
        time.sleep(0.002)
        odometry_publisher.publish(odometry_msg(index))
        if stamp_ns in answers:
            answer_publisher.publish(candidates_msg(stamp_ns, answers[stamp_ns]))
    send_until(
        peer,
        lambda: odometry_publisher.publish(odometry_msg(num - 1)),
        lambda: stamp_of(paths[-1].header) == DRIVE.stamps_ns[num - 1],
    )
    peer.node.destroy_publisher(odometry_publisher)
    peer.node.destroy_publisher(answer_publisher)
    return paths[-1]


def send_until(peer: Peer, send: Callable[[], Any], condition: Callable[[], Any]) -> None:
    """Send the same again and again until something holds."""
    due_s = 0.0

    def step() -> bool:
        nonlocal due_s
        if time.monotonic() > due_s:
            due_s = time.monotonic() + 0.1
            send()
        return bool(condition())

    peer.wait(step, 'the answer to what is sent')


def stamp_of(header: Header) -> int:
    return int(header.stamp.sec) * 10**9 + int(header.stamp.nanosec)


def positions_m(trajectory: Trajectory) -> NDArray[np.float64]:
    """Return where the vehicle was at the stamps of the drive, shape (N, 2)."""
    _, found = trajectory.at(DRIVE.stamps_ns, tolerance_ns=0)
    return found.positions_m[:, :2]


def error_m(path: Path) -> float:
    found_m = positions_m(read_tum(path))
    assert len(found_m) == len(DRIVE)
    return absolute_trajectory_error_m(found_m, DRIVE.positions_m[:, :2])


def edges_of(folder: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (folder / 'edges.jsonl').read_text().splitlines()]


def test_candidates_of_the_live_session_straighten_the_drive(
    peer: Peer, processes: Processes, tmp_path: Path
) -> None:
    node = start(processes, tmp_path / 'out')
    path = drive(peer, CLOSURES)
    assert path.header.frame_id == 'odom'
    assert 170 < len(path.poses) < 240  # nodes of 1172 m, 5 to 6.8 m apart
    assert node.end(signal.SIGTERM) == 0, node.text()
    assert error_m(tmp_path / 'out' / 'odometry.tum') > 3
    assert error_m(tmp_path / 'out' / 'optimized.tum') < 1.3
    edges = edges_of(tmp_path / 'out')
    assert {edge['map_id'] for edge in edges} == {LIVE_MAP_ID}
    assert len(edges) > 150
    assert not (tmp_path / 'out' / 'optimized_in_map.tum').exists()


def test_candidates_of_a_prior_map_bring_the_path_into_its_frame(
    peer: Peer, processes: Processes, tmp_path: Path
) -> None:
    node = start(processes, tmp_path / 'out')
    path = drive(peer, FIXES)
    assert path.header.frame_id == 'map'
    last = path.poses[-1].pose.position
    assert np.hypot(*(np.array([last.x, last.y]) - DRIVE.positions_m[-1, :2])) < 3
    assert node.end(signal.SIGINT) == 0, node.text()
    found_m = positions_m(read_tum(tmp_path / 'out' / 'optimized_in_map.tum'))
    errors_m = np.hypot(*(found_m - DRIVE.positions_m[:, :2]).T)
    assert errors_m[len(DRIVE) // 3 :].max() < 0.6
    assert not any(edge['is_live'] for edge in edges_of(tmp_path / 'out'))


def test_a_bag_that_starts_again_starts_a_new_graph(
    peer: Peer, processes: Processes, tmp_path: Path
) -> None:
    node = start(processes, tmp_path / 'out')
    assert len(drive(peer, {}, num=90).poses) > 20
    assert len(drive(peer, {}, num=45).poses) < 18
    node.wait_for_text('odometry jumps back in time: a new graph begins')
    assert node.end(signal.SIGINT) == 0, node.text()
    assert read_tum(tmp_path / 'out' / 'odometry.tum').stamps_ns[0] == DRIVE.stamps_ns[0]


def test_a_reset_and_null_poses_are_no_ties(
    peer: Peer, processes: Processes, tmp_path: Path
) -> None:
    node = start(processes, tmp_path / 'out')
    drive(peer, {}, num=40)
    publisher = peer.speak(Odometry, '/odom', 100)
    for index in range(40, 80):
        msg = odometry_msg(index)
        msg.pose.pose.position.x -= 1050.0
        if index % 10 == 5:
            msg.pose.pose = Pose()
            msg.pose.pose.orientation.w = 0.0
        time.sleep(0.01)
        publisher.publish(msg)
    node.wait_for_text('segment 2, not related to those before')
    node.wait_for_text('odometry ignored: a pose that is null')
    assert node.end(signal.SIGINT) == 0, node.text()
    found = read_tum(tmp_path / 'out' / 'optimized.tum')
    # Nowhere else is known for it than where the odometry was lost.
    steps_m = np.hypot(*np.diff(found.positions_m[:, :2], axis=0).T)
    assert steps_m.max() < 15
    assert len(found) > 60


def test_odometry_that_no_graph_can_hold_begins_a_new_one(
    peer: Peer, processes: Processes, tmp_path: Path
) -> None:
    node = start(processes, tmp_path / 'out')
    drive(peer, {}, num=10)
    publisher = peer.speak(Odometry, '/odom', 100)
    numbers = itertools.count(1)

    def send() -> None:
        msg, number = odometry_msg(9), next(numbers)
        msg.header.stamp.sec += number * 1_000_000
        msg.pose.pose.position.x += number % 2 * 1e7  # 10 m/s for eleven days, there and back
        publisher.publish(msg)

    said = 'the graph cannot be solved, a new one begins: Indeterminate linear system'
    send_until(peer, send, lambda: said in node.text())
    assert node.end(signal.SIGINT) == 0, node.text()
    assert len(read_tum(tmp_path / 'out' / 'optimized.tum')) < 10


def test_messages_that_say_nothing_are_ignored_with_the_reason(
    peer: Peer, processes: Processes, tmp_path: Path
) -> None:
    node = start(processes, tmp_path / 'out')
    strange = odometry_msg(0)
    strange.pose.pose.position.x = float('nan')
    publisher = peer.speak(Odometry, '/odom', 100)
    send_until(
        peer,
        lambda: publisher.publish(strange),
        lambda: 'odometry ignored: a pose that is not finite' in node.text(),
    )
    empty = PointCloud2(header=Header(stamp=time_msg(1), frame_id='map'))
    publisher = peer.speak(PointCloud2, '/ssd_localizer/candidates', 100)
    send_until(
        peer,
        lambda: publisher.publish(empty),
        lambda: 'candidates ignored: not a candidate list' in node.text(),
    )
    assert node.end(signal.SIGINT) == 0, node.text()
    assert len(read_tum(tmp_path / 'out' / 'optimized.tum')) == 0


def test_a_folder_that_cannot_be_made_is_refused(processes: Processes, tmp_path: Path) -> None:
    (tmp_path / 'file').write_text('')
    node = start(processes, tmp_path / 'file')
    assert node.end() == 1
    assert f'{tmp_path / "file"} is a file, expected the name of a folder' in node.text()
    assert 'Traceback' not in node.text()


def test_a_spacing_that_is_no_positive_number_is_refused(
    processes: Processes, tmp_path: Path
) -> None:
    node = processes.start(
        'companions.pose_graph_node', '--output', str(tmp_path), '--node-spacing', '0'
    )
    assert node.end() == 1
    assert 'node_spacing_m is 0.0, expected more than 0' in node.text()


def test_a_parameter_of_a_type_that_does_not_exist_does_not_end_the_node(
    peer: Peer, processes: Processes, tmp_path: Path
) -> None:
    running = start(processes, tmp_path)
    parameter = Parameter(name='use_sim_time', value=ParameterValue(type=77))
    request = SetParameters.Request(parameters=[parameter])
    for _ in range(2):
        reply = peer.call(SetParameters, '/pose_graph/set_parameters', request)
        assert [result.successful for result in reply.results] == [False]
    assert running.end(signal.SIGINT) == 0, running.text()
