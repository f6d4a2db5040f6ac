# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""
Command `pose_graph_demo`: what loop closures do for a back end, over real ROS 2.

Simulates a drive of several laps with drifting odometry, plays it to the node and to a pose graph
in GTSAM that takes the node's candidates, and compares the trajectory with and without them.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from contextlib import ExitStack
import os
from pathlib import Path

from ssd_ros.cli.common.console import (
    at_least,
    make_parser,
    ONE_THREAD,
    run_command,
    usable_cores,
)
from ssd_ros.cli.common.played_bag import wait_for_collector, wait_for_player
from ssd_ros.cli.common.ros_processes import ros_process
from ssd_ros.packages import require

EXAMPLES = """\
  pose_graph_demo --output pose_graph
  pose_graph_demo --output pose_graph --laps 2 --rate 2 --fresh
  pose_graph_demo --output pose_graph_map --map demo/map
  pose_graph_demo --output rejection --false-closures 0.5 --seeds 100
"""
TAKES = 'the laps are played at --rate; the first run simulates them before'
_REPORTS = 'pose_graph.json', 'pose_graph.png'
_REJECTION_REPORTS = 'rejection.json', 'rejection.png'
_NUM_FIRST = 20  # of 134 answers: so many false ones come first in one of the cases


def parser() -> argparse.ArgumentParser:
    """Return the parser of the command line."""
    result = make_parser(
        'pose_graph_demo',
        'Drive several simulated laps, find loop closures while driving and correct the drift of '
        'the odometry in a pose graph. Node, pose graph, player and collector are four processes '
        'that meet over ROS 2 topics. The drive is kept for the next run.',
        EXAMPLES,
        TAKES,
    )
    add = result.add_argument
    add('--output', type=Path, default=Path('pose_graph'), help='directory (%(default)s)')
    add('--laps', type=at_least(float, 0.1), default=3.0, help='of the drive (%(default)s)')
    add('--rate', type=at_least(float, 0.1), default=1.0, help='pace of playing (%(default)s)')
    add('--map', type=Path, help='map of the same world besides, such as demo/map of `demo`')
    presets = ('demo', 'unit')
    add('--preset', choices=presets, default='demo', help='world to drive in (%(default)s)')
    add('--fresh', action='store_true', help='simulate again')
    add(
        '--false-closures',
        type=_share,
        metavar='SHARE',
        help='instead, without ROS: feed drives of poses alone to the graph, this share of their '
        'loop closures false; writes rejection.json and rejection.png after some minutes',
    )
    add('--seeds', type=at_least(int, 1), default=100, help='drives of those (%(default)s)')
    return result


def _share(text: str) -> float:
    share = float(text)
    if not 0 <= share < 1:
        raise argparse.ArgumentTypeError(f'{text} is not 0 or more and less than 1')
    return share


def run(arguments: argparse.Namespace) -> None:
    """Do what the options ask for."""
    if arguments.false_closures is None:
        _run_laps(arguments)
    else:
        _run_false_closures(arguments)


def _run_false_closures(arguments: argparse.Namespace) -> None:
    """Drive with false closures, with and without consensus."""
    os.environ.update(ONE_THREAD)  # a core for each process
    from ssd_ros.cli.common.parallel import run_jobs
    from ssd_ros.cli.common.progress import progress_bar
    from ssd_ros.cli.pose_graph_demo.false_closures import FalseClosures, KINDS
    from ssd_ros.cli.pose_graph_demo.rejection import outcomes
    from ssd_ros.cli.pose_graph_demo.rejection_report import RejectionReport
    from ssd_ros.targets import check_files, check_working_folder

    output: Path = arguments.output.absolute()
    check_working_folder(output)
    check_files([output / name for name in _REJECTION_REPORTS])
    share = arguments.false_closures
    kinds = [FalseClosures(kind, share) for kind in KINDS]
    kinds.insert(1, FalseClosures(KINDS[0], share, _NUM_FIRST))
    jobs = [(seed, kinds) for seed in range(arguments.seeds)]
    with progress_bar('drive', 'drive') as progress:
        found = run_jobs(jobs, outcomes, usable_cores(), progress)
    report = RejectionReport([outcome for of_seed in found for outcome in of_seed])
    print(report.table())
    print(f'figures: {report.write(output / _REJECTION_REPORTS[0])}')
    print(f'picture: {report.draw(output / _REJECTION_REPORTS[1])}')


