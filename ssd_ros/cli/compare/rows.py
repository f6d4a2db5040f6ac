# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The rows of `compare`: one for each method and task, on disk as soon as they are done."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import partial
import hashlib
from pathlib import Path
from typing import NamedTuple

import numpy as np
from ssd_ros.baselines import METHODS, own_method, PEERS
from ssd_ros.baselines.method import Method
from ssd_ros.baselines.polar_image import PolarImage
from ssd_ros.bev.preprocessing import PreprocessingConfig
from ssd_ros.cli.common.parallel import Report, run_jobs
from ssd_ros.cli.common.progress import progress_bar
from ssd_ros.cli.common.settings_file import read_settings, settle
from ssd_ros.cli.evaluate.caches import cached_drives
from ssd_ros.data_origin import kind_of
from ssd_ros.encoders.network import OnnxEncoder
from ssd_ros.evaluation.bev_cache import CachedDrive
from ssd_ros.evaluation.judging.costs import Costs, costs_of
from ssd_ros.evaluation.judging.learned import LearnedMethod, LearnedTurns
from ssd_ros.evaluation.judging.methods import image_of, MethodJudge
from ssd_ros.evaluation.queries.pairs import pairs_of
from ssd_ros.evaluation.queries.protocol import Protocol, TASKS
from ssd_ros.evaluation.scores.results import (
    Evaluation,
    METHOD,
    origin_of_drives,
    read_evaluation,
    Result,
    write_evaluation,
)
from ssd_ros.extensions import is_own
from ssd_ros.files import sha256_of
from ssd_ros.records import record_from_mapping
from ssd_ros.targets import write_json

_OTHER = '{{path}} says that there are rows of {}: choose another --out'
_COST_IMAGES = 40  # of each sensor, to measure the costs of a method on


@dataclass(frozen=True, slots=True)
class Comparing:
    """
    What is compared, and where the rows are kept.

    :param caches: splits of cached drives
    :param learned: folders with student.onnx and teacher.onnx, by the name of the method; has ours
    """

    caches: tuple[Path, ...]
    out: Path
    protocol: Protocol
    learned: Mapping[str, Path]

    @property
    def preprocessing(self) -> PreprocessingConfig:
        """That of our models, which all methods are given."""
        return _encoder(self.learned[METHOD] / 'student.onnx', '4d').contract.preprocessing

    def drives(self) -> list[CachedDrive]:
        """
        Map the drives into memory.

        :raise ValueError: two of them have one name
        """
        return cached_drives(self.caches, self.preprocessing)

    def row_path(self, method: str, task: str) -> Path:
        """Return the file of a row."""
        return self.out / 'rows' / f'{method}-{task}.json'

    def costs_path(self, method: str) -> Path:
        """Return the file of a method's costs."""
        return self.out / 'costs' / f'{method}.json'


class _Job(NamedTuple):
    method: str
    tasks: tuple[str, ...]


def finish_rows(
    comparing: Comparing, methods: Sequence[str], tasks: Sequence[str], num_processes: int
) -> None:
    """
    Judge the methods on the tasks that they have no row of yet, then measure missing costs.

    :raise ValueError: the folder holds rows of other drives, models or another protocol, or no
        drive has the images of a task
    """
    drives = comparing.drives()
    check_origin(comparing, drives)
    for method in methods:
        if method in comparing.learned:
            check_models(comparing, method)
    possible = [task for task in tasks if pairs_of(drives, task)]
    if not possible:
        raise ValueError(f'none of {len(drives)} cached drives has images for {", ".join(tasks)}')
    jobs = []
    for method in methods:
        missing = [task for task in possible if not comparing.row_path(method, task).exists()]
        if missing:
            jobs.append(_Job(method, tuple(missing)))
    with progress_bar('methods', 'image') as progress:
        run_jobs(jobs, partial(_judge, comparing), num_processes, progress)
    # Costs are those of a 4D query in a map of the spinning radar, which no peer is made for.
    unmeasured = [
        method
        for method in methods
        if not (method in PEERS or comparing.costs_path(method).exists())
    ]
    if not any(map(_has_both, drives)):
        unmeasured = []
    with progress_bar('costs', 'method') as progress:
        for number, method in enumerate(unmeasured):
            progress(number, len(unmeasured))
            write_json(comparing.costs_path(method), asdict(_measure(comparing, drives, method)))
        progress(len(unmeasured), len(unmeasured))


