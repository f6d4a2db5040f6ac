# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Command `simulate`: drives of simulated radars as files, pictures and statistics of them."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Sequence
from pathlib import Path

from ssd_ros.cli.common.console import at_least, make_parser, run_command, usable_cores

EXAMPLES = """\
  simulate generate --preset demo --out data/simulated
  simulate generate --preset bench --out data/rain --seed 2003 --sessions 3 --rain 0,0,8
  simulate generate --preset native --out data/native --difficulty hard --jobs 2
  simulate generate --preset demo --out data/tunnel --world tunnel
  simulate generate --preset demo --out data/fog --lidar spinning --weather clear,fog
  simulate preview --seed 7 --session 0 --frame 900 --out preview.png
  simulate stats data/simulated
  simulate speed
"""
# Kept here so that --help need not compile the simulator; a test compares them with its own.
PRESETS = ('unit', 'demo', 'bench', 'native')
DIFFICULTIES = ('easy', 'default', 'hard')
WEATHERS = ('clear', 'night', 'moderate_rain', 'heavy_rain', 'wet_snow', 'fog')
LIDARS = ('spinning', 'fmcw')
LAYOUTS = ('hercules', 'boreas')
_REPEATED = ('equal_blocks', 'car_park', 'doubled', 'avenue', 'motorway', 'tunnel')
WORLDS = ('town', *_REPEATED, 'suburb', 'industrial', 'forest_edge', 'old_town', 'campus')
_WORLD_HELP = f'kind of place; {", ".join(_REPEATED)} repeat themselves (%(default)s)'


def parser() -> argparse.ArgumentParser:
    """Return the parser of the command line."""
    result = make_parser(
        'simulate',
        'Simulate drives through procedural towns, or places that repeat themselves, with a '
        'spinning radar, a 4D radar and perhaps a LiDAR, and write them in the format of the '
        'HeRCULES data set.',
        EXAMPLES,
    )
    commands = result.add_subparsers(required=True, metavar='COMMAND')
    _add_generate(commands.add_parser('generate', help='write drives in HeRCULES format'))
    _add_preview(commands.add_parser('preview', help='draw one moment of a drive'))
    _add_stats(commands.add_parser('stats', help='compare written drives with real sensors'))
    _add_speed(commands.add_parser('speed', help='time the sensors'))
    return result


def _add_generate(command: argparse.ArgumentParser) -> None:
    add = command.add_argument
    add('--out', required=True, type=Path, help='directory that gets PLACE/01, PLACE/02, ...')
    add('--preset', default='demo', choices=PRESETS, help='what to simulate (%(default)s)')
    add('--seed', type=at_least(int, 0), help='the one world to simulate (those of the preset)')
    add('--world', default='town', choices=WORLDS, help=_WORLD_HELP)
    add('--sessions', type=at_least(int, 1), metavar='NUM', help='drives through each world')
    add('--difficulty', default='default', choices=DIFFICULTIES, help='(%(default)s)')
    add('--rain', type=_rain, metavar='MM,MM,...', help='rain in mm/h for each session')
    add(
        '--weather',
        type=_weathers,
        metavar='NAME,...',
        help=f'weather of each session, of {", ".join(WEATHERS)} (as the difficulty has it)',
    )
    add('--lidar', choices=LIDARS, help='with a LiDAR: all around, or ahead with Doppler (none)')
    add(
        '--lidar-rate',
        type=at_least(float, 0.01),
        default=2.0,
        metavar='HZ',
        help='its scans a second (%(default)s)',
    )
    add(
        '--layout',
        choices=LAYOUTS,
        default='hercules',
        help='boreas: as Boreas-RT, without the 4D radar (%(default)s)',
    )
    add('--native', action='store_true', help='spinning images with 3424 bins instead of 856')
    jobs = min(2, usable_cores())
    add('--jobs', type=at_least(int, 1), default=jobs, help='processes (%(default)s)')
    command.set_defaults(run=_generate)


