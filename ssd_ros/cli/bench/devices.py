# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What each device that is installed takes to encode, and which answers it changes."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from ssd_ros.cli.bench.stages import Stage, times_ms
from ssd_ros.devices import CPU
from ssd_ros.encoders.network import OnnxEncoder
from ssd_ros.encoders.providers.machine import devices_here
from ssd_ros.maps.builder import build_database
from ssd_ros.recognition.offline.drive_map import map_of_clouds
from ssd_ros.simulator.recordings.sequence import SimulatedSequence
from ssd_ros.simulator.scene.world import World
from ssd_ros.simulator.visits.session import Session as Visit

PART = 0.0, 0.3  # of the route of a world that no split has
_SEED = 90_001
_STEP_M = 2.0
_Encode = Callable[[NDArray[np.uint8]], NDArray[np.float32]]


class _Remembering(OnnxEncoder):
    """An encoder that remembers the images it has seen."""

    def __init__(self, path: Path) -> None:
        super().__init__(path, CPU)
        self.images: list[NDArray[np.uint8]] = []

    def _run(self, images: NDArray[np.uint8]) -> NDArray[np.float32]:
        self.images.extend(images)
        return super()._run(images)


def measured_devices(
    student_path: Path, teacher_path: Path, part: tuple[float, float] = PART
) -> Iterator[Stage | str]:
    """
    Yield the times of student and teacher on each device, and which answers it changes.

    :param part: of a simulated route that is mapped, and asked on another day
    :raise ValueError: there is none but ONNX Runtime on the processor
    """
    others = devices_here()[1:]
    if not others:
        raise ValueError('only ONNX Runtime on the processor is installed: pip install openvino')
    student, teacher = _Remembering(student_path), _Remembering(teacher_path)
    world = World(_SEED)
    drives = [
        SimulatedSequence(Visit(world, number, from_start=True), part=part) for number in (0, 1)
    ]
    rows = build_database(drives[0], teacher, keyframe_distance_m=_STEP_M).descriptors()
    queries = map_of_clouds(drives[1], student, keyframe_distance_m=_STEP_M).descriptors()
    num_views = teacher.contract.num_views
    found = _first_keyframes(rows, queries, num_views)
    bevs, panoramas = np.array(student.images), np.array(teacher.images)
    yield f'{len(queries)} queries, {len(panoramas)} keyframes, simulated'
    for device in others:
        try:
            other_student = OnnxEncoder(student_path, device)
            other_teacher = OnnxEncoder(teacher_path, device)
        except ValueError as error:
            yield f'{device}: {error}'
            continue
        yield _stage(f'encode on {device}', other_student.encode, student.encode, bevs[0])
        yield _stage(
            f'a panorama on {device}',
            other_teacher.encode_panorama,
            teacher.encode_panorama,
            panoramas[0],
        )
        own_queries = other_student.encode_batch(bevs)
        own_rows = np.concatenate([other_teacher.encode_panorama(image) for image in panoramas])
        pairs = (own_rows, own_queries), (rows, own_queries), (own_rows, queries)
        both, by_queries, by_map = (
            (_first_keyframes(searched, asking, num_views) != found).mean()
            for searched, asking in pairs
        )
        yield (
            f'{device}: cosine at least {_least_cosine(queries, own_queries):.5f} (student), '
            f'{_least_cosine(rows, own_rows):.5f} (teacher); another first keyframe in '
            f'{both:.1%} of the queries, in a map from {CPU} in {by_queries:.1%}, with the map '
            f'alone from there in {by_map:.1%}'
        )


def _stage(name: str, ours: _Encode, peer: _Encode, image: NDArray[np.uint8]) -> Stage:
    ours_ms, peer_ms = times_ms(lambda: ours(image), lambda: peer(image))
    return Stage(name, ours_ms, f'on {CPU}', peer_ms)


def _first_keyframes(
    rows: NDArray[np.float32], queries: NDArray[np.float32], num_views: int
) -> NDArray[np.int64]:
    return np.asarray((queries @ rows.T).argmax(axis=1) // num_views)


def _least_cosine(first: NDArray[np.float32], second: NDArray[np.float32]) -> float:
    return float((first * second).sum(axis=1).min())