def check_origin(comparing: Comparing, drives: Sequence[CachedDrive]) -> None:
    """
    Write what the rows of the folder are of, or compare it with what it says.

    :raise ValueError: it holds rows of other drives or another protocol
    """
    digest = hashlib.sha256()
    for drive in drives:
        digest.update(drive.name.encode())
        for array in (drive.student_poses, drive.panorama_poses):
            digest.update(array.tobytes())
    origin = {'protocol': asdict(comparing.protocol), 'drives': digest.hexdigest()}
    settle(
        comparing.out / 'origin.json', origin, _OTHER.format('other drives or another protocol')
    )


def check_models(comparing: Comparing, method: str) -> None:
    """
    Write which models the rows of a trained method are of, or compare them with what it says.

    :raise ValueError: they are of other models
    """
    folder = comparing.learned[method]
    digests = {name: sha256_of(folder / name) for name in ('student.onnx', 'teacher.onnx')}
    path = comparing.out / 'models' / f'{method}.json'
    settle(path, digests, _OTHER.format(f'other models under the name {method}'))


def methods_there(comparing: Comparing, known: Sequence[str]) -> list[str]:
    """Return the methods that have a row, the known ones first and in their order."""
    stems = [path.stem for path in sorted((comparing.out / 'rows').glob('*-*.json'))]
    names = [stem.rpartition('-')[0] for stem in stems]
    return [name for name in dict.fromkeys([*known, *names]) if name in names]


def rows_of(comparing: Comparing, methods: Sequence[str]) -> Evaluation:
    """Return all finished rows of these methods, in their order."""
    results: list[Result] = []
    origins: list[str] = []
    for method in methods:
        for path in sorted((comparing.out / 'rows').glob(f'{method}-*.json')):
            row = read_evaluation(path)
            results += row.results
            origins.append(row.origin)
    settings = {'cache': ' '.join(map(str, comparing.caches))}
    return Evaluation(comparing.protocol, kind_of(origins), results, settings)


def costs_by_method(comparing: Comparing, methods: Sequence[str]) -> dict[str, Costs]:
    """Return what is known of the costs of these methods."""
    costs = {}
    for method in methods:
        if (path := comparing.costs_path(method)).exists():
            costs[method] = record_from_mapping(Costs, read_settings(path))
    return costs


def _judge(comparing: Comparing, job: _Job, report: Report) -> None:
    drives, method = comparing.drives(), _method(comparing, job.method)
    grid, protocol = comparing.preprocessing.grid, comparing.protocol
    judge = whole_turns = MethodJudge(method, job.method, grid, protocol, report)
    if isinstance(method, LearnedMethod):
        turns = LearnedTurns(method)
        whole_turns = MethodJudge(turns, job.method, grid, protocol, report)
    for task in job.tasks:
        results = (whole_turns if TASKS[task].any_heading else judge).run(drives, task)
        row = Evaluation(comparing.protocol, origin_of_drives(drives), results)
        write_evaluation(comparing.row_path(job.method, task), row)


def _method(comparing: Comparing, name: str) -> Method:
    if name in METHODS or name in PEERS:
        return {**METHODS, **PEERS}[name]()
    if is_own(name):
        return own_method(name)
    folder = comparing.learned[name]
    return LearnedMethod(
        _encoder(folder / 'student.onnx', '4d'),
        _encoder(folder / 'teacher.onnx', 'spinning'),
        comparing.protocol.num_views,
    )


def _encoder(path: Path, sensor: str) -> OnnxEncoder:
    return OnnxEncoder(path, 'cpu', 1, expected_sensor=sensor)


def _has_both(drive: CachedDrive) -> bool:
    return bool(len(drive.student_bevs) and len(drive.panoramas))


def _measure(comparing: Comparing, drives: Sequence[CachedDrive], method: str) -> Costs:
    grid = comparing.preprocessing.grid
    drive = next(filter(_has_both, drives))

    def images(sensor: str, num: int) -> list[PolarImage]:
        rows = np.linspace(0, num - 1, min(num, _COST_IMAGES)).astype(int)
        return [image_of(drive, sensor, int(row), grid) for row in rows]

    return costs_of(
        _method(comparing, method),
        images('4d', len(drive.student_bevs)),
        images('spinning', len(drive.panoramas)),
    )
