# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Command `view`: the running node in the browser."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
import re
import sys

from ssd_ros.cli.common.console import EXIT_FAILED, make_parser
from ssd_ros.cli.common.page_options import add_page_options, server_config_of
from ssd_ros.packages import way_out

EXAMPLES = """\
  view
  view --host 0.0.0.0 --port 8080
  view --node ssd_localizer --ros-args -r __ns:=/car1
"""
_ROS_ARGUMENTS = '--ros-args'
_NODE = re.compile(r'(/?[A-Za-z_]\w*)+', re.ASCII)


def parser() -> argparse.ArgumentParser:
    """Return the parser of what stands before --ros-args."""
    result = make_parser(
        'view',
        'Show the running node in the browser: map, path, candidates with their confidence, what '
        'the encoder sees, diagnostics. Needs ROS 2. The page is for looking: it changes nothing.',
        EXAMPLES,
    )
    result.add_argument(
        '--node',
        type=_node,
        default='ssd_localizer',
        metavar='NAME',
        help='to look at (%(default)s)',
    )
    add_page_options(result)
    return result


def _node(text: str) -> str:
    if not _NODE.fullmatch(text) or '__' in text:
        raise argparse.ArgumentTypeError(
            f'{text[:100]!r} is no name of a node: expected one like /car1/ssd_localizer'
        )
    return text


def main(argv: Sequence[str] | None = None) -> int:
    """Serve the page until a signal ends it, and return the exit code."""
    arguments = list(sys.argv[1:] if argv is None else argv)
    at = arguments.index(_ROS_ARGUMENTS) if _ROS_ARGUMENTS in arguments else len(arguments)
    command = parser()
    options = command.parse_args(arguments[:at])
    try:
        from ssd_ros.ros.companions.view_node import serve

        config = server_config_of(options)
    except ImportError as error:
        print(f'{command.prog}: {way_out(error)}', file=sys.stderr)
        return EXIT_FAILED
    return serve(options.node, config, arguments[at:])
