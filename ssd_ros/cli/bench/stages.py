# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The stages that the command `bench` times."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
import time
from typing import Any

import numpy as np
from numpy.typing import NDArray
from ssd_ros.bev.polar_bev import polar_bev_from_points, views_of_panorama
from ssd_ros.bev.preprocessing import CloudPreprocessor, scan_panorama
from ssd_ros.cli.bench.inputs import (
    NUM_POINTS,
    NUM_VIEWS,
    query_and_keyframe,
    radar_message,
    random_database,
    spinning_scan,
)
from ssd_ros.cli.bench.lidar_keyframe import keyframes
from ssd_ros.cli.bench.peers import (
    decode_point_by_point,
    has_training,
    loading_times_ms,
    rasterise_point_by_point,
    search_rows,
    torch_times_ms,
    write_peer_models,
)
from ssd_ros.cli.bench.plain_verification import match_exhaustively, verify_plainly
from ssd_ros.cli.bench.scan_context import (
    indexed,
    NUM_ENTRIES,
    query_of,
    random_contexts,
    search_pair_by_pair,
)
from ssd_ros.encoders import byte_rows
from ssd_ros.encoders.network import OnnxEncoder
from ssd_ros.evaluation.tables.published import FOURDRAL_RUNTIME_MS
from ssd_ros.maps.builder import encode_views
from ssd_ros.maps.place_database import PlaceDatabase
from ssd_ros.radar.point_cloud2 import decode_point_cloud2
from ssd_ros.radar.types import RadarPointCloud
from ssd_ros.recognition.answer import RecognizerConfig
from ssd_ros.recognition.place_recognizer import PlaceRecognizer
from ssd_ros.verification import use_compiled, Verification, Verifier, why_numpy

NO_TRAINING = '(PyTorch or ONNX is not installed)'
_SECONDS_EACH = 1.0
_MIN_RUNS = 3


@dataclass(frozen=True, slots=True)
class Stage:
    """
    What one stage took.

    :param ours_ms: of every run
    :param peer: what the peer is, or why there is none
    :param peer_ms: of every run
    """

    name: str
    ours_ms: list[float]
    peer: str = ''
    peer_ms: list[float] | tuple[()] = ()


def stages(student_path: Path, teacher_path: Path, full: bool) -> Iterator[Stage]:
    """Yield the stages of a query, of map building and of training as they are measured."""
    student = OnnxEncoder(student_path, 'cpu', expected_sensor='4d')
    teacher = OnnxEncoder(teacher_path, 'cpu', expected_sensor='spinning')
    config = student.contract.preprocessing
    message = radar_message()
    cloud = decode_point_cloud2(message).cloud
    yield decode_stage(message)
    yield raster_stage(cloud, student)
    preprocessor = CloudPreprocessor(config)
    name = f'ego velocity, raster, {config.window_words}'
    yield Stage(name, times_of(lambda: preprocessor.process(cloud)))
    bev = preprocessor.process(cloud).bev
    yield from encode_stages(student, student_path, bev)

    byte_rows.use_compiled()
    database = random_database(10_000, student)
    descriptor = student.encode(bev)
    yield search_stage(database, descriptor)
    yield from verify_stages()
    yield scan_context_stage()
    recognizer = PlaceRecognizer(student, [database])
    query = Stage(
        'whole query, decode included, 10k rows',
        times_of(lambda: recognizer.process(decode_point_cloud2(message).cloud)),
    )
    yield search_stage(random_database(100_000, student), descriptor)
    if full:
        yield search_stage(random_database(1_000_000, student), descriptor)
    yield query
    yield map_stage(student, teacher)
    ours, peer = times_ms(*keyframes(teacher))
    yield Stage('a keyframe of a LiDAR map', ours, 'of a spinning radar', peer)
    yield loading_stage()


def encode_stages(
    student: OnnxEncoder, student_path: Path, bev: NDArray[np.uint8]
) -> Iterator[Stage]:
    """Time the student against eager PyTorch, networks of the papers' sizes and itself in int8."""
    if not has_training():
        yield Stage('encode', times_of(lambda: student.encode(bev)), NO_TRAINING)
        return
    eager_ms = torch_times_ms(student.contract.preprocessing.grid)
    yield Stage('encode', times_of(lambda: student.encode(bev)), 'PyTorch eager', eager_ms)
    with TemporaryDirectory() as directory:
        write_peer_models(student_path, Path(directory))
        sherloc, in_int8, r2r, r2l = (
            OnnxEncoder(Path(directory, f'{name}.onnx'), 'cpu')
            for name in ('sherloc', 'int8', 'r2r', 'r2l')
        )
    ours, peer = times_ms(lambda: student.encode(bev), lambda: sherloc.encode(bev))
    yield Stage('encode', ours, 'network of SHeRLoc, ONNX', peer)
    for task, network in (('r2r', r2r), ('r2l', r2l)):
        density = np.zeros(network.contract.input_shape, np.uint8)
        ours, peer = times_ms(lambda: student.encode(bev), partial(network.encode, density))
        published = f'4DRaL {task.upper()} (4090: {FOURDRAL_RUNTIME_MS[task]} ms)'
        yield Stage('encode', ours, published, peer)
    ours, peer = times_ms(lambda: in_int8.encode(bev), lambda: student.encode(bev))
    yield Stage('encode in int8', ours, 'in float32', peer)


