# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Command `trust`: how far accepted candidates can be trusted, and the calibration for that."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from ssd_ros.cli.common.console import at_least, make_parser, run_command, usable_cores
from ssd_ros.cli.common.drive_options import (
    add_drive_options,
    BOTH,
    flag_of,
    refuse_drive_options,
    SENSORS,
)
from ssd_ros.cli.common.map_options import add_opposite_lane
from ssd_ros.shared_files import ENCODERS, shared_file

if TYPE_CHECKING:
    from ssd_ros.cli.trust.asked.jobs import Models
    from ssd_ros.confidence.model import ConfidenceModel
    from ssd_ros.encoders.place_encoder import PlaceEncoder

# Kept here so that --help need not import NumPy; a test compares them with the model's.
FEATURES = ('distance', 'ratio', 'overlap', 'agreement', 'rival', 'support')
EXAMPLES = """\
  trust --benchmark validation validation_hard validation_trust --out runs/trust \\
      --fit models/confidence.json
  trust --benchmark test test_trust --out runs/trust --report trust_test
  trust --benchmark test test_trust --out runs/trust --encoder scan_context --report fallback
  trust --benchmark validation shift_fit --out runs/trust --fit unseen.json
  trust --benchmark shift --out runs/trust --confidence unseen.json --report shift
  trust --drives Library/01 Library/02 --strangers Sports/01 Sports/02 --out runs/mine \\
      --fit mine.json --store-in library.map --report mine
  trust --drives mapping_car.mcap radar_car.mcap --poses mapping_car.txt radar_car.txt \\
      --scan-topic /radar/polar --points-topic /ars548/points --out runs/yard --report yard
  trust --drives library.map radar_car.mcap --poses radar_car.txt --out runs/mine --fit mine.json
  trust --drives library.map spinning_car.mcap --query-sensor spinning --poses spinning_car.txt \\
      --out runs/turns --fit turns.json --store-in library.map
  trust --benchmark validation --map-sensor lidar --out runs/lidar --fit lidar.json
  trust --unlabelled radar_car.mcap --poses-topic /odom --map library.map --out runs/mine \\
      --stranger-maps sports.map --fit mine.json --store-in library.map
"""
TAKES = (
    'some 30 ms of a core for each query in each map, after the drives were simulated or '
    'read; what is in OUT is not done again'
)


def parser() -> argparse.ArgumentParser:
    """Return the parser of the command line."""
    result = make_parser(
        'trust',
        'Run drives through the chain of the node, each in the map of its own place and in those '
        'of other places, and judge what would be accepted: pose errors after verification, R@1 '
        'before and after re-ranking, precision and recall, reliability, accepted strangers. '
        'Drives and answers that are in OUT already are not done again.',
        EXAMPLES,
        TAKES,
    )
    _add_drives(result)
    _add_models(result)
    _add_fit(result)
    add_drive_options(result, SENSORS, order='--drives (but a map), --unlabelled, --strangers')
    add = result.add_argument
    add('--out', required=True, type=Path, help='working directory')
    add('--report', type=Path, metavar='NAME', help='write NAME.json, NAME.md and NAME.html')
    add('--jobs', type=at_least(int, 1), default=usable_cores(), help='(%(default)s)')
    return result


def _add_drives(result: argparse.ArgumentParser) -> None:
    drives = result.add_argument_group('drives')
    add, source = drives.add_argument, drives.add_mutually_exclusive_group(required=True)
    source.add_argument(
        '--benchmark',
        nargs='+',
        metavar='SPLIT',
        help='simulated drives of the benchmark, or its radars, worlds and maps that calibration '
        'never saw: shift, of which shift_fit is the half for --fit',
    )
    source.add_argument(
        '--drives',
        type=Path,
        nargs='+',
        metavar='PATH',
        help='recorded, with true poses; the first, with spinning radar, makes the map, or is a '
        'map, and the others, with 4D radar, are looked up in it',
    )
    source.add_argument(
        '--unlabelled',
        type=Path,
        nargs='+',
        metavar='PATH',
        help='recorded with 4D radar and odometry, but without true poses, in the place of --map: '
        'right is what the answers of many queries and the odometry agree on',
    )
    add('--map', type=Path, metavar='MAP', help='of the place of --unlabelled')
    add(
        '--strangers',
        type=Path,
        nargs='+',
        default=[],
        metavar='PATH',
        help='recorded drives somewhere else, which must not be accepted (none: without '
        '--stranger-maps, too, drives are asked of the half of the map that lies far from them)',
    )
    add(
        '--stranger-maps',
        type=Path,
        nargs='+',
        default=[],
        metavar='MAP',
        help='of other places, in which the recorded drives must not be accepted',
    )
    add(
        '--query-spacing',
        type=at_least(float, 0.5),
        default=2.0,
        metavar='METRES',
        help='between two queries (%(default)s)',
    )


