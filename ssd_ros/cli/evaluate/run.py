# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The work of the command `evaluate`, on drives or on caches."""

from __future__ import annotations

import argparse
from dataclasses import replace

from ssd_ros.cli.common.drive_options import options_of
from ssd_ros.cli.evaluate.boreas_rt import boreas_rt_places
from ssd_ros.cli.evaluate.caches import cached_drives, run_on_caches
from ssd_ros.cli.evaluate.drives import radars_of, recorded_drives, run, simulated_drives
from ssd_ros.data_origin import kind_of
from ssd_ros.datasets.sequence import origin_of
from ssd_ros.encoders.place_encoder import named_encoder, PlaceEncoder, require_same_space
from ssd_ros.evaluation.queries.protocol import Protocol
from ssd_ros.evaluation.scores.results import Evaluation, origin_of_drives
from ssd_ros.reports.document import Chart


def encoders(arguments: argparse.Namespace) -> tuple[PlaceEncoder, PlaceEncoder]:
    """
    Load student and teacher.

    :raise ValueError: they were not trained together
    """
    student = named_encoder(
        arguments.encoder,
        arguments.student,
        arguments.device,
        arguments.threads if arguments.cache else 1,  # the node has one
    )
    teacher = named_encoder(
        arguments.encoder,
        arguments.teacher,
        arguments.device,
        arguments.threads,
        'lidar' if arguments.map_sensor == 'lidar' else 'spinning',
    )
    require_same_space(student, teacher)
    return student, teacher


def evaluate_drives(arguments: argparse.Namespace) -> tuple[Evaluation, list[Chart]]:
    """Evaluate through the chain of the node."""
    if arguments.boreas_rt:
        places = boreas_rt_places(arguments.boreas_rt, arguments.points)
    elif arguments.simulate:
        places = simulated_drives(arguments.simulate, arguments.map_sensor == 'lidar')
    else:
        paths = [arguments.map, *arguments.queries]
        places = recorded_drives(paths, options_of(arguments, paths), arguments.map_sensor)
    results = run(places, *encoders(arguments), arguments)
    if arguments.boreas_rt:
        results = [replace(one, variant=f'Aeva, {arguments.points} points') for one in results]
    protocol = _protocol(arguments, 'C', results[0].num_views)
    drives = [drive for place in places for drive in (place.mapping, *place.queries)]
    origin = kind_of(origin_of(drive).kind for drive in drives)
    return Evaluation(
        protocol, origin, results, settings(arguments), radars_of(places, arguments.map_sensor)
    ), []


def evaluate_caches(arguments: argparse.Namespace) -> tuple[Evaluation, list[Chart]]:
    """Evaluate on caches; also return a chart of one place, if there is to be a page."""
    student, teacher = encoders(arguments)
    preprocessing = student.contract.preprocessing
    if arguments.window:
        preprocessing = replace(preprocessing, window_m=arguments.window[0])
    drives = cached_drives(arguments.cache, preprocessing)
    arguments.views = arguments.views or [teacher.contract.num_views]
    protocol = _protocol(arguments, arguments.database or 'B', arguments.views[0])
    results = run_on_caches(drives, student, teacher, protocol, arguments)
    charts = []
    if arguments.html:
        from ssd_ros.cli.evaluate.masks_chart import masks_chart

        charts.append(masks_chart(drives, student.contract.preprocessing.grid))
    origin, radars = origin_of_drives(drives), [one for drive in drives for one in drive.radars]
    return Evaluation(protocol, origin, results, settings(arguments), radars), charts


def _protocol(arguments: argparse.Namespace, database: str, num_views: int) -> Protocol:
    return Protocol(
        database=database,
        keyframe_m=arguments.keyframe_distance,
        query_m=arguments.query_spacing,
        num_views=num_views,
        radius_m=arguments.radius,
    )


def settings(arguments: argparse.Namespace) -> dict[str, str]:
    """Return the options of the command in words."""
    return {
        name: ' '.join(map(str, value)) if isinstance(value, list) else str(value)
        for name, value in vars(arguments).items()
        if value not in (None, [])
    }
