# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""
An example of a back end: a pose graph of odometry and the localizer's candidates, in GTSAM.

    python -m ssd_ros.ros.companions.pose_graph_node --output DIR [--odometry-topic /odom]
        [--candidates-topic /ssd_localizer/candidates] [--node-spacing 2.0]
        [--radar-in-base 0 0 0] [--ros-args ...]

It publishes its nodes as `~/path` (nav_msgs/Path, latched) once a second: in the frame of the
candidates as soon as the drive has found its place in a prior map, in that of the odometry until
then. SIGINT or SIGTERM end it with code 0; it then writes into DIR

- `odometry.tum` and `optimized.tum`: a line `seconds x y z qx qy qz qw` for each odometry message
- `optimized_in_map.tum`: the same in the frame of the first prior map, if there was one
- `edges.jsonl`: the candidates used, poses as x, y, yaw, and their weights, 1 = believed,
  0 = outvoted by the others

Odometry that jumps back in time, as when a bag starts again, starts a new graph. Odometry that
begins anew at another place while time goes on starts a new segment, which candidates alone tie
to the others.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Sequence
import json
from pathlib import Path
import sys
import time
from typing import Any

from geometry_msgs.msg import PoseStamped
from nav_msgs.msg import Odometry
from nav_msgs.msg import Path as PathMsg
import numpy as np
from rclpy.clock import Clock, ClockType  # type: ignore[attr-defined]
from rclpy.node import Node
from rclpy.qos import DurabilityPolicy, QoSProfile, ReliabilityPolicy
from sensor_msgs.msg import PointCloud2
from ssd_ros.motion.pose_chain import StampedPose
from ssd_ros.motion.pose_stream import PoseStream
from ssd_ros.motion.stamp_line import RESTART_NS
from ssd_ros.motion.trajectory import Trajectory, yaw_from_quaternion
from ssd_ros.pose_graph.config import DEFAULT_CONFIG, PoseGraphConfig
from ssd_ros.pose_graph.graph import PoseGraph, UsedEdge
from ssd_ros.pose_graph.results import check_results, EDGES, EDGES_MARK, TRAJECTORIES
from ssd_ros.pose_graph.trajectory_files import write_tum
from ssd_ros.recognition import candidates
from ssd_ros.ros.health.texts import ODOMETRY_BEGAN_ANEW
from ssd_ros.ros.inputs.odometry_buffer import values_of
from ssd_ros.ros.messages.conversions import pose_from_msg, pose_msg, time_msg
from ssd_ros.ros.messages.geometry import Pose
from ssd_ros.ros.node.requests import survive_requests
from ssd_ros.ros.node.run import run, spin, StartupError
from ssd_ros.targets import write_file
from ssd_ros.user_paths import user_path
from std_msgs.msg import Header

_PATH_PERIOD_S = 1.0
_QUEUE = 1000  # messages that may wait while the solver works
_WARN_PERIOD_S = 5.0
_MAX_REASON = 100  # of the text of an error, whose first line says it


