# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Filling a cache with drives, several at a time, and what came of each."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray
from ssd_ros.bev.preprocessing import PreprocessingConfig
from ssd_ros.cli.common.drives import CheckedDrive
from ssd_ros.cli.common.parallel import Report, run_jobs
from ssd_ros.cli.common.progress import progress_bar
from ssd_ros.datasets.sequence import RadarSequence
from ssd_ros.evaluation.bev_cache import (
    cache_drive,
    CACHE_FOLDER,
    is_cached,
    load_drive,
    Spacing,
)
from ssd_ros.evaluation.drive_images import POSE_TOLERANCE_NS
from ssd_ros.motion.trajectory import Trajectory
from ssd_ros.reading import MAX_YAML_BYTES, read_text
from ssd_ros.records import record_from_mapping
from ssd_ros.targets import check_folder
import yaml


class Source(Protocol):
    """Where a drive comes from; travels to the process that caches it."""

    @property
    def digest(self) -> str:
        """What tells it from other drives of its name."""
        ...

    def open(self) -> RadarSequence:
        """Make the drive readable."""
        ...


@dataclass(frozen=True, slots=True)
class CacheJob:
    """
    One drive to cache.

    :param directory: split and drive, below the directory of the cache
    :param submap_m: of way, whose local maps take the place of spinning scans; 0 = none
    :param of_lidar: local maps of the LiDAR do
    """

    directory: str
    spacing: Spacing
    source: Source
    submap_m: float = 0.0
    of_lidar: bool = False

    def is_done(self, root: Path, preprocessing: PreprocessingConfig) -> bool:
        """Return whether it is in the cache, made with these options."""
        directory, source = root / self.directory, self.source.digest
        made_of = self.submap_m, self.of_lidar
        return is_cached(directory, preprocessing, self.spacing, source, *made_of)


def read_preprocessing(path: Path) -> PreprocessingConfig:
    """
    Read the section `preprocessing` of a training's YAML.

    :raise ValueError: there is none, or an option of it is unknown or has a wrong type
    """
    try:
        values = yaml.safe_load(read_text(path, MAX_YAML_BYTES, 'a configuration'))
        if not isinstance(values, dict) or 'preprocessing' not in values:
            raise ValueError('there is no section preprocessing')
        return record_from_mapping(PreprocessingConfig, values['preprocessing'], 'preprocessing.')
    except (ValueError, RecursionError, yaml.YAMLError) as error:
        raise ValueError(f'{path}: {error}') from error


def in_windows(
    jobs: Sequence[CacheJob], preprocessing: PreprocessingConfig, window_m: float
) -> tuple[list[CacheJob], PreprocessingConfig]:
    """Return the jobs for 4D images of a window of way: SPLIT/DRIVE becomes SPLIT_20m/DRIVE."""
    named = [
        replace(job, directory=job.directory.replace('/', f'_{window_m:g}m/', 1)) for job in jobs
    ]
    return named, replace(preprocessing, window_m=window_m)


def of_submaps(jobs: Sequence[CacheJob], length_m: float) -> list[CacheJob]:
    """Return the jobs for local maps of the 4D radar alone: SPLIT_submap150m/DRIVE."""
    return [
        replace(
            job,
            directory=job.directory.replace('/', f'_submap{length_m:g}m/', 1),
            spacing=Spacing(None, job.spacing.panorama_m or job.spacing.student_m),
            submap_m=length_m,
        )
        for job in jobs
    ]


def of_lidar_maps(jobs: Sequence[CacheJob]) -> list[CacheJob]:
    """Return the jobs for local maps of the LiDAR in place of turns: SPLIT_lidar/DRIVE."""
    return [
        replace(job, directory=job.directory.replace('/', '_lidar/', 1), of_lidar=True)
        for job in jobs
    ]


def beside(jobs: Sequence[CacheJob]) -> list[CacheJob]:
    """Return the jobs for images of the LiDAR beside those of the 4D radar."""
    return [
        replace(job, spacing=replace(job.spacing, panorama_m=job.spacing.student_m))
        for job in jobs
    ]


