# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""A ROS process ends promptly and with code 0, whenever the signal comes."""

from __future__ import annotations

import json
from pathlib import Path
import signal
import subprocess
import sys

import pytest
from sensor_msgs.msg import PointCloud2
from ssd_ros.datasets.bags.rosbag2_writer import write_rosbag2
from support.posts import straight_drive
from support.ros import LIMIT_S, Peer, Processes, ROOT

# What rclpy does on a signal when its wake-up comes to nothing: it shuts the context down.
LOST_WAKE_UP = """
import threading
import time
from rclpy.node import Node
from ssd_ros.ros.node.run import run, spin

def shut_down(node):
    time.sleep(0.5)  # the executor waits meanwhile
    node.context.handle.shutdown()

def body():
    node = Node('test')
    threading.Thread(target=shut_down, args=(node,), daemon=True).start()
    try:
        spin(node)
    finally:
        node.destroy_node()
        print('ended')

raise SystemExit(run('test', body, []))
"""

SIGNAL_BEFORE_RCLPY_HAS_A_HANDLER = """
import os
import rclpy
from ssd_ros.ros.node.run import run

def init(args):
    os.kill(os.getpid(), {number})
    rclpy_init(args=args)

rclpy_init, rclpy.init = rclpy.init, init
raise SystemExit(run('test', lambda: print('began'), []))
"""

SIGNALS_AT_THE_END = """
import os, signal
from ssd_ros.ros.node.run import run

code = run('test', lambda: None, [])
for number in (signal.SIGINT, signal.SIGTERM):
    assert signal.getsignal(number) == signal.SIG_IGN
    os.kill(os.getpid(), number)
raise SystemExit(code)
"""


def output_of(program: str) -> str:
    """Run a program, which has to end with code 0."""
    command = [sys.executable, '-c', program]
    ended = subprocess.run(
        command, cwd=ROOT, timeout=LIMIT_S, text=True, stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )  # fmt: skip
    assert ended.returncode == 0, ended.stdout
    return ended.stdout


def test_spin_ends_when_the_wake_up_of_the_signal_is_lost(ros_domain: None) -> None:
    assert output_of(LOST_WAKE_UP) == 'ended\n'


@pytest.mark.parametrize('number', [signal.SIGINT, signal.SIGTERM], ids=lambda item: item.name)
def test_a_signal_before_ros_is_up_ends_the_process(
    ros_domain: None, number: signal.Signals
) -> None:
    assert output_of(SIGNAL_BEFORE_RCLPY_HAS_A_HANDLER.format(number=int(number))) == ''


def test_signals_do_no_harm_while_the_process_ends(ros_domain: None) -> None:
    assert output_of(SIGNALS_AT_THE_END) == ''


def test_a_signal_ends_the_player_in_the_middle_of_a_bag(
    peer: Peer, processes: Processes, tmp_path: Path
) -> None:
    drive = straight_drive(num=4)
    drive.step_ns = 100 * 10**9
    bag = write_rosbag2(tmp_path / 'bag', drive, with_scans=False)
    received: list[PointCloud2] = []
    peer.node.create_subscription(PointCloud2, '/middle', received.append, 10)
    log = tmp_path / 'published.jsonl'
    player = processes.start(
        'companions.bag_player', '--bag', str(bag), '--topic', '/radar/points', '--log', str(log),
        '--ros-args', '-r', '/radar/points:=/middle',
    )  # fmt: skip
    peer.wait(lambda: received, 'the first cloud')
    assert player.end(signal.SIGTERM) == 0, player.text()
    assert len([json.loads(line) for line in log.read_text().splitlines()]) == 1