class PoseGraphNode(Node):
    """Feed a pose graph from two topics and publish what it says."""

    def __init__(
        self, odometry_topic: str, candidates_topic: str, config: PoseGraphConfig
    ) -> None:
        """Subscribe."""
        super().__init__('pose_graph')
        self._config = config
        self.graph = PoseGraph(config)
        self._stream = PoseStream()
        self._odometry_frame = self._candidates_frame = ''
        self._published_ns: int | None = None
        # Best effort matches every publisher.
        best_effort = QoSProfile(depth=_QUEUE, reliability=ReliabilityPolicy.BEST_EFFORT)
        self.create_subscription(Odometry, odometry_topic, self._on_odometry, best_effort)
        self.create_subscription(
            PointCloud2, candidates_topic, self._on_candidates, QoSProfile(depth=_QUEUE)
        )
        latched = QoSProfile(depth=1, durability=DurabilityPolicy.TRANSIENT_LOCAL)
        self._path = self.create_publisher(PathMsg, '~/path', latched)
        clock = Clock(clock_type=ClockType.STEADY_TIME)
        self.create_timer(_PATH_PERIOD_S, self._publish_path, clock=clock)
        survive_requests(self)

    def save(self, folder: Path) -> None:
        """Write the trajectories and the edges of the present graph; say so if that fails."""
        try:
            self._write(folder)
        except (OSError, ValueError) as error:
            self.get_logger().error(f'the results are lost: {error}')

    def _write(self, folder: Path) -> None:
        odometry, optimised, in_map = (folder / name for name in TRAJECTORIES)
        write_tum(odometry, self.graph.odometry())
        write_tum(optimised, self.graph.trajectory())
        for map_id in self.graph.map_ids[:1]:
            write_tum(in_map, self.graph.trajectory(map_id))
        lines = ''.join(_edge_line(used) + '\n' for used in self.graph.used_edges())
        write_file(folder / EDGES, lines.encode(), EDGES_MARK)

    def _on_odometry(self, msg: Odometry) -> None:
        values = values_of(pose_from_msg(msg.pose.pose))
        arrived = self._stream.add(_stamp_ns(msg.header), values, time.monotonic_ns())
        if arrived.left_out:
            self._ignore(f'odometry ignored: {arrived.left_out}')
        if arrived.forgets_all or self._is_beyond(arrived.forgets_after_ns):
            self.get_logger().warning('odometry jumps back in time: a new graph begins')
            self.graph = PoseGraph(self._config)
        elif arrived.begins_ns is not None:
            segment = arrived.poses[-1].segment + 1
            stamp_s = arrived.begins_ns / 1e9
            self.get_logger().warning(ODOMETRY_BEGAN_ANEW.format(stamp_s=stamp_s, segment=segment))
        self._odometry_frame = msg.header.frame_id
        for known in arrived.poses:
            self._add(known)

    def _is_beyond(self, stamp_ns: int | None) -> bool:
        """Return whether poses far beyond a stamp are in the graph, which cannot forget them."""
        newest_ns = self.graph.newest_stamp_ns
        if stamp_ns is None or newest_ns is None:
            return False
        return newest_ns - stamp_ns > RESTART_NS

    def _add(self, known: StampedPose) -> None:
        newest_ns = self.graph.newest_stamp_ns
        if newest_ns is not None and known.stamp_ns <= newest_ns:  # late, or twice
            return
        yaw_rad = yaw_from_quaternion(np.array(known.values[3:]))
        pose = np.array([*known.values[:2], yaw_rad])
        self._change(lambda: self.graph.add_odometry(known.stamp_ns, pose, known.segment))

    def _change(self, change: Callable[[], None]) -> None:
        """Add to the graph; what GTSAM cannot solve, it cannot go on from either."""
        try:
            change()
        except RuntimeError as error:
            reason = ' '.join(str(error).split())[:_MAX_REASON]
            self.get_logger().error(f'the graph cannot be solved, a new one begins: {reason}')
            self.graph = PoseGraph(self._config)

    def _ignore(self, text: str) -> None:
        self.get_logger().warning(text, throttle_duration_sec=_WARN_PERIOD_S)

    def _on_candidates(self, msg: PointCloud2) -> None:
        try:
            rows = candidates.from_msg(msg)
        except ValueError as error:
            self._ignore(f'candidates ignored: {error}')
            return
        self._candidates_frame = msg.header.frame_id
        self._change(lambda: self.graph.add_candidates(_stamp_ns(msg.header), rows))

    def _publish_path(self) -> None:
        newest_ns = self.graph.newest_stamp_ns
        if newest_ns is None or newest_ns == self._published_ns:
            return
        self._published_ns = newest_ns
        map_id = next(iter(self.graph.map_ids), None)
        frame = self._odometry_frame if map_id is None else self._candidates_frame
        header = Header(stamp=time_msg(newest_ns), frame_id=frame)
        nodes = self.graph.trajectory(map_id).select(self.graph.nodes)
        self._path.publish(_path_msg(nodes, header))


def _stamp_ns(header: Header) -> int:
    return int(header.stamp.sec) * 10**9 + int(header.stamp.nanosec)


def _path_msg(trajectory: Trajectory, header: Header) -> PathMsg:
    poses = [
        PoseStamped(
            header=Header(stamp=time_msg(stamp_ns), frame_id=header.frame_id),
            pose=pose_msg(Pose(position_m, quaternion)),
        )
        for stamp_ns, position_m, quaternion in zip(
            trajectory.stamps_ns.tolist(),
            trajectory.positions_m,
            trajectory.quaternions_xyzw,
            strict=True,
        )
    ]
    return PathMsg(header=header, poses=poses)


def _edge_line(used: UsedEdge) -> str:
    edge = used.edge
    return json.dumps(
        {
            'query_stamp_ns': edge.query_stamp_ns,
            'keyframe_stamp_ns': edge.keyframe_stamp_ns,
            'map_id': edge.map_id,
            'is_live': edge.is_live,
            'keyframe_query': _numbers(edge.keyframe_query),
            'map_keyframe': _numbers(edge.map_keyframe),
            'weight': used.weight,
        }
    )


def _numbers(pose: Any) -> list[float]:
    return [pose.x(), pose.y(), pose.theta()]


def main(argv: Sequence[str] | None = None) -> int:
    """Run the node until told to stop; returns the exit code."""
    argv = sys.argv[1:] if argv is None else argv
    parser = argparse.ArgumentParser(prog='pose_graph_node', description='example of a back end')
    parser.add_argument('--output', type=Path, required=True, help='directory of the results')
    parser.add_argument('--odometry-topic', default='/odom', help='nav_msgs/Odometry')
    parser.add_argument('--candidates-topic', default='/ssd_localizer/candidates')
    spacing_m = DEFAULT_CONFIG.node_spacing_m
    parser.add_argument('--node-spacing', type=float, default=spacing_m, help='in metres')
    parser.add_argument(
        '--radar-in-base',
        type=float,
        nargs=3,
        default=DEFAULT_CONFIG.radar_in_base,
        metavar=('X', 'Y', 'YAW'),
        help='of the radar that makes the keyframes of the live session, metres and radians',
    )
    options, ros_args = parser.parse_known_args(argv)
    return run('pose_graph_node', lambda: _serve(options), ros_args)


def _serve(options: argparse.Namespace) -> None:
    try:
        output = user_path(options.output)
        check_results(output)
        output.mkdir(parents=True, exist_ok=True)
        config = PoseGraphConfig(
            node_spacing_m=options.node_spacing, radar_in_base=tuple(options.radar_in_base)
        )
    except (OSError, ValueError) as error:
        raise StartupError(error) from error
    node = PoseGraphNode(options.odometry_topic, options.candidates_topic, config)
    try:
        spin(node)
    finally:
        node.save(output)
        node.destroy_node()


if __name__ == '__main__':
    sys.exit(main())