def _add_models(result: argparse.ArgumentParser) -> None:
    models = result.add_argument_group('models and maps')
    add = models.add_argument
    add('--encoder', choices=tuple(ENCODERS), help='of the node (that of the map, or network)')
    add(
        '--query-sensor',
        choices=BOTH,
        default='4d',
        help='that asks; spinning: whole turns, in maps of a spinning radar (%(default)s)',
    )
    add(
        '--map-sensor',
        nargs='+',
        choices=('spinning', '4d', 'lidar'),
        default=['spinning', '4d'],
        metavar='SENSOR',
        help='whose scans make the maps of mapping drives: spinning, 4d, lidar (spinning 4d)',
    )
    add(
        '--views',
        type=at_least(int, 1),
        help='headings of a map of whole turns (all that the teacher gives)',
    )
    add_opposite_lane(models)
    add('--student', type=Path, help="the 4D radar's model (the one that is installed)")
    add('--teacher', type=Path, help="the model of the maps' places (the one that is installed)")
    add('--confidence', type=Path, help='the calibration to judge (the one that is installed)')


def _add_fit(result: argparse.ArgumentParser) -> None:
    add = result.add_argument_group('calibration').add_argument
    add(
        '--fit',
        type=Path,
        metavar='FILE',
        help='fit the confidence on these and write it here; calibrations of these models that it '
        'has for maps of other sensors stay',
    )
    add('--store-in', type=Path, metavar='MAP', help='put the calibration into a map as well')
    add('--without', choices=FEATURES, help='leave out a feature of --fit, to see what it adds')
    add('--min-precision', type=float, default=0.99, help='of --fit (%(default)s)')
    add('--max-stranger-rate', type=float, default=0.001, help='of --fit (%(default)s)')


def run(arguments: argparse.Namespace) -> None:
    """Answer all queries, fit if asked for, and print the tables."""
    from ssd_ros.cli.trust.judged.acceptance import acceptance_table
    from ssd_ros.cli.trust.judged.fit import fit_models, without
    from ssd_ros.cli.trust.judged.known_radars import with_known_radars
    from ssd_ros.cli.trust.judged.tables import judge, mountings, summary
    from ssd_ros.cli.trust.recorded import answers_of_recorded, require_lessons
    from ssd_ros.cli.trust.shift import answers_of_benchmark, lessons_of
    from ssd_ros.confidence.file import usable_confidences, write_confidence
    from ssd_ros.data_origin import kind_of, radar_of
    from ssd_ros.encoders.place_encoder import open_encoder
    from ssd_ros.reports.document import markdown_of, Section

    _check_options(arguments)
    _check_outputs(arguments)
    models = _models_of(arguments)
    told: Sequence[str] = ()
    if arguments.benchmark:
        work = arguments.out, arguments.query_spacing, int(arguments.jobs)
        answers = answers_of_benchmark(arguments.benchmark, models, *work)
        what = f'worlds of {", ".join(arguments.benchmark)}'
    else:
        answers, what, told = answers_of_recorded(arguments, models)
        if arguments.fit:
            require_lessons(answers)
    if arguments.without:
        answers = [without(pair, arguments.without) for pair in answers]
        what += f', without {arguments.without}'
    data = f'{radar_of(kind_of(pair.origin for pair in answers))}, {what}'
    student = open_encoder(models.student, 'cpu')
    space = student.contract.descriptor_space
    if arguments.fit:
        limits = arguments.min_precision, arguments.max_stranger_rate
        lessons = lessons_of(arguments.benchmark or [], answers)
        fitted = fit_models(lessons, data, *limits, models.queries)
        known = with_known_radars(fitted, lessons, *limits)
        write_confidence(arguments.fit, space, usable_confidences(arguments.fit, space) | known)
    path = arguments.fit or arguments.confidence or shared_file(ENCODERS[student.kind].confidence)
    kinds = {pair.sensor for pair in answers}
    calibration = {kind: _calibration(path, space, kind, models.queries) for kind in kinds}
    judged = [judge(pair, calibration[pair.sensor]) for pair in answers]
    parts = [summary(judged), acceptance_table(judged), *mountings(judged), *told]
    tables = [part for part in parts if part]
    print(markdown_of([Section('', tables)]), end='')
    if arguments.report:
        from ssd_ros.cli.trust.report import write_report

        write_report(arguments.report, judged, data, tables)
    if arguments.store_in:
        _store(arguments.store_in, path, student, models.queries)