def verify_stages() -> Iterator[Stage]:
    """Time the verification of one candidate whose keyframe was not seen before."""
    points_m, returns_cm = query_and_keyframe()
    verifier = Verifier()

    def verify() -> Verification:
        return verifier.verify(points_m, returns_cm, 0.0)

    def verify_by_look_ups() -> Verification:
        return verify_plainly(points_m, returns_cm, 0.0)

    name = 'verify a candidate'
    ours, peer = times_ms(verify, verify_by_look_ups)
    yield Stage(f'{name}, without numba', ours, 'look-ups in NumPy', peer)
    use_compiled()
    if why_numpy():
        yield Stage(name, [], f'({why_numpy()})')
        return
    np.testing.assert_allclose(verify().covariance, verify_by_look_ups().covariance, atol=1e-9)
    ours, peer = times_ms(verify, verify_by_look_ups)
    yield Stage(name, ours, 'look-ups in NumPy', peer)
    ours, peer = times_ms(verify, lambda: match_exhaustively(points_m, returns_cm))
    yield Stage(name, ours, 'every pose of the grid', peer)


def scan_context_stage() -> Stage:
    """Time the search of the encoder that needs no training; its peer must find the same."""
    contexts = random_contexts()
    query, index = query_of(contexts[0]), indexed(contexts)
    expected = search_pair_by_pair(contexts, query)
    np.testing.assert_allclose(index.search(query).similarities, expected, atol=1e-5)
    ours, peer = times_ms(
        lambda: index.search(query), lambda: search_pair_by_pair(contexts, query)
    )
    return Stage(f'search {NUM_ENTRIES} scan contexts', ours, 'pair by pair, turn by turn', peer)


def map_stage(student: OnnxEncoder, teacher: OnnxEncoder) -> Stage:
    """Time a scan's views; its peer is the student, a network of the same sizes, on each view."""
    scan, config = spinning_scan(), student.contract.preprocessing
    num_views = teacher.contract.num_views

    def view_by_view() -> NDArray[np.float32]:
        panorama = scan_panorama(scan, config)
        return student.encode_batch(views_of_panorama(panorama, config.grid, num_views))

    ours, peer = times_ms(
        lambda: encode_views(scan_panorama(scan, config), teacher, num_views), view_by_view
    )
    return Stage(f'map building, a scan of {num_views} views', ours, 'each view by itself', peer)


def loading_stage() -> Stage:
    """Time what a training step waits for data; its peer is the whole step."""
    name = 'training, waiting for data'
    if not has_training():
        return Stage(name, [], NO_TRAINING)
    waiting, whole = loading_times_ms()
    return Stage(name, waiting, 'whole step', whole)


def decode_stage(message: Any) -> Stage:
    """Time the decoder; its peer must give the same points."""
    cloud = decode_point_cloud2(message).cloud
    plain = decode_point_by_point(message)
    rows = np.column_stack([cloud.xyz_m, cloud.rcs_dbsm, cloud.radial_velocity_mps])
    np.testing.assert_array_equal(rows, plain)
    ours, peer = times_ms(
        lambda: decode_point_cloud2(message), lambda: decode_point_by_point(message)
    )
    return Stage(f'decode {NUM_POINTS} points', ours, 'loop over points, struct', peer)


def raster_stage(cloud: RadarPointCloud, student: OnnxEncoder) -> Stage:
    """Time the rasteriser; its peer must give the same image."""
    grid, config = student.contract.preprocessing.grid, student.contract.preprocessing.cloud

    def raster() -> NDArray[np.uint8]:
        return polar_bev_from_points(cloud.xyz_m, cloud.rcs_dbsm, grid, config)

    np.testing.assert_array_equal(raster(), rasterise_point_by_point(cloud, grid, config))
    ours, peer = times_ms(raster, lambda: rasterise_point_by_point(cloud, grid, config))
    return Stage(f'raster {NUM_POINTS} points', ours, 'loop over points', peer)


def search_stage(database: PlaceDatabase, descriptor: NDArray[np.float32]) -> Stage:
    """Time the search; its peer must find the same keyframe."""
    num_rows = RecognizerConfig().search_rows
    descriptors = database.descriptors()
    nearest = search_rows(descriptors, descriptor, num_rows)[0] // NUM_VIEWS
    if nearest != database.search(descriptor, num_rows).keyframes[0]:
        raise ValueError('search and its peer disagree on the nearest keyframe')
    ours, peer = times_ms(
        lambda: database.search(descriptor, num_rows),
        lambda: search_rows(descriptors, descriptor, num_rows),
    )
    name = f'search {round(database.num_rows / 1000)}k rows of {database.descriptor_size}'
    return Stage(name, ours, 'NumPy product, argpartition', peer)


def times_of(function: Callable[[], object]) -> list[float]:
    """Run a function and return the milliseconds of every run."""
    return times_ms(function)[0]


def times_ms(*functions: Callable[[], object]) -> list[list[float]]:
    """Run the functions by turns; return the milliseconds of processor time of every run."""
    times: list[list[float]] = [[] for _ in functions]
    for function in functions:
        function()  # first runs load and allocate
    start = time.perf_counter()
    while len(times[0]) < _MIN_RUNS or time.perf_counter() - start < _SECONDS_EACH:
        for function, taken in zip(functions, times, strict=True):
            before = time.process_time()
            function()
            taken.append((time.process_time() - before) * 1e3)
    return times
