# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Command `cache`: drives as the networks see them, for training and evaluation."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from ssd_ros.cli.common.console import at_least, make_parser, run_command, usable_cores
from ssd_ros.cli.common.drive_options import (
    add_drive_options,
    BOTH,
    options_of,
    refuse_drive_options,
    SENSORS,
)

if TYPE_CHECKING:
    from ssd_ros.cli.cache.jobs import CacheJob

EXAMPLES = """\
  cache --benchmark train --out runs/cache
  cache --benchmark test --out runs/cache --jobs 2
  cache --benchmark train_wide --out runs/cache
  cache --benchmark train_wide --window 20 --only 4d --out runs/cache
  cache --benchmark train_wide --submap 150 --out runs/cache
  cache --benchmark train --lidar --out runs/cache
  cache --benchmark train --config config/fourdral_small.yaml --out runs/density
  cache --benchmark validation --weather fog wet_snow --config config/fourdral_small.yaml \\
        --out runs/density
  cache --hercules HeRCULES --config my_training.yaml --out runs/hercules
  cache --hercules HeRCULES --split test --query-spacing 0.3 --out runs/hercules
  cache --drives MulRan/DCC01 MulRan/DCC02 --world DCC --out runs/mulran
  cache --drives mapping_car.mcap radar_car.mcap --world yard --split train --out runs/yard \\
        --poses mapping_car.txt radar_car.txt --spinning-preset fomo --points-topic /ars548/points
"""
TAKES = (
    'about 20 minutes of a core for the splits train, validation and test together, most '
    'of it for simulating'
)


def parser() -> argparse.ArgumentParser:
    """Return the parser of the command line."""
    result = make_parser(
        'cache',
        'Turn drives into the images that the networks see, one directory OUT/SPLIT/DRIVE each, '
        'of the simulated benchmark, of the HeRCULES data set split as in the papers, or any. '
        'With a section density in the configuration these are density images of 4D radar and '
        'LiDAR. '
        'Drives that are there already with the same options are kept, so that an interrupted '
        'run goes on. Of HeRCULES, headings that drift are taken from the course (--heading '
        'auto:3.5), and drives that cannot be used are named and skipped.',
        EXAMPLES,
        TAKES,
    )
    add = result.add_argument
    source = result.add_mutually_exclusive_group(required=True)
    source.add_argument(
        '--benchmark',
        metavar='SPLIT',
        help='simulate: train, validation, validation_hard, validation_trust, validation_turns, '
        'test, test_trust (turns: spinning radar alone); random worlds and radars: train_wide, '
        'train_back (each driven both ways); unlike those: validation_far, test_far',
    )
    source.add_argument(
        '--hercules', type=Path, metavar='ROOT', help='directory with PLACE/NUMBER below it'
    )
    source.add_argument('--drives', type=Path, nargs='+', metavar='PATH', help='recorded drives')
    add('--out', required=True, type=Path, help='directory of the cache')
    add(
        '--split',
        choices=('papers', 'train', 'validation', 'test'),
        help="of --hercules: all of the papers' split or one part of it (papers); "
        'of --drives: what they are for (test)',
    )
    add('--world', metavar='NAME', help='of --drives: the place whose map frame they share')
    add(
        '--query-spacing',
        type=at_least(float, 0),
        metavar='METRES',
        help='between 4D images of recorded drives (0.3; 0.5 for those of the test)',
    )
    add(
        '--scan-spacing',
        type=at_least(float, 0),
        default=0.0,
        metavar='METRES',
        help='between spinning scans of recorded drives, 0 for every scan (%(default)s)',
    )
    add(
        '--config',
        type=Path,
        metavar='FILE',
        help='YAML of the training, for its section preprocessing (config/training.yaml)',
    )
    add(
        '--window',
        type=at_least(float, 0),
        metavar='METRES',
        help="of way in a 4D image, in place of the YAML's; the split's directory is named for it",
    )
    add(
        '--submap',
        type=at_least(float, 10),
        metavar='METRES',
        help='local maps of so much way of the 4D radar, seen all around, in place of the '
        "spinning radar's scans, and no other image; the split's directory is named for it",
    )
    add(
        '--lidar',
        action='store_true',
        help='local maps of the LiDAR, as maps of it have them, in place of the spinning '
        "radar's scans; the split's directory is named for it",
    )
    add(
        '--weather',
        nargs='+',
        metavar='NAME',
        help='of --benchmark: the second drive of each world once more in each of these weathers '
        '(as `simulate` has them) instead of the drives themselves, in directories SPLIT_NAME',
    )
    add('--only', choices=('4d', 'spinning'), help='images of one radar alone')
    add_drive_options(result, SENSORS, order='--drives')
    add('--jobs', type=at_least(int, 1), default=min(2, usable_cores()), help='(%(default)s)')
    return result