def _check_options(arguments: argparse.Namespace) -> None:
    """Refuse options that would be passed over."""
    from ssd_ros.cli.trust.shift import require_fit

    if arguments.benchmark:
        if arguments.fit:
            require_fit(arguments.benchmark)
        for name in ('strangers', 'stranger_maps'):
            if getattr(arguments, name):
                raise ValueError(f'{flag_of(name)} goes with recorded drives, --drives or '
                                 '--unlabelled: a split of --benchmark has its own')  # fmt: skip
        refuse_drive_options(arguments, 'is for --drives; the benchmark has its own')
    changed = [name for name in ('views', 'opposite_lane') if getattr(arguments, name)]
    if changed and {'shift', 'shift_fit'} & set(arguments.benchmark or []):
        raise ValueError(
            f'{flag_of(changed[0])} is for drives and benchmark splits whose maps are made as '
            'driven: those of shift are changed otherwise'
        )
    if arguments.without and not arguments.fit:
        raise ValueError('--without goes with --fit: other calibrations count on every feature')
    if arguments.query_sensor == 'spinning' and arguments.unlabelled:
        raise ValueError('--unlabelled drives are of a 4D radar: give --drives with true poses')
    if bool(arguments.map) != bool(arguments.unlabelled):
        raise ValueError(
            '--unlabelled and --map go together; the map of --drives is the first of them'
        )


def _check_outputs(arguments: argparse.Namespace) -> None:
    """Refuse to write where something else stands, before the work."""
    from ssd_ros.confidence.file import CONFIDENCE_MARK
    from ssd_ros.maps.meta import read_meta
    from ssd_ros.maps.target import check_map_target
    from ssd_ros.targets import check_distinct, check_files, check_working_folder

    check_working_folder(arguments.out)
    check_files([arguments.fit], CONFIDENCE_MARK)
    if arguments.report:
        from ssd_ros.cli.trust.report import report_paths

        check_files(report_paths(arguments.report))
        check_distinct([arguments.fit, *report_paths(arguments.report)])
    if arguments.store_in:
        read_meta(arguments.store_in)
        check_map_target(arguments.store_in)


def _models_of(arguments: argparse.Namespace) -> Models:
    """Return the models that are named, or those of the encoder that the given map is of."""
    from ssd_ros.cli.trust.asked.drives import encoder_of
    from ssd_ros.cli.trust.asked.jobs import Models
    from ssd_ros.cli.trust.recorded import given_map

    place = given_map(arguments)
    shipped = ENCODERS[arguments.encoder or (encoder_of(place) if place else 'network')]
    return Models(
        arguments.student or shared_file(shipped.student),
        arguments.teacher or shared_file(shipped.teacher),
        arguments.query_sensor,
        tuple(arguments.map_sensor),
        arguments.views,
        arguments.opposite_lane or 0.0,
    )


def _calibration(path: Path, space: str, sensor: str, queries: str) -> ConfidenceModel:
    from ssd_ros.confidence.file import load_confidence
    from ssd_ros.radar.types import RADARS

    model = load_confidence(path, space, sensor)
    if model is None:
        raise ValueError(f'{path} has no calibration of these models for {sensor} maps')
    if model.queries != queries:
        raise ValueError(
            f'{path} was fitted on queries of a {RADARS[model.queries]}, not of a '
            f'{RADARS[queries]}: fit one with --query-sensor {queries} --fit'
        )
    return model


def _store(map_path: Path, path: Path, student: PlaceEncoder, queries: str) -> None:
    """Put the calibration for maps of its sensor into a map."""
    from ssd_ros.maps.place_database import PlaceDatabase

    database = PlaceDatabase.load(map_path)
    space = student.contract.descriptor_space
    database.require_encoder(student.kind, space, 'the student')
    database.confidence = _calibration(path, space, database.info.sensor, queries)
    database.save(map_path)


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command and return its exit code."""
    return run_command(parser(), run, argv)