def of_radar(jobs: Sequence[CacheJob], sensor: str) -> list[CacheJob]:
    """
    Return the jobs for the images of one radar.

    :param sensor: '4d' or 'spinning'
    """
    other = 'panorama_m' if sensor == '4d' else 'student_m'
    return [replace(job, spacing=replace(job.spacing, **{other: None})) for job in jobs]


def fill_cache(
    jobs: Sequence[CacheJob], root: Path, preprocessing: PreprocessingConfig, num_processes: int
) -> list[str]:
    """
    Cache the drives that are not there yet, and return a line on each of all.

    :raise ValueError: what is the matter with drives that cannot be used; the others are cached
    """
    missing = [job for job in jobs if not job.is_done(root, preprocessing)]
    notes: dict[str, list[str]] = {job.directory: ['was there'] for job in jobs}
    for job in missing:
        check_folder(root / job.directory, CACHE_FOLDER)
    if missing:
        work = partial(_cache, root, preprocessing)
        with progress_bar('cache', 'image') as progress:
            new = run_jobs(missing, work, num_processes, progress)
        faults = [str(fault) for fault in new if isinstance(fault, ValueError)]
        if faults:
            ending = f'{len(faults)} of {len(jobs)} drives are not cached, all others are'
            raise ValueError('\n'.join([*faults, ending]))
        notes |= {
            job.directory: lines
            for job, lines in zip(missing, new, strict=True)
            if not isinstance(lines, ValueError)
        }
    return [_summary(root, job, preprocessing, notes[job.directory]) for job in jobs]


def _cache(
    root: Path, preprocessing: PreprocessingConfig, job: CacheJob, report: Report
) -> list[str] | ValueError:
    """Cache one drive and return what is worth knowing about it, or why it cannot be used."""
    sequence = job.source.open()
    is_begun = False

    def progress(_done: int, total: int) -> None:
        nonlocal is_begun
        if not is_begun:
            report(0, total)
            is_begun = True
        report(1, total)

    directory, source = root / job.directory, job.source.digest
    told = sequence.notes if isinstance(sequence, CheckedDrive) else {}
    try:
        unreadable = cache_drive(
            sequence,
            directory,
            preprocessing,
            job.spacing,
            progress,
            source=source,
            poses=told,
            submap_m=job.submap_m,
            of_lidar=job.of_lidar,
        )
    except ValueError as error:
        return error
    notes: list[str] = []
    if job.spacing.student_m is not None or job.submap_m:
        notes += _notes('4D radar', sequence.cloud_stamps_ns, sequence.cloud_poses)
    if job.of_lidar:
        notes += _notes('LiDAR', sequence.lidar_stamps_ns, sequence.lidar_poses)
    is_spinning = preprocessing.density is None and not (job.submap_m or job.of_lidar)
    if job.spacing.panorama_m is not None and is_spinning:
        notes += _notes('spinning radar', sequence.scan_stamps_ns, sequence.scan_poses)
    if num_unreadable := sum(unreadable.values()):
        notes.append(f'{num_unreadable} scans cannot be read, left out')
    return notes


def _notes(sensor: str, stamps_ns: NDArray[np.int64], poses: Trajectory) -> list[str]:
    if len(stamps_ns) == 0:
        return [f'no {sensor}']
    _, has_pose = poses.nearest(stamps_ns, POSE_TOLERANCE_NS)
    num_without = int(np.count_nonzero(~has_pose))
    if num_without == 0:
        return []
    return [f'{num_without} of {len(stamps_ns)} scans of the {sensor} have no pose, left out']


def _summary(
    root: Path, job: CacheJob, preprocessing: PreprocessingConfig, notes: Sequence[str]
) -> str:
    drive = load_drive(root / job.directory, preprocessing, any_window=True)
    counts = f'{len(drive.student_bevs):6} 4D images, {len(drive.panoramas):6} panoramas'
    return f'{job.directory:28} {counts}{"".join(f"; {note}" for note in notes)}'
