# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The work of the command `map`."""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
from ssd_ros.datasets.pose_check import check_poses
from ssd_ros.datasets.pose_files import read_poses
from ssd_ros.maps.cells.database import CellDatabase, open_map
from ssd_ros.maps.cells.grid import CELL_M
from ssd_ros.maps.cells.sources import session_of_drive
from ssd_ros.maps.cells.writing import converted
from ssd_ros.maps.files import MapInfo, read_map
from ssd_ros.maps.place_database import PlaceDatabase
from ssd_ros.maps.reposing import reposed
from ssd_ros.maps.target import check_map_target
from ssd_ros.motion.trajectory import mounted
from ssd_ros.recognition.map_check import doubt_of, misfit_words
from ssd_ros.ros.inputs.mounting import mounting_of
from ssd_ros.ros.messages.geometry import pose_from_xyzrpy


def print_info(path: Path) -> None:
    """Print what a map holds."""
    database = open_map(path)
    info, keyframes = database.info, database.keyframes
    low, high = keyframes.positions_m.min(axis=0), keyframes.positions_m.max(axis=0)
    first_s, last_s = keyframes.stamps_ns[[0, -1]] / 1e9
    drive = f'{info.source}, {info.num_scans} scans' if info.num_scans else info.source
    rows = {
        'map': path,
        'uuid': f'{info.uuid} (map_id {info.map_id})',
        'revision': database.revision,
        'made': f'{info.created} by ssd_ros {info.software_version}',
        'drive': f'{drive}, {info.data_origin.text}',
        'sensor': info.sensor + (f', submaps of {info.submap_m:g} m' if info.submap_m else ''),
        'encoder': f'{info.encoder}, {info.encoder_digest[:12]}',
        'space': info.descriptor_space[:12],
        'keyframes': f'{len(database)}, {info.keyframe_distance_m:g} m apart{_lane_words(info)}',
        'segments': len(info.segment_starts),
        'rows': f'{database.num_rows} of {database.descriptor_size} numbers',
        'stamps': f'{first_s:.3f} to {last_s:.3f} s',
        'frame': f'{info.map_frame_id}, zero: {info.origin or "not stated"}',
        'poses': f'{info.poses or "not stated"}; {misfit_words(info)}',
        'within (m)': ' to '.join(str(np.round(corner, 1).tolist()) for corner in (low, high)),
        'calibration': database.confidence.data if database.confidence else 'none',
    }
    if isinstance(database, CellDatabase):
        rows |= _cell_rows(database)
    for name, value in rows.items():
        print(f'{name:<12} {value}')
    for problem in database.problems:
        print(f'{"warning":<12} {problem}')
    if doubt := doubt_of(info):
        print(f'{"warning":<12} {doubt}')


def _lane_words(info: MapInfo) -> str:
    if not info.opposite_lane_m:
        return ''
    return f', half of them in the lane {info.opposite_lane_m:g} m to the left'


def _cell_rows(database: CellDatabase) -> dict[str, object]:
    """Return what a map of squares has beside what every map has."""
    plan, num_of = database.plan, np.bincount(database.session_of)
    search = 'all rows are compared'
    if plan is not None:
        search = (
            f'without a prior {plan.num_probed} lists and {plan.num_refined} rows, which found '
            f'{plan.kept:.1%} of what comparing all rows found'
        )
    rows: dict[str, object] = {
        'squares': f'{database.num_cells} of {CELL_M:g} m',
        'search': search,
    }
    for number, session in enumerate(database.sessions):
        day = f' of {session.day}' if session.day else ''
        rows[f'session {number}'] = f'{session.name}{day}, {num_of[number]} keyframes'
    return rows


def convert(arguments: argparse.Namespace) -> None:
    """Write a map of one piece as a map of squares."""
    check_map_target(arguments.output)
    content = read_map(arguments.map)
    session = session_of_drive(content, arguments.session or '', arguments.day or '')
    converted(arguments.output, content, session)
    print_info(arguments.output)


def repose(arguments: argparse.Namespace) -> None:
    """Give the keyframes of a map new poses."""
    output = arguments.output or arguments.map
    database = PlaceDatabase.load(arguments.map)
    check_map_target(output, database.info.sensor)
    file = read_poses(arguments.poses, database.keyframes.stamps_ns)
    checked = check_poses(file.poses, str(arguments.poses), 'file')
    poses = checked.poses
    if arguments.extrinsics:
        level = mounting_of(pose_from_xyzrpy(arguments.extrinsics)).base_level
        poses = mounted(poses, level.position_m, level.quaternion_xyzw)
    new = reposed(
        database,
        poses,
        arguments.poses.name,
        may_drop=arguments.drop,
        map_frame_id=arguments.map_frame,
        origin=arguments.origin,
    )
    was = database.keyframes.select(np.isin(database.keyframes.stamps_ns, new.keyframes.stamps_ns))
    moved_m = np.hypot(*(new.keyframes.positions_m - was.positions_m)[:, :2].T)
    new.save(output)
    print(f'map        {output} ({new.info.uuid})')
    print(f'poses      {arguments.poses}, {len(file.poses)} read as {file.form}')
    print(f'they are   {misfit_words(new.info)}')
    print(f'keyframes  {len(new)} of {len(database)}, moved by {np.median(moved_m):.2f} m in the '
          f'median, {moved_m.max():.2f} m at most')  # fmt: skip
    if doubt := doubt_of(new.info):
        print(f'warning    {doubt}')
