# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Small real parts that several tests need: two encoders and a drive among a few posts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
import hashlib
import json
import math
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
import onnx
from onnx import helper, numpy_helper, TensorProto
from ssd_ros.baselines.polar_image import PolarImage
from ssd_ros.bev.polar_bev import PolarGrid
from ssd_ros.bev.preprocessing import PreprocessingConfig
from ssd_ros.data_origin import Origin
from ssd_ros.datasets.poses import empty_trajectory
from ssd_ros.datasets.sequence import WithoutLidar
from ssd_ros.encoders.model_contract import CONTRACT_KEY, FORMAT_VERSION, ModelContract, SENSORS
from ssd_ros.encoders.network import OnnxEncoder
from ssd_ros.lidar.types import LidarPointCloud
from ssd_ros.motion.trajectory import quaternion_from_yaw, Trajectory
from ssd_ros.radar.types import RadarPointCloud, SpinningRadarScan, uniform_azimuths_rad

SPACE = 'a' * 64
# Cells of 1.5625 m by 2.5 degrees; the panorama has 144 columns, which 36 views divide.
SMALL = PreprocessingConfig(grid=PolarGrid(num_ranges=64, num_azimuths=48, max_range_m=100.0))
DESCRIPTOR_SIZE = 64
NUM_VIEWS = 36
NO_STAMPS = np.zeros(0, np.int64)
START_NS = 1_735_689_600_000_000_001
LIDAR_HEIGHT_M = 1.9
SLOPE = 0.05  # upwards along y, where there is a LiDAR
POST_M = 2.4
GRID = PolarGrid()


def small_contract(sensor: str, space: str = SPACE) -> ModelContract:
    return ModelContract(
        format_version=FORMAT_VERSION,
        sensor=sensor,
        preprocessing=SMALL,
        num_views=1 if sensor == '4d' else NUM_VIEWS,
        descriptor_size=DESCRIPTOR_SIZE,
        descriptor_space=space,
        accept_max_distance=1.0,
        accept_max_ratio=0.9,
        training_data='none, random projection',
        commit='unknown',
        created='2026-01-31',
    )