def _add_preview(command: argparse.ArgumentParser) -> None:
    add = command.add_argument
    add('--out', required=True, type=Path, help='the picture, a PNG file')
    add('--seed', type=at_least(int, 0), default=7, help='of the world (%(default)s)')
    add('--world', default='town', choices=WORLDS, help=_WORLD_HELP)
    add('--session', type=at_least(int, 0), default=0, help='number of the drive (%(default)s)')
    add('--frame', type=at_least(int, 0), default=900, help='4D scan to draw (%(default)s)')
    add('--difficulty', default='default', choices=DIFFICULTIES, help='(%(default)s)')
    command.set_defaults(run=_preview)


def _add_stats(command: argparse.ArgumentParser) -> None:
    command.add_argument('directory', type=Path, help='where drives were written')
    command.set_defaults(run=_stats)


def _add_speed(command: argparse.ArgumentParser) -> None:
    add = command.add_argument
    add('--seed', type=at_least(int, 0), default=7, help='of the world (%(default)s)')
    add('--scans', type=at_least(int, 1), default=20, metavar='NUM', help='of each (%(default)s)')
    command.set_defaults(run=_speed)


def _weathers(text: str) -> list[str]:
    names = text.split(',')
    if unknown := [name for name in names if name not in WEATHERS]:
        raise argparse.ArgumentTypeError(
            f'no weather {unknown[0]!r}; choose from {", ".join(WEATHERS)}'
        )
    return names


def _rain(text: str) -> list[float]:
    return [at_least(float, 0)(part) for part in text.split(',')]


def _generate(arguments: argparse.Namespace) -> None:
    from ssd_ros.cli.simulate.jobs import generate, jobs_of

    jobs = jobs_of(
        arguments.preset,
        arguments.difficulty,
        seed=arguments.seed,
        num_sessions=arguments.sessions,
        rain_mm_per_h=arguments.rain,
        is_native=arguments.native,
        world=arguments.world,
        weather=arguments.weather,
        lidar=arguments.lidar,
        lidar_rate_hz=arguments.lidar_rate,
    )
    for path in generate(jobs, arguments.out, arguments.jobs, layout=arguments.layout):
        print(path)


def _preview(arguments: argparse.Namespace) -> None:
    from ssd_ros.cli.simulate.picture import draw
    from ssd_ros.targets import check_file

    check_file(arguments.out)
    frame, difficulty, world = arguments.frame, arguments.difficulty, arguments.world
    draw(arguments.out, arguments.seed, arguments.session, frame, difficulty, world)
    print(arguments.out)


def _stats(arguments: argparse.Namespace) -> None:
    from ssd_ros.cli.simulate.jobs import written_drives
    from ssd_ros.datasets.formats.open_sequence import open_sequence
    from ssd_ros.simulator.recordings.statistics import sequence_statistics

    num_outside = 0
    for path in written_drives(arguments.directory):
        sequence = open_sequence(path, 'hercules')
        print(f'{sequence.name} (simulated)')
        for statistic in sequence_statistics(sequence):
            num_outside += not statistic.is_in_band
            verdict = 'ok' if statistic.is_in_band else 'OUTSIDE'
            band = f'{statistic.low:g} ... {statistic.high:g}'
            print(f'  {statistic.name:38} {statistic.value:9.3f}   {band:16} {verdict}')
    if num_outside:
        raise ValueError(f'{num_outside} statistics lie outside the bands of real sensors')


def _speed(arguments: argparse.Namespace) -> None:
    from ssd_ros.cli.simulate.speed import sensor_times

    print('simulated, one thread, processor time without the writing of files')
    for name, times in sensor_times(arguments.seed, arguments.scans).items():
        print(
            f'  {name:16} {1000 * times.seconds:7.1f} ms a scan, {1 / times.seconds:6.0f} a '
            f'second, {times.num_points:9.0f} {times.unit}'
        )


def _run(arguments: argparse.Namespace) -> None:
    run: Callable[[argparse.Namespace], None] = arguments.run
    run(arguments)


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command and return its exit code."""
    return run_command(parser(), _run, argv)
