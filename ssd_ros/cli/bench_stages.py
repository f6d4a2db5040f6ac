# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The stages that the command `bench` times."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
import time
from types import SimpleNamespace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from ssd_ros.ars548 import ARS548_DTYPE, ars548_records
from ssd_ros.cli.bench_peers import (
    decode_point_by_point,
    has_training,
    loading_times_ms,
    rasterise_point_by_point,
    search_rows,
    torch_times_ms,
    write_peer_models,
)
from ssd_ros.cli.bench_verify import match_exhaustively, query_and_keyframe, verify
from ssd_ros.encoder import OnnxEncoder
from ssd_ros.map_builder import encode_views
from ssd_ros.map_files import MapContent, MapInfo
from ssd_ros.place_database import PlaceDatabase
from ssd_ros.place_recognizer import PlaceRecognizer
from ssd_ros.point_cloud2 import decode_point_cloud2
from ssd_ros.polar_bev import polar_bev_from_points, views_of_panorama
from ssd_ros.preprocessing import CloudPreprocessor, scan_panorama
from ssd_ros.radar import RadarPointCloud, SpinningRadarScan, uniform_azimuths_rad
from ssd_ros.recognition import RecognizerConfig
from ssd_ros.trajectory import quaternion_from_yaw, Trajectory
from ssd_ros.verification import NUM_RETURNS

NUM_POINTS = 800
NUM_VIEWS = 36
NO_TRAINING = '(PyTorch or ONNX is not installed)'
_SECONDS_EACH = 1.0
_MIN_RUNS = 3
_POINT_FIELDS = {'f4': 7, 'i1': 1}  # constants of sensor_msgs/PointField


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
    name = f'ego velocity, raster, {config.num_scans}-scan maximum'
    yield Stage(name, times_of(lambda: preprocessor.process(cloud)))
    bev = preprocessor.process(cloud).bev
    yield from encode_stages(student, student_path, bev)

    database = random_database(10_000, student)
    descriptor = student.encode(bev)
    yield search_stage(database, descriptor)
    yield verify_stage()
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
    yield loading_stage()


def encode_stages(
    student: OnnxEncoder, student_path: Path, bev: NDArray[np.uint8]
) -> Iterator[Stage]:
    """Time the student against eager PyTorch, a network of SHeRLoc's size and itself in int8."""
    if not has_training():
        yield Stage('encode', times_of(lambda: student.encode(bev)), NO_TRAINING)
        return
    eager_ms = torch_times_ms(student.contract.preprocessing.grid)
    yield Stage('encode', times_of(lambda: student.encode(bev)), 'PyTorch eager', eager_ms)
    with TemporaryDirectory() as directory:
        write_peer_models(student_path, Path(directory))
        sherloc, in_int8 = (
            OnnxEncoder(Path(directory, f'{name}.onnx'), 'cpu') for name in ('sherloc', 'int8')
        )
    ours, peer = times_ms(lambda: student.encode(bev), lambda: sherloc.encode(bev))
    yield Stage('encode', ours, 'network of SHeRLoc, ONNX', peer)
    ours, peer = times_ms(lambda: in_int8.encode(bev), lambda: student.encode(bev))
    yield Stage('encode in int8', ours, 'in float32', peer)


def verify_stage() -> Stage:
    """Time the verification of one candidate whose keyframe was not seen before."""
    points_m, returns_cm = query_and_keyframe()
    ours, peer = times_ms(
        lambda: verify(points_m, returns_cm), lambda: match_exhaustively(points_m, returns_cm)
    )
    return Stage('verify a candidate', ours, 'every pose of the grid', peer)


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
    """Run the functions by turns and return the milliseconds of every run of each."""
    times: list[list[float]] = [[] for _ in functions]
    for function in functions:
        function()  # first runs load and allocate
    start = time.perf_counter()
    while len(times[0]) < _MIN_RUNS or time.perf_counter() - start < _SECONDS_EACH:
        for function, taken in zip(functions, times, strict=True):
            before = time.perf_counter()
            function()
            taken.append((time.perf_counter() - before) * 1e3)
    return times


def radar_message() -> Any:
    """Return a full ARS548 scan at 10 m/s as a PointCloud2 without ROS: packed, unaligned."""
    generator = np.random.default_rng(0)
    range_m = generator.uniform(2, 149, NUM_POINTS)
    azimuth_rad = np.radians(generator.uniform(-59, 59, NUM_POINTS))
    xyz_m = np.stack(
        [range_m * np.cos(azimuth_rad), range_m * np.sin(azimuth_rad), np.ones(NUM_POINTS)], axis=1
    )
    speed_mps = -10 * xyz_m[:, 0] / np.linalg.norm(xyz_m, axis=1)
    rcs_dbsm = np.rint(generator.normal(0, 8, NUM_POINTS))
    cloud = RadarPointCloud(
        0, xyz_m.astype(np.float32), rcs_dbsm.astype(np.float32), speed_mps.astype(np.float32)
    )
    layout: Mapping[str, Any] = ARS548_DTYPE.fields or {}
    fields = [
        SimpleNamespace(
            name=name, offset=entry[1], datatype=_POINT_FIELDS[entry[0].str[1:]], count=1
        )
        for name, entry in layout.items()
    ]
    step = ARS548_DTYPE.itemsize
    header = SimpleNamespace(stamp=SimpleNamespace(sec=1, nanosec=0), frame_id='radar')
    return SimpleNamespace(
        header=header,
        height=1,
        width=NUM_POINTS,
        fields=fields,
        is_bigendian=False,
        point_step=step,
        row_step=step * NUM_POINTS,
        data=ars548_records(cloud).tobytes(),
        is_dense=True,
    )


def random_database(num_rows: int, student: OnnxEncoder) -> PlaceDatabase:
    """Return a map of random descriptors, keyframes 2 m apart along a line."""
    num_keyframes = round(num_rows / NUM_VIEWS)
    size = student.contract.descriptor_size
    generator = np.random.default_rng(0)
    rows = generator.standard_normal((num_keyframes * NUM_VIEWS, size), dtype=np.float32)
    rows /= np.linalg.norm(rows, axis=1, keepdims=True)
    positions_m = np.zeros((num_keyframes, 3))
    positions_m[:, 0] = np.arange(num_keyframes) * 2.0
    poses = Trajectory(
        np.arange(num_keyframes), positions_m, quaternion_from_yaw(np.zeros(num_keyframes))
    )
    info = MapInfo(student.contract.descriptor_space, '', NUM_VIEWS, 2.0)
    returns_cm = generator.integers(-10_000, 10_000, (num_keyframes, NUM_RETURNS, 2), np.int16)
    return PlaceDatabase(MapContent(rows, poses, returns_cm, info))


def spinning_scan() -> SpinningRadarScan:
    """Return a scan of the size that the simulator makes, noise with strong echoes."""
    generator = np.random.default_rng(0)
    power = generator.integers(20, 70, (856, 400), dtype=np.uint8)
    power[generator.random(power.shape) < 0.05] = 150
    return SpinningRadarScan(0, power, uniform_azimuths_rad(400), 150 / 856)
