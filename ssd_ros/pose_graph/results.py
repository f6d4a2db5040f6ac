# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The files that a pose graph leaves in a folder."""

from __future__ import annotations

from pathlib import Path

from ssd_ros.targets import check_file, check_working_folder, MARK, remove_file

TRAJECTORIES = 'odometry.tum', 'optimized.tum', 'optimized_in_map.tum'
EDGES = 'edges.jsonl'
EDGES_MARK = rb'^{"query_stamp_ns": '


def check_results(folder: Path) -> None:
    """
    Refuse a folder that the files cannot be written into.

    :raise TargetError: one of them is there and not ours, or nothing can be written
    """
    check_working_folder(folder)
    for name in (*TRAJECTORIES, EDGES):
        check_file(folder / name, _mark_of(name))


def remove_results(folder: Path) -> None:
    """
    Remove the files of an earlier run.

    :raise TargetError: one of them is not ours
    """
    for name in (*TRAJECTORIES, EDGES):
        remove_file(folder / name, _mark_of(name))


def _mark_of(name: str) -> bytes:
    return EDGES_MARK if name == EDGES else MARK