def run(arguments: argparse.Namespace) -> None:
    """Fill the cache and say what each drive holds."""
    from ssd_ros.cli.cache.drives import (
        check_drives,
        hercules_drives,
        recorded_drives,
        without_faulty,
    )
    from ssd_ros.cli.cache.jobs import (
        fill_cache,
        in_windows,
        of_lidar_maps,
        of_radar,
        of_submaps,
        read_preprocessing,
    )
    from ssd_ros.shared_files import shared_file
    from ssd_ros.targets import check_working_folder

    if arguments.weather and not arguments.benchmark:
        raise ValueError('--weather is for --benchmark: recorded drives have their own')
    check_working_folder(arguments.out)
    preprocessing = read_preprocessing(arguments.config or shared_file('config/training.yaml'))
    notes: list[str] = []
    if arguments.benchmark:
        jobs = _simulated(arguments, preprocessing.density is not None)
    elif arguments.hercules:
        reason = 'is for --drives: --hercules finds the files itself'
        refuse_drive_options(arguments, reason, allowed=('heading',))
        jobs, notes = hercules_drives(
            arguments.hercules,
            arguments.split or 'papers',
            arguments.query_spacing,
            arguments.scan_spacing,
            options_of(arguments, [arguments.hercules])[0].heading,
        )
        jobs, faulty = without_faulty(jobs)
        notes += faulty
    else:
        jobs = recorded_drives(
            arguments.drives,
            _world(arguments),
            arguments.split or 'test',
            options_of(arguments, arguments.drives),
            arguments.query_spacing,
            arguments.scan_spacing,
            ('4d', 'lidar') if arguments.lidar else BOTH,
        )
        check_drives(job.source for job in jobs)
    if arguments.only:
        jobs = of_radar(jobs, arguments.only)
    if arguments.submap:
        _refuse_beside_submap(arguments, preprocessing.density is not None)
        jobs = of_submaps(jobs, arguments.submap)
    if arguments.lidar:
        _refuse_beside_lidar(arguments, preprocessing.density is not None)
        jobs = of_lidar_maps(jobs)
    if arguments.window is not None:
        jobs, preprocessing = in_windows(jobs, preprocessing, arguments.window)
    for summary in fill_cache(jobs, arguments.out, preprocessing, arguments.jobs):
        print(summary)
    for note in notes:
        print(f'note: {note}')
    print(f'{arguments.out}: {len(jobs)} drives')


def _simulated(arguments: argparse.Namespace, has_density: bool) -> list[CacheJob]:
    from ssd_ros.cli.cache.drives import benchmark_drives, in_weathers
    from ssd_ros.cli.cache.jobs import beside

    _refuse_recorded_options(arguments)
    jobs = benchmark_drives(arguments.benchmark, arguments.lidar or has_density)
    if has_density:
        jobs = beside(jobs)
    return in_weathers(jobs, arguments.weather) if arguments.weather else jobs


def _world(arguments: argparse.Namespace) -> str:
    world = str(arguments.world or '')
    if not world or '/' in world or arguments.split == 'papers':
        raise ValueError(
            f'--drives needs --world, a name without / of the place they share, not {world!r}, '
            'and a --split of train, validation or test'
        )
    return world


def _refuse_beside_submap(arguments: argparse.Namespace, has_density: bool) -> None:
    if arguments.window is not None or arguments.only or has_density:
        raise ValueError(
            '--submap makes images of local maps alone: expected no --window, no --only and no '
            'section density in the configuration'
        )


def _refuse_beside_lidar(arguments: argparse.Namespace, has_density: bool) -> None:
    if arguments.submap or arguments.only or has_density:
        raise ValueError(
            "--lidar puts local maps in the place of the spinning radar's scans: expected no "
            '--submap, no --only and no section density in the configuration'
        )


def _refuse_recorded_options(arguments: argparse.Namespace) -> None:
    for name in ('split', 'world', 'query_spacing'):
        if getattr(arguments, name) is not None:
            option = '--' + name.replace('_', '-')
            raise ValueError(f'{option} is for recorded drives; the benchmark has its own')
    refuse_drive_options(arguments, 'is for recorded drives; the benchmark has its own')


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command and return its exit code."""
    return run_command(parser(), run, argv)
