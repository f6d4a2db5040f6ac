# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Command `serve`: answer the queries of a fleet from one map, and hand out its squares."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

from ssd_ros.cli.common.console import at_least, make_parser, run_command
from ssd_ros.cli.common.page_options import add_address_options, server_config_of
from ssd_ros.packages import require

EXAMPLES = """\
  serve city.map
  serve city.map --host 0.0.0.0 --allow-host places.example.org
  serve yard.map --port 0 --model student.onnx

  curl http://127.0.0.1:8766/v1/map
  curl --data-binary @descriptor.npy 'http://127.0.0.1:8766/v1/descriptor?k=5'
  curl --data-binary @scan.npy 'http://127.0.0.1:8766/v1/cloud?x=120&y=-40&radius=500'
"""


def parser() -> argparse.ArgumentParser:
    """Return the parser of the command line."""
    result = make_parser(
        'serve',
        'Answer over HTTP where in a map a descriptor or a scan was seen, and hand out the '
        'squares of a map of a city. A map that is replaced is taken over at the next request. '
        'SIGTERM and Ctrl-C end it once all that was taken in is answered.',
        EXAMPLES,
    )
    add = result.add_argument
    add('map', type=Path, metavar='MAP', help='a map of either form')
    add(
        '--model',
        type=Path,
        help="student that scans are encoded with (the one that is installed, if it is the map's)",
    )
    add_address_options(result, 8766, 'ask')
    add(
        '--max-waiting',
        type=at_least(int, 1),
        default=64,
        metavar='N',
        help='requests taken in at a time; who comes then is told to come again (%(default)s)',
    )
    add(
        '--max-downloads',
        type=at_least(int, 1),
        default=16,
        metavar='N',
        help='squares sent at a time (%(default)s)',
    )
    add(
        '--grace',
        type=at_least(float, 0),
        default=30.0,
        metavar='SECONDS',
        help='longest time to answer what was taken in, at the end (%(default)s)',
    )
    return result


def serve(arguments: argparse.Namespace) -> None:
    """Serve until a signal comes."""
    require('aiohttp')
    from ssd_ros.fleet.places import ServedMap
    from ssd_ros.fleet.server import Bounds, PlaceServer
    from ssd_ros.recognition.compiled_parts import use_compiled

    use_compiled()
    places = ServedMap(arguments.map, arguments.model)
    opened = places.opened
    database = opened.database
    print(f'map        {arguments.map}, revision {opened.revision[:12]}')
    print(f'holds      {len(database)} keyframes, {database.num_rows} rows, '
          f'{len(opened.squares) or "no"} squares')  # fmt: skip
    for problem in filter(None, [*places.problems, opened.no_clouds]):
        print(f'warning    {problem}')
    bounds = Bounds(arguments.max_waiting, arguments.max_downloads, arguments.grace)
    server = PlaceServer(places, server_config_of(arguments), bounds)
    server.run(lambda url: print(f'serving    {url}', flush=True))
    print('ended      all that was taken in is answered')


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command and return its exit code."""
    return run_command(parser(), serve, argv)