def write_small_encoder(path: Path, sensor: str, space: str = SPACE) -> Path:
    """
    Write a model that projects blocks of occupied cells by random numbers.

    Both sensors get the same weights, so posts seen by both give nearby descriptors. The
    teacher's views are cut out of the panorama first.
    """
    grid, contract = SMALL.grid, small_contract(sensor, space)
    names = SENSORS[sensor]
    num_blocks = (grid.num_ranges // 4) * (grid.num_azimuths // 4)
    starts = np.arange(NUM_VIEWS)[:, None] * (grid.panorama_azimuths // NUM_VIEWS)
    columns = starts + np.arange(grid.num_azimuths) - grid.num_azimuths // 2
    constants = {
        'zero': np.float32(0),
        'one': np.float32(1),
        'weight': np.random.default_rng(0).normal(size=(num_blocks, DESCRIPTOR_SIZE)),
        'bias': np.full(DESCRIPTOR_SIZE, 1e-3),  # an empty image has a direction, too
        'columns': columns % grid.panorama_azimuths,
        'image': np.array([-1, 1, grid.num_ranges, grid.num_azimuths]),
        'output': np.array([-1, *contract.output_shape]),
    }
    cut = [
        helper.make_node('Gather', ['pixels', 'columns'], ['gathered'], axis=3),
        helper.make_node('Transpose', ['gathered'], ['views'], perm=[0, 3, 1, 2, 4]),
        helper.make_node('Reshape', ['views', 'image'], ['images']),
    ]
    nodes = [
        helper.make_node('Cast', [names.input_name], ['pixels'], to=TensorProto.FLOAT),
        *(cut if sensor == 'spinning' else [helper.make_node('Identity', ['pixels'], ['images'])]),
        helper.make_node('Clip', ['images', 'zero', 'one'], ['occupied']),
        helper.make_node(
            'AveragePool', ['occupied'], ['pooled'], kernel_shape=[4, 4], strides=[4, 4]
        ),
        helper.make_node('Flatten', ['pooled'], ['flat'], axis=1),
        helper.make_node('MatMul', ['flat', 'weight'], ['product']),
        helper.make_node('Add', ['product', 'bias'], ['sum']),
        helper.make_node('LpNormalization', ['sum'], ['unit'], axis=1, p=2),
        helper.make_node('Reshape', ['unit', 'output'], [names.output_name]),
    ]
    given: list[int | str | None] = ['N', 1, *contract.input_shape]
    result: list[int | str | None] = ['N', *contract.output_shape]
    graph = helper.make_graph(
        nodes,
        'random_projection',
        [helper.make_tensor_value_info(names.input_name, TensorProto.UINT8, given)],
        [helper.make_tensor_value_info(names.output_name, TensorProto.FLOAT, result)],
        [_constant(name, np.asarray(value)) for name, value in constants.items()],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid('', 17)], ir_version=9)
    helper.set_model_props(model, {CONTRACT_KEY: contract.to_json()})
    onnx.checker.check_model(model)
    path.write_bytes(model.SerializeToString())
    return path


def write_sealed_meta(file: Path, meta: dict[str, Any]) -> None:
    """Write the description of a map together with its checksum, as an attacker would."""
    rest = {name: value for name, value in meta.items() if name != 'meta_sha256'}
    text = json.dumps(rest, sort_keys=True, separators=(',', ':'))
    sealed = {**rest, 'meta_sha256': hashlib.sha256(text.encode()).hexdigest()}
    file.write_text(json.dumps(sealed))


def _constant(name: str, value: NDArray[Any]) -> onnx.TensorProto:
    dtype = np.float32 if value.dtype.kind == 'f' else np.int64
    return numpy_helper.from_array(value.astype(dtype), name)


def small_encoder(directory: Path, sensor: str, space: str = SPACE) -> OnnxEncoder:
    path = directory / f'{sensor}_{space[0]}.onnx'
    return OnnxEncoder(write_small_encoder(path, sensor, space), device='cpu')


def random_posts(num: int = 250, length_m: float = 300.0, seed: int = 0) -> NDArray[np.float64]:
    """Return the places of posts on both sides of a road along x, shape (num, 2)."""
    generator = np.random.default_rng(seed)
    x = generator.uniform(-100, length_m + 100, num)
    y = generator.uniform(6, 60, num) * generator.choice([-1, 1], num)
    return np.stack([x, y], axis=1)


@dataclass
class PostDrive(WithoutLidar):
    """
    A drive with both radars past posts; satisfies RadarSequence.

    :param xy_yaw: shape (N, 3), poses of both radars in the map: metres, metres, radians
    """

    posts: NDArray[np.float64]
    xy_yaw: NDArray[np.float64]
    name: str = 'Posts/01'
    step_ns: int = 2_000_000_000  # more than a window of scans
    unreadable: set[int] = field(default_factory=set)
    start_ns: int = START_NS
    origin: Origin = field(default_factory=Origin)

    @property
    def scan_stamps_ns(self) -> NDArray[np.int64]:
        return self.start_ns + np.arange(len(self.xy_yaw)) * self.step_ns

    @property
    def cloud_stamps_ns(self) -> NDArray[np.int64]:
        return self.scan_stamps_ns

    @property
    def scan_poses(self) -> Trajectory:
        positions_m = np.concatenate([self.xy_yaw[:, :2], np.zeros((len(self.xy_yaw), 1))], axis=1)
        return Trajectory(self.scan_stamps_ns, positions_m, quaternion_from_yaw(self.xy_yaw[:, 2]))

    @property
    def cloud_poses(self) -> Trajectory:
        return self.scan_poses

    def cloud(self, index: int) -> RadarPointCloud:
        """Return the posts within 100 m and 60 degrees as returns of 20 dBsm, standing still."""
        range_m, azimuth_rad = self._posts_seen_from(index)
        seen = (range_m < 100) & (np.abs(azimuth_rad) < math.radians(59.9))
        x, y = range_m * np.cos(azimuth_rad), range_m * np.sin(azimuth_rad)
        xyz_m = np.stack([x, y, np.zeros_like(x)], axis=1)[seen].astype(np.float32)
        num = len(xyz_m)
        stamp_ns = int(self.cloud_stamps_ns[index])
        rcs_dbsm = np.full(num, 20, np.float32)
        return RadarPointCloud(stamp_ns, xyz_m, rcs_dbsm, np.zeros(num, np.float32), 'radar')

    def scan(self, index: int) -> SpinningRadarScan:
        """Return the posts within 100 m as echoes on an empty ground."""
        if index in self.unreadable:
            raise ValueError(f'scan {index} is damaged')
        range_m, azimuth_rad = self._posts_seen_from(index)
        seen = range_m < 99
        power = np.zeros((600, 400), np.uint8)  # bins of 0.25 m
        column = np.rint(-azimuth_rad[seen] * (200 / math.pi)).astype(int)
        row = (range_m[seen] / 0.25).astype(int)
        # As large as the spread of a 4D return: three cells in range and in azimuth.
        rows = np.maximum(row[:, None, None] + np.arange(-7, 8)[None, :, None], 0)
        columns = (column[:, None, None] + np.arange(-3, 4)[None, None]) % 400
        power[rows, columns] = 200
        return SpinningRadarScan(
            int(self.scan_stamps_ns[index]), power, uniform_azimuths_rad(400), 0.25
        )

    def _posts_seen_from(self, index: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        x, y, yaw = self.xy_yaw[index]
        offset = self.posts - (x, y)
        azimuth_rad = np.arctan2(offset[:, 1], offset[:, 0]) - yaw
        return np.hypot(*offset.T), np.mod(azimuth_rad + math.pi, 2 * math.pi) - math.pi


@dataclass
class JoltedDrive(PostDrive):
    """
    The same with poses each of which is off by itself.

    :param off_m: root mean square
    """

    off_m: float = 0.0

    @property
    def scan_poses(self) -> Trajectory:
        """Return the poses as stated."""
        true = PostDrive.scan_poses.__get__(self)
        error_m = np.random.default_rng(0).standard_normal((len(true), 3)) * (1, 1, 0)
        return replace(true, positions_m=true.positions_m + self.off_m / math.sqrt(2) * error_m)


def jolted(drive: PostDrive, off_m: float) -> JoltedDrive:
    """Return a drive whose stated poses are off by so much."""
    return JoltedDrive(drive.posts, drive.xy_yaw, off_m=off_m)


@dataclass
class OneRadar(WithoutLidar):
    """A drive of which one radar was recorded, and no poses."""

    drive: PostDrive
    sensor: str
    name: str = 'x'
    cloud_poses: Trajectory = field(default_factory=empty_trajectory)
    scan_poses: Trajectory = field(default_factory=empty_trajectory)

    @property
    def cloud_stamps_ns(self) -> NDArray[np.int64]:
        return self.drive.cloud_stamps_ns if self.sensor == '4d' else NO_STAMPS

    @property
    def scan_stamps_ns(self) -> NDArray[np.int64]:
        return self.drive.scan_stamps_ns if self.sensor == 'spinning' else NO_STAMPS

    def __getattr__(self, name: str) -> object:
        return getattr(self.drive, name)


def straight_drive(
    num: int = 30, step_m: float = 10.0, yaw_rad: float = 0.0, seed: int = 0
) -> PostDrive:
    """Return a drive along x with one scan every step_m, looking to yaw_rad."""
    x = np.arange(num) * step_m
    return PostDrive(random_posts(seed=seed), np.stack([x, 0 * x, 0 * x + yaw_rad], axis=1))


@dataclass
class MovingDrive(PostDrive):
    """
    The same with range rates, by a radar that looks elsewhere than its poses say.

    :param turned_rad: to the left of them
    :param doppler_sign: -1 = its driver counts them the other way round
    """

    turned_rad: float = 0.0
    doppler_sign: int = 1

    def cloud(self, index: int) -> RadarPointCloud:
        """Return the posts that this radar sees and how fast they come nearer."""
        turned = replace(self, xy_yaw=self.xy_yaw + np.array([0, 0, self.turned_rad]))
        cloud = PostDrive.cloud(turned, index)
        steps_m = np.gradient(self.xy_yaw[:, :2], axis=0)[index]
        velocity = complex(*steps_m) * np.exp(-1j * turned.xy_yaw[index, 2])
        velocity_mps = np.array([velocity.real, velocity.imag]) / (self.step_ns / 1e9)
        range_m = np.linalg.norm(cloud.xyz_m, axis=1)
        rates_mps = -self.doppler_sign * (cloud.xyz_m[:, :2] @ velocity_mps) / range_m
        return replace(cloud, radial_velocity_mps=rates_mps.astype(np.float32))


def moving_drive(num: int = 40, **options: Any) -> MovingDrive:
    """Return a drive along x at 8 m/s with four scans a second, among many posts."""
    straight = straight_drive(num, step_m=2.0)
    posts = random_posts(num=1000)
    return MovingDrive(posts, straight.xy_yaw, step_ns=250_000_000, **options)


@dataclass
class LidarDrive(PostDrive):
    """
    The same with a LiDAR above the radars, turned to the left, and a truck that drives on.

    :param lidar_yaw_rad: by how much
    :param lidar_range_m: as far as it sees
    :param lidar_half_fov_rad: on either side of ahead
    """

    lidar_yaw_rad: float = 0.5
    lidar_range_m: float = 100.0
    lidar_half_fov_rad: float = math.pi

    @property
    def lidar_stamps_ns(self) -> NDArray[np.int64]:
        return self.scan_stamps_ns

    @property
    def lidar_poses(self) -> Trajectory:
        x, y, yaw = self.xy_yaw.T
        positions_m = np.column_stack([x, y, SLOPE * y + LIDAR_HEIGHT_M])
        return Trajectory(
            self.scan_stamps_ns, positions_m, quaternion_from_yaw(yaw + self.lidar_yaw_rad)
        )

    def lidar(self, index: int) -> LidarPointCloud:
        """Return ground every 1.5 m, the posts, and a truck 8 m ahead that drives as fast."""
        if index in self.unreadable:
            raise ValueError(f'scan {index} is damaged')
        steps = np.arange(-self.lidar_range_m, self.lidar_range_m, 1.5)
        x, y, _ = self.xy_yaw[index]
        ground = np.stack(np.meshgrid(steps + x, steps + y), axis=2).reshape(-1, 2)
        heights_m = np.arange(0.1, POST_M, 0.2)
        posts = np.repeat(self.posts, len(heights_m), axis=0)
        up_m = np.tile(heights_m, len(self.posts))
        truck = np.stack(np.meshgrid([x + 8.0], y + np.arange(-1, 1, 0.2)), axis=2).reshape(-1, 2)
        xy_m = np.concatenate([ground, posts, truck])
        z_m = SLOPE * xy_m[:, 1] + np.concatenate([0 * ground[:, 0], up_m, 0 * truck[:, 0] + 1.5])
        offset_m = np.column_stack([xy_m, z_m]) - self.lidar_poses.positions_m[index]
        yaw = float(self.lidar_poses.yaws_rad[index])
        cos, sin = math.cos(yaw), math.sin(yaw)
        xyz_m = offset_m @ np.array([[cos, -sin, 0], [sin, cos, 0], [0, 0, 1]])
        is_seen = np.hypot(xyz_m[:, 0], xyz_m[:, 1]) < self.lidar_range_m
        is_seen &= np.abs(np.arctan2(xyz_m[:, 1], xyz_m[:, 0])) <= self.lidar_half_fov_rad
        xyz_m = xyz_m[is_seen]
        intensity = np.full(len(xyz_m), np.nan, np.float32)
        return LidarPointCloud(
            int(self.lidar_stamps_ns[index]), xyz_m.astype(np.float32), intensity
        )


def lidar_drive(num: int = 40, step_m: float = 2.0, seed: int = 0) -> LidarDrive:
    """Return a drive along x, of a scan every step_m."""
    x = np.arange(num) * step_m
    return LidarDrive(random_posts(300, seed=seed), np.stack([x, 0 * x, 0 * x], axis=1))


def posts(seed: int) -> NDArray[np.float64]:
    """Return where 40 posts stand, shape (40, 2): ahead and left in metres, within 110 m."""
    generator = np.random.default_rng(seed)
    range_m, azimuth_rad = generator.uniform(15, 110, 40), generator.uniform(0, 2 * math.pi, 40)
    return np.stack([range_m * np.cos(azimuth_rad), range_m * np.sin(azimuth_rad)], axis=1)


def seen_from(
    posts_m: NDArray[np.float64], pose: Sequence[float] | NDArray[np.float64]
) -> NDArray[np.float64]:
    """Return where posts stand for who is at a pose among them: x ahead, y left, yaw."""
    x, y, yaw = pose
    c, s = math.cos(yaw), math.sin(yaw)
    return (posts_m - [x, y]) @ np.array([[c, -s], [s, c]])


def image_of(posts_m: NDArray[np.float64]) -> PolarImage:
    """Return the turn that shows each post as a disc of 3 m."""
    range_m = (np.arange(GRID.num_ranges)[:, None] + 0.5) * (GRID.max_range_m / GRID.num_ranges)
    clockwise_rad = (np.arange(GRID.panorama_azimuths) + 0.5) * (
        2 * math.pi / GRID.panorama_azimuths
    )
    ahead_m, left_m = range_m * np.cos(clockwise_rad), -range_m * np.sin(clockwise_rad)
    cells = np.zeros(ahead_m.shape, np.uint8)
    for x, y in posts_m:
        near = np.abs(range_m[:, 0] - math.hypot(x, y)) < 3
        cells[near] |= np.where(np.hypot(ahead_m[near] - x, left_m[near] - y) < 3, 200, 0).astype(
            np.uint8
        )
    return PolarImage.of_panorama(cells, GRID)
