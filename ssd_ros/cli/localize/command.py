# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Command `localize`: the ROS 2 node, with the arguments that ROS gives it."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
import gc
import sys

from ssd_ros.cli.common.console import EXIT_FAILED, make_parser
from ssd_ros.packages import way_out

EXAMPLES = """\
  localize --ros-args -p index_path:=library.map -r points:=/radar/points
  localize --ros-args --params-file config/localize.yaml -p online_index:=true
  localize --ros-args --log-level debug
"""
_ROS_ARGUMENTS = '--ros-args'


def parser() -> argparse.ArgumentParser:
    """Return the parser of what stands before --ros-args: nothing."""
    result = make_parser(
        'localize',
        'Run the node ssd_localizer: 4D radar clouds in, loop-closure and global-localisation '
        'candidates out. It is a lifecycle node; config/localize.yaml lists its parameters. Needs '
        'ROS 2.',
        EXAMPLES,
    )
    result.usage = '%(prog)s [-h] [--ros-args ...]'
    return result


def main(argv: Sequence[str] | None = None) -> int:
    """Run the node until a signal ends it, and return its exit code."""
    arguments = list(sys.argv[1:] if argv is None else argv)
    at = arguments.index(_ROS_ARGUMENTS) if _ROS_ARGUMENTS in arguments else len(arguments)
    command = parser()
    command.parse_args(arguments[:at])
    gc.disable()  # until it is active: looking for garbage takes a tenth of the start
    try:
        from ssd_ros.ros.node.localize_node import main as run_node
    except ImportError as error:
        print(f'{command.prog}: {way_out(error)}', file=sys.stderr)
        return EXIT_FAILED
    else:
        return run_node(arguments[at:])
    finally:
        gc.enable()
