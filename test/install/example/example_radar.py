# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""An example of what others bring along: a reader of drives, an encoder, a method to compare."""

from __future__ import annotations

import hashlib
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from ssd_ros import RadarPointCloud, SpinningRadarScan
from ssd_ros.baselines.method import Handcrafted
from ssd_ros.baselines.polar_image import PolarImage
from ssd_ros.bev.polar_bev import PolarGrid, views_of_panorama
from ssd_ros.bev.preprocessing import PreprocessingConfig
from ssd_ros.datasets.sequence import WithoutLidar
from ssd_ros.encoders.model_contract import FORMAT_VERSION, ModelContract
from ssd_ros.motion.trajectory import Trajectory

NUM_NUMBERS = 64


class NpzDrive(WithoutLidar):
    """A drive in one file of NumPy arrays; satisfies RadarSequence."""

    def __init__(self, path: Path) -> None:
        self.name = path.stem
        with np.load(path) as arrays:
            self._arrays = dict(arrays)
        self.cloud_stamps_ns = self.scan_stamps_ns = self._arrays['stamps_ns']
        positions_m, quaternions = self._arrays['positions_m'], self._arrays['quaternions_xyzw']
        self.cloud_poses = Trajectory(self.cloud_stamps_ns, positions_m, quaternions)
        self.scan_poses = self.cloud_poses

    def cloud(self, index: int) -> RadarPointCloud:
        """Return one scan of the 4D radar."""
        points = self._arrays[f'points_{index}']
        stamp_ns = int(self.cloud_stamps_ns[index])
        return RadarPointCloud(stamp_ns, points[:, :3], points[:, 3], points[:, 4])

    def scan(self, index: int) -> SpinningRadarScan:
        """Return one turn of the spinning radar."""
        power, azimuths_rad = self._arrays['power'][index], self._arrays['azimuths_rad']
        stamp_ns = int(self.scan_stamps_ns[index])
        return SpinningRadarScan(
            stamp_ns, power, azimuths_rad, float(self._arrays['range_resolution_m'])
        )


class Blocks:
    """Random projections of which blocks of cells have a return; satisfies PlaceEncoder."""

    kind = 'network'
    provider = 'NumPy'
    scan_context = None

    def __init__(self, path: Path | None, device: str, num_threads: int, sensor: str) -> None:
        seed = int(path.read_text()) if path else 0
        self.digest = hashlib.sha256(f'blocks {seed}'.encode()).hexdigest()
        grid = PolarGrid(num_ranges=64, num_azimuths=48, max_range_m=100.0)
        self.contract = ModelContract(
            format_version=FORMAT_VERSION,
            sensor=sensor,
            preprocessing=PreprocessingConfig(grid=grid),
            num_views=1 if sensor == '4d' else 36,
            descriptor_size=NUM_NUMBERS,
            descriptor_space=self.digest,
            accept_max_distance=1.0,
            accept_max_ratio=0.9,
            training_data='none',
            commit='',
            created='',
        )
        generator = np.random.default_rng(seed)
        self._weights = generator.normal(size=(grid.num_ranges * 12 // 4, NUM_NUMBERS))

    def encode(self, bev: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Return the unit descriptor of an image."""
        return np.asarray(self.encode_batch(bev[None])[0])

    def encode_batch(self, bevs: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Return the unit descriptors of several images."""
        blocks = (bevs > 0).reshape(len(bevs), 16, 4, 12, 4).mean(axis=(2, 4))
        projected = blocks.reshape(len(bevs), -1) @ self._weights + 1e-3
        lengths = np.linalg.norm(projected, axis=1, keepdims=True)
        return (projected / lengths).astype(np.float32)

    def encode_panorama(self, panorama: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Return the unit descriptors of all views."""
        grid = self.contract.preprocessing.grid
        return self.encode_batch(views_of_panorama(panorama, grid, self.contract.num_views))


class Rings(Handcrafted):
    """The share of each ring that has a return, of each of twelve fields of view of a place."""

    num_views = 12

    def describe(self, image: PolarImage) -> NDArray[np.float32]:
        """Return one number a ring."""
        return np.asarray((image.seen_cells > 0).mean(axis=1, dtype=np.float32))


class NoEncoder:
    """What is called as an encoder and is none."""

    def __init__(self, *arguments: object) -> None:
        pass


class Longer(Blocks):
    """An encoder whose descriptors are too long."""

    def encode_batch(self, bevs: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Return them twice as long."""
        return super().encode_batch(bevs) * 2
