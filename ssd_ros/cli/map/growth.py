# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The work of `map add`, `replace`, `drop` and `merge`."""

from __future__ import annotations

import argparse
from functools import partial
import math
from pathlib import Path

from ssd_ros.cli.build_db.encoding import (
    encoder_of,
    map_of_drive,
    refuse_options_of_the_other,
)
from ssd_ros.cli.common.drive_options import flag_of, options_of, refuse_drive_options
from ssd_ros.cli.common.progress import progress_bar
from ssd_ros.cli.map.actions import print_info
from ssd_ros.maps.cells.files import read_cells
from ssd_ros.maps.cells.growth import Addition, change, require_encoder, Selection, Step
from ssd_ros.maps.cells.sources import plan_of, plan_of_drive, session_of_drive
from ssd_ros.maps.files import MapContent, MapInfo, read_map
from ssd_ros.maps.meta import META_FILE
from ssd_ros.maps.target import check_map_target

_MODELS = ('teacher', 'student', 'params')


def change_map(arguments: argparse.Namespace) -> None:
    """Change what a map of squares consists of and say what came of it."""
    output = arguments.output or arguments.map
    check_map_target(output)
    additions, dropped = [], None
    if arguments.action == 'merge':
        additions = [Addition(str(path), partial(plan_of, path)) for path in arguments.others]
    elif arguments.action == 'drop':
        if not (arguments.session or arguments.day):
            raise ValueError('say which drives go: --session NAME, --day YYYY-MM-DD or both')
        dropped = Selection(arguments.session or '', arguments.day or '')
    else:
        content = _content(arguments)
        session = session_of_drive(content, arguments.session or '', arguments.day or '')
        additions = [Addition(str(arguments.drive), partial(plan_of_drive, content, session))]
        if arguments.action == 'replace':
            old = arguments.old or ('' if arguments.old_day else session.name)
            dropped = Selection(old, arguments.old_day or '')
    with progress_bar(output.name, 'square') as progress:
        step = change(arguments.map, additions, dropped, arguments.output, progress)
    _print(step)
    print_info(output)


def _content(arguments: argparse.Namespace) -> MapContent:
    """
    Return a drive as a map of one piece: read, or encoded as the map was that it is for.

    :raise ValueError: it cannot be used, or not with the options given
    """
    path: Path = arguments.drive
    if (path / META_FILE).is_file():
        reason = f'is for recorded drives, {path} is a map'
        refuse_drive_options(arguments, reason)
        for name in _MODELS:
            if getattr(arguments, name):
                raise ValueError(f'{flag_of(name)} {reason}')
        return read_map(path)
    found = read_cells(arguments.map)
    as_built = _as_built(arguments, found.info)
    refuse_options_of_the_other(as_built)
    encoder = encoder_of(as_built)
    require_encoder(
        str(path), encoder.contract.descriptor_space, encoder.digest, arguments.map, found.info
    )
    (options,) = options_of(as_built, [path])
    database, _ = map_of_drive(as_built, encoder, options)
    return MapContent(
        database.descriptors(), database.keyframes, database.returns_cm, database.info
    )


def _as_built(arguments: argparse.Namespace, info: MapInfo) -> argparse.Namespace:
    """Return the arguments with which build_db makes a map like one that is there."""
    fixed = {
        'input': arguments.drive,
        'sensor': info.sensor,
        'confidence': None,  # the map has its own
        'keyframe_distance': info.keyframe_distance_m,
        'views': info.num_views if info.sensor != '4d' else None,
        'submap': info.submap_m or None,
        'opposite_lane': info.opposite_lane_m or None,
        'map_frame': info.map_frame_id,
        'origin': info.origin,
    }
    return argparse.Namespace(**{**vars(arguments), **fixed})


def _print(step: Step) -> None:
    for session in step.added:
        print(f'{"added":<12} {session.text}')
    for session in step.dropped:
        print(f'{"dropped":<12} {session.text}')
    for name, misfit_m in step.misfits_m.items():
        where = 'hardly any place of it could be compared with the map'
        if not math.isnan(misfit_m):
            where = f'{misfit_m:.2f} m off the map where both have been'
        print(f'{"compared":<12} {name}: {where}')
    print(f'{"written":<12} {step.num_written} of {step.num_squares} squares', end='')
    print(', with a codebook trained anew' if step.is_trained else '')
