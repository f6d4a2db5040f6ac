# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""
Command `demo`: the main job end to end on simulated drives, over real ROS 2.

Simulates two drives of a place that no model was trained on, builds a map of the first with
build_db, plays the 4D radar of the second from a rosbag2 to the node, and judges its answers.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path

from ssd_ros.cli.common.console import (
    at_least,
    EXIT_INTERRUPTED,
    EXIT_OK,
    make_parser,
    run_command,
    usable_cores,
)
from ssd_ros.cli.common.played_bag import wait_for_collector, wait_for_player
from ssd_ros.cli.common.ros_processes import ros_process
from ssd_ros.packages import require

EXAMPLES = """\
  demo --output demo
  demo --output demo --rate 2 --fresh
"""
TAKES = (
    'a drive of 74 s is played at --rate; the first run simulates two drives and builds '
    'the map before'
)


def parser() -> argparse.ArgumentParser:
    """Return the parser of the command line."""
    result = make_parser(
        'demo',
        'Localise simulated 4D radar scans in a map made from simulated spinning radar, over '
        'ROS 2 topics between three processes. Drives and map are kept for the next run.',
        EXAMPLES,
        TAKES,
    )
    add = result.add_argument
    add('--output', type=Path, default=Path('demo'), help='directory of everything (%(default)s)')
    add(
        '--rate',
        type=at_least(float, 0.1),
        default=1.0,
        help='pace of playing, 1 = as the sensor (%(default)s)',
    )
    add(
        '--preset',
        choices=('demo', 'unit'),
        default='demo',
        help='what to simulate: one lap around a block, or the first metres of one (%(default)s)',
    )
    add('--fresh', action='store_true', help='simulate and build again')
    return result


def run(arguments: argparse.Namespace) -> None:
    """Run the demo from the first missing piece on and print the table."""
    require('numba', 'rclpy')
    from ssd_ros.cli.demo.report import read_report

    output: Path = arguments.output.absolute()
    _check(output)
    mapping, query = _drives(output / 'drives', arguments.preset, arguments.fresh)
    _map(mapping, output / 'map', arguments.fresh)
    bag = _bag(query, output / 'bag', arguments.fresh)
    _localize(output, bag, arguments.rate)
    report = read_report(output, query)
    print(report.table())
    print(f'picture: {report.draw(output / "demo.png")}')


def _check(output: Path) -> None:
    """Refuse what stands in the way before the work begins."""
    from ssd_ros.datasets.bags.rosbag2_writer import BAG_FOLDER
    from ssd_ros.maps.target import MAP_FOLDER
    from ssd_ros.ros.companions.json_lines import ANSWERS_MARK, PUBLISHED_MARK
    from ssd_ros.targets import check_file, check_folder

    check_folder(output / 'map', MAP_FOLDER)
    check_folder(output / 'bag', BAG_FOLDER)
    check_file(output / 'demo.png')
    check_file(output / 'answers.jsonl', ANSWERS_MARK)
    check_file(output / 'published.jsonl', PUBLISHED_MARK)


def _drives(folder: Path, preset: str, is_fresh: bool) -> tuple[Path, Path]:
    """Simulate the mapping drive and the query drive; those that are there are kept."""
    from ssd_ros.cli.simulate.jobs import generate, jobs_of

    print(f'1/4 simulate: two drives of one place in {folder}')
    mapping, query = generate(jobs_of(preset, 'default'), folder, usable_cores(), is_fresh)[:2]
    return mapping, query


def _map(mapping: Path, path: Path, is_fresh: bool) -> None:
    """Encode the mapping drive, unless a map of it by the present teacher is there."""
    from ssd_ros.cli.build_db import command as build_db
    from ssd_ros.datasets.formats.open_sequence import open_sequence
    from ssd_ros.files import sha256_of
    from ssd_ros.maps.target import info_of_target
    from ssd_ros.shared_files import shared_file
    from ssd_ros.targets import ELSEWHERE

    info, drive = info_of_target(path), open_sequence(mapping).name
    if info is not None and not is_fresh:
        if info.get('source') != drive:
            raise ValueError(
                f'{path} is a map of {info.get("source")}, not of {drive}: {ELSEWHERE}, or --fresh'
            )
        if info.get('encoder_digest') == sha256_of(shared_file('models/teacher.onnx')):
            print(f'2/4 build_db: the map is in {path}')
            return
    print('2/4 build_db: a map from the spinning radar of the first drive')
    _require_success(build_db.main(['--input', str(mapping), '--output', str(path)]))


def _bag(query: Path, path: Path, is_fresh: bool) -> Path:
    """Write the 4D radar of the query drive as rosbag2, unless it is there."""
    from ssd_ros.datasets.bags.rosbag2_writer import drive_of_bag, write_rosbag2
    from ssd_ros.datasets.formats.open_sequence import open_sequence

    print(f'3/4 rosbag2: the 4D radar of the second drive in {path}')
    drive = open_sequence(query)
    if is_fresh or not (path / 'metadata.yaml').is_file() or drive_of_bag(path) != drive.name:
        write_rosbag2(path, drive, with_scans=False)
    return path


def _localize(output: Path, bag: Path, rate: float) -> None:
    """Play the bag to the node and collect its answers, in three processes."""
    from ssd_ros.datasets.bags.rosbag2_writer import POINTS_TOPIC
    from ssd_ros.datasets.formats.open_sequence import open_sequence
    from ssd_ros.ros.companions.dds_environment import isolated_dds
    from ssd_ros.ros.companions.json_lines import ANSWERS_MARK
    from ssd_ros.shared_files import shared_file
    from ssd_ros.targets import remove_file

    print('4/4 localize: node, player and collector are three processes that meet over DDS')
    answers, published = output / 'answers.jsonl', output / 'published.jsonl'
    remove_file(answers, ANSWERS_MARK)
    parameters = ['--params-file', str(shared_file('config/localize.yaml'))]
    parameters += ['-p', f'index_path:={output / "map"}', '-r', f'points:={POINTS_TOPIC}']
    parameters += ['-p', 'stamp_source:=header']  # the drive was not recorded just now
    with ExitStack() as stack:
        dds = stack.enter_context(isolated_dds(shared_file('config/fastdds_profile.xml')))
        stack.enter_context(ros_process(dds, 'node.localize_node', '--ros-args', *parameters))
        collector = ['companions.candidate_collector', '--output', str(answers)]
        stack.enter_context(ros_process(dds, *collector))
        wait_for_collector(answers)
        player = [
            'companions.bag_player',
            '--bag',
            str(bag),
            '--topic',
            POINTS_TOPIC,
            '--rate',
            str(rate),
        ]
        with ros_process(dds, *player, '--log', str(published)) as process:
            wait_for_player(process, answers, len(open_sequence(bag).cloud_stamps_ns))


def _require_success(exit_code: int) -> None:
    if exit_code == EXIT_INTERRUPTED:
        raise KeyboardInterrupt
    if exit_code != EXIT_OK:
        raise ValueError(f'the step failed with exit code {exit_code}; --fresh starts anew')


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command and return its exit code."""
    return run_command(parser(), run, argv)