def _run_laps(arguments: argparse.Namespace) -> None:
    """Simulate what is missing, play it and judge the result."""
    require('numba', 'rclpy', 'gtsam')
    from ssd_ros.cli.pose_graph_demo.drive import LapsDrive, prepared_drive
    from ssd_ros.cli.pose_graph_demo.report import read_report
    from ssd_ros.pose_graph.results import check_results
    from ssd_ros.ros.companions.json_lines import ANSWERS_MARK
    from ssd_ros.targets import check_file, check_files

    output: Path = arguments.output.absolute()
    check_files([output / name for name in _REPORTS])
    check_file(output / 'answers.jsonl', ANSWERS_MARK)
    check_results(output)
    drive = LapsDrive(arguments.preset, arguments.laps)
    print(f'1/2 simulate: {drive.laps:g} laps and their odometry in {output / "bag"}')
    bag, truth = prepared_drive(drive, output, arguments.fresh)
    prior_map = arguments.map.absolute() if arguments.map else None
    _play(output, bag, arguments.rate, prior_map, len(truth))
    report = read_report(output, drive.settings(), truth)
    print(report.table())
    print(f'figures: {report.write(output / _REPORTS[0])}')
    print(f'picture: {report.draw(output / _REPORTS[1])}')


def _play(output: Path, bag: Path, rate: float, prior_map: Path | None, num_clouds: int) -> None:
    """Play the drive to the node and the pose graph; results are files in the directory."""
    from ssd_ros.datasets.bags.rosbag2_writer import ODOMETRY_TOPIC, POINTS_TOPIC
    from ssd_ros.pose_graph.results import remove_results
    from ssd_ros.ros.companions.dds_environment import isolated_dds
    from ssd_ros.ros.companions.json_lines import ANSWERS_MARK
    from ssd_ros.shared_files import shared_file
    from ssd_ros.targets import remove_file

    print('2/2 localize: node, pose graph, player and collector meet over DDS')
    answers = output / 'answers.jsonl'
    remove_file(answers, ANSWERS_MARK)
    remove_results(output)  # a run that fails must not show those of the last
    parameters = ['--params-file', str(shared_file('config/localize.yaml'))]
    parameters += ['-p', 'online_index:=true']
    if prior_map is not None:
        parameters += ['-p', f'index_path:={prior_map}']
    parameters += ['-p', 'stamp_source:=header']  # the drive was not recorded just now
    parameters += ['-r', f'points:={POINTS_TOPIC}', '-r', f'odom:={ODOMETRY_TOPIC}']
    player = [
        'companions.bag_player',
        '--bag',
        str(bag),
        '--topic',
        POINTS_TOPIC,
        '--rate',
        str(rate),
    ]
    player += ['--odometry-topic', ODOMETRY_TOPIC]
    with ExitStack() as stack:
        dds = stack.enter_context(isolated_dds(shared_file('config/fastdds_profile.xml')))
        stack.enter_context(ros_process(dds, 'node.localize_node', '--ros-args', *parameters))
        graph = ['companions.pose_graph_node', '--output', str(output)]
        stack.enter_context(ros_process(dds, *graph, '--odometry-topic', ODOMETRY_TOPIC))
        stack.enter_context(
            ros_process(dds, 'companions.candidate_collector', '--output', str(answers))
        )
        wait_for_collector(answers)
        with ros_process(dds, *player) as process:
            wait_for_player(process, answers, num_clouds)


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command and return its exit code."""
    return run_command(parser(), run, argv)
