# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The scans to be measured: of recordings, and of simulated drives."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TypeVar

import numpy as np
from ssd_ros.cli.cache.drives import benchmark_drives
from ssd_ros.cli.common.drive_options import DriveOptions
from ssd_ros.cli.common.drives import open_drive
from ssd_ros.cli.statistics.pieces import Piece, pieces_of_cloud, pieces_of_scan
from ssd_ros.data_origin import SIMULATED
from ssd_ros.datasets.detection_list import read_detections
from ssd_ros.datasets.sequence import origin_of, RadarSequence
from ssd_ros.datasets.spinning.polar_png import read_polar_scan

RADARS = ('spinning radar', '4D radar')
_Scan = TypeVar('_Scan')
# Of each frame of a recording, its pieces; for each of RADARS.
Recording = tuple[list[list[Piece]], list[list[Piece]]]


def real_recording(path: Path, options: DriveOptions, num_frames: int) -> Recording:
    """
    Measure a recording.

    :param path: one turn of a spinning radar (.png), one list of detections (.csv), or a drive
    :param num_frames: of a drive, evenly, for each of its radars
    :raise ValueError: it cannot be read, or is simulated
    """
    if path.suffix == '.png':
        if options.range_resolution is None:
            raise ValueError(
                f'{path} does not say how deep its range bins are: give --range-resolution '
                'METRES (RAS6: 0.0438)'
            )
        return [pieces_of_scan(read_polar_scan(path, 0, options.range_resolution))], []
    if path.suffix == '.csv':
        return [], [pieces_of_cloud(read_detections(path))]
    drive = open_drive(path, options, heading=None)
    if origin_of(drive).kind == SIMULATED:
        raise ValueError(f'{path} is simulated: --real is for recordings of real radars')
    return measured(drive, num_frames)


def simulated_recordings(
    split: str,
    num_drives: int,
    num_frames: int,
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> list[Recording]:
    """
    Measure drives of a split of the simulated benchmark or of the random worlds, evenly chosen.

    :param progress: called after each drive with the number done and of all
    :raise ValueError: there is no such split, or it is one to judge on at the end
    """
    if split.partition('_')[0] == 'test':
        raise ValueError(f'{split} is kept for the last judgement: compare another split')
    jobs = benchmark_drives(split)
    recordings, chosen = [], _evenly(len(jobs), num_drives)
    for number in chosen:
        recordings.append(measured(jobs[number].source.open(), num_frames))
        progress(len(recordings), len(chosen))
    return recordings


def measured(drive: RadarSequence, num_frames: int) -> Recording:
    """Measure scans of both radars of a drive, far from its ends."""
    return (
        _of_each(drive.scan, len(drive.scan_stamps_ns), num_frames, pieces_of_scan),
        _of_each(drive.cloud, len(drive.cloud_stamps_ns), num_frames, pieces_of_cloud),
    )


def _of_each(
    read: Callable[[int], _Scan],
    num: int,
    num_frames: int,
    pieces_of: Callable[[_Scan], list[Piece]],
) -> list[list[Piece]]:
    return [pieces_of(read(index)) for index in _evenly(num, num_frames)]


def _evenly(num: int, num_chosen: int) -> Sequence[int]:
    """Return numbers below num, each in the middle of an equal part."""
    num_chosen = min(num, num_chosen)
    return ((np.arange(num_chosen) + 0.5) * num / max(1, num_chosen)).astype(int).tolist()
