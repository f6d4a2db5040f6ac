# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Command `quickstart`: look at the running graph, start the node, wait for the first pose."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
import math
from pathlib import Path
import subprocess
from typing import TYPE_CHECKING

from ssd_ros.cli.common.console import at_least, make_parser, run_command
from ssd_ros.cli.common.drive_options import add_drive_options
from ssd_ros.cli.doctor.command import add_graph_options, add_node_options, conclude

if TYPE_CHECKING:
    from ssd_ros.cli.doctor.examination import Examination
    from ssd_ros.ros.companions.first_pose import Watched

EXIT_NO_POSE = 3
EXAMPLES = """\
  quickstart --map library.map
  quickstart --map library.map --topic /front/points --seconds 60 --wait 120
  quickstart --map library.map --params config/drivers/altos.yaml --stop
"""


def parser() -> argparse.ArgumentParser:
    """Return the parser of the command line."""
    result = make_parser(
        'quickstart',
        'Look at the running graph as `doctor` does, write the parameters, start the node with '
        'them, wait for the first accepted pose and say what to do if none comes. The node then '
        'runs until Ctrl-C. Exit code: 0 a pose was accepted, 1 the node cannot run with what was '
        'found, 2 wrong usage, 3 the node ran, but no pose was accepted in time. Needs ROS 2.',
        EXAMPLES,
        '--seconds to look, half a minute to start, and up to --wait for a pose',
    )
    add = result.add_argument
    add(
        '--wait',
        type=at_least(float, 1),
        default=60.0,
        metavar='SECONDS',
        help='for the first accepted pose, once the node is up (%(default)s)',
    )
    add(
        '--write',
        type=Path,
        metavar='FILE',
        default=Path('quickstart.yaml'),
        help='parameter file to write and to start the node with (%(default)s)',
    )
    add('--stop', action='store_true', help='end the node with the first pose, too')
    add_node_options(result)
    add_graph_options(result)
    add_drive_options(result)
    return result


def start(arguments: argparse.Namespace) -> bool:
    """
    Look, start and wait.

    :return: whether a pose was accepted
    :raise ValueError: the node cannot run with what was found
    """
    from ssd_ros.cli.doctor.graph import examined_graph, NAME
    from ssd_ros.packages import require
    from ssd_ros.targets import check_files

    require('rclpy')
    check_files([arguments.write, arguments.picture])
    print(f'1/3 look at {NAME}')
    with examined_graph(arguments, print) as examination:
        _check(examination)
        print('2/3 the parameters')
        conclude(examination, arguments, NAME)
    return _run(arguments, examination.settings.ros_arguments)


def _check(examination: Examination) -> None:
    """Refuse what no node can run with; all else is said, and tried."""
    from ssd_ros.ros.messages.topics import NODE

    if any(f'{NODE} runs already' in finding.words for finding in examination.findings):
        raise ValueError(f'{NODE} runs already: end it first')
    parameters = examination.settings.parameters
    if examination.scans is None:
        raise ValueError('no scan of a radar can be used: mend what is said above')
    if not (parameters.index_path or parameters.online_index):
        raise ValueError('no map that can be used: give --map, or --params with online_index')
    if left := examination.left_to_mend:
        print(f'{len(left)} to mend that no parameter mends, see above: started all the same')


def _run(arguments: argparse.Namespace, remaps: Sequence[str]) -> bool:
    from ssd_ros.cli.common.ros_processes import ros_process
    from ssd_ros.ros.companions.first_pose import watch_node

    print(f'3/3 start the node and wait {arguments.wait:.0f} s for a pose')
    given = ['--ros-args', '--params-file', str(arguments.write), *remaps]
    with ros_process({}, 'node.localize_node', *given) as process:
        seen = watch_node(arguments.wait, print, lambda: process.poll() is None)
        if seen.keyframes is None:
            raise ValueError('the node did not come up: see what it says above')
        _tell(seen)
        if seen.pose is not None and not arguments.stop:
            _go_on(process)
    return seen.pose is not None


def _go_on(process: subprocess.Popen[bytes]) -> None:
    """Wait until somebody ends the node; Ctrl-C is the way to do it."""
    print('the node runs until Ctrl-C')
    try:
        process.wait()
    except KeyboardInterrupt:
        print('ended')


def _tell(seen: Watched) -> None:
    from ssd_ros.cli.quickstart.advice import advice_on

    if seen.pose is not None:
        x_m, y_m, yaw_rad = seen.pose
        print(
            f'found after {seen.after_s:.1f} s: x {x_m:.2f} m, y {y_m:.2f} m, yaw '
            f'{math.degrees(yaw_rad):.1f} degrees in {seen.frame!r}'
        )
        return
    print(f'no pose was accepted in {seen.after_s:.0f} s')
    reasons = [kind for kind, _ in seen.reasons.most_common(3)]
    for kind in reasons:
        print(f'  {seen.reasons[kind]} times: {seen.examples[kind]}')
    for name, message in seen.problems.items():
        if message not in seen.examples.values():
            print(f'  {name}: {message}')
    print('what to do:')
    for what in advice_on([*reasons, *seen.problems.values()] or ['']):
        print(f'  - {what}')


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command and return its exit code."""
    found: list[bool] = []
    code = run_command(parser(), lambda arguments: found.append(start(arguments)), argv)
    return EXIT_NO_POSE if found == [False] else code
