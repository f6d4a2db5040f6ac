# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""
From polar BEV images to scan contexts: an encoder that needs no training, for either radar.

A small JSON file, such as `models/scan_context.json`, says how the images are made and how they
are compared. A descriptor is the context, flattened and of unit length, which keeps the cosines
between its columns.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
import hashlib
import json
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from ssd_ros.bev.preprocessing import PreprocessingConfig
from ssd_ros.encoders.model_contract import first_missing, ModelContract
from ssd_ros.encoders.model_contract import FORMAT_VERSION as CONTRACT_VERSION
from ssd_ros.encoders.scan_context import panorama_of_view, scan_context, ScanContextConfig
from ssd_ros.reading import read_whole
from ssd_ros.records import record_from_mapping, settings_of

FORMAT_VERSION = 1
MAX_BYTES = 1 << 16
SUFFIX = '.json'


@dataclass(frozen=True, slots=True)
class ScanContextFile:
    """
    What the file says.

    :param accept_max_distance: a candidate nearer than this is accepted in a map that is not
        calibrated
    :param accept_max_ratio: likewise, of its distance to that of the best far-away alternative
    """

    format_version: int
    preprocessing: PreprocessingConfig
    scan_context: ScanContextConfig
    accept_max_distance: float
    accept_max_ratio: float

    @property
    def descriptor_space(self) -> str:
        """SHA-256 of all that the descriptors and their comparison depend on."""
        meaning = {
            'preprocessing': settings_of(self.preprocessing),
            'scan_context': asdict(self.scan_context),
        }
        return hashlib.sha256(json.dumps(meaning, sort_keys=True).encode()).hexdigest()

    def contract(self, sensor: str) -> ModelContract:
        """
        Return what a model file of this sensor would say.

        :raise ValueError: a value is impossible
        """
        return ModelContract(
            format_version=CONTRACT_VERSION,
            sensor=sensor,
            preprocessing=self.preprocessing,
            num_views=1,
            descriptor_size=self.scan_context.num_rings * self.scan_context.num_sectors,
            descriptor_space=self.descriptor_space,
            accept_max_distance=self.accept_max_distance,
            accept_max_ratio=self.accept_max_ratio,
            training_data='none: handcrafted',
            commit='',
            created='',
        )


class ScanContextEncoder:
    """Images of a radar or LiDAR to scan contexts of unit length."""

    kind = 'scan_context'
    provider = 'NumPy'

    def __init__(self, path: Path | str, sensor: str = '4d') -> None:
        """
        Read the description.

        :param sensor: '4d', 'spinning' or 'lidar', of the images
        :raise ValueError: it is damaged, incomplete or says something impossible
        :raise OSError: it cannot be read
        """
        content = read_whole(Path(path), MAX_BYTES, 'a description of scan contexts')
        self.digest = hashlib.sha256(content).hexdigest()
        try:
            described = _described(content)
            self.contract = described.contract(sensor)
        except ValueError as error:
            raise ValueError(f'{path}: {error}') from error
        self.scan_context = described.scan_context

    def encode(self, bev: NDArray[np.uint8]) -> NDArray[np.float32]:
        """
        Return the unit descriptor of one field of view.

        :param bev: shape (num_ranges, num_azimuths)
        :return: shape (num_rings * num_sectors,)
        """
        return self._descriptor(panorama_of_view(bev, self.contract.preprocessing.grid))

    def encode_batch(self, bevs: NDArray[np.uint8]) -> NDArray[np.float32]:
        """
        Return the unit descriptors of several fields of view.

        :param bevs: shape (N, num_ranges, num_azimuths)
        :return: shape (N, num_rings * num_sectors)
        """
        descriptors = [self.encode(bev) for bev in bevs]
        return np.array(descriptors, np.float32).reshape(-1, self.contract.descriptor_size)

    def encode_panorama(self, panorama: NDArray[np.uint8]) -> NDArray[np.float32]:
        """
        Return the unit descriptor of a full turn, which is compared at every rotation.

        :param panorama: shape (num_ranges, panorama_azimuths)
        :return: shape (1, num_rings * num_sectors)
        """
        return self._descriptor(panorama)[None]

    def _descriptor(self, panorama: NDArray[np.uint8]) -> NDArray[np.float32]:
        grid = self.contract.preprocessing.grid
        context = scan_context(panorama, grid, self.scan_context).reshape(-1)
        length = np.linalg.norm(context)
        if length == 0:
            # An empty image has no direction; below 0 is no echo, which resembles nothing.
            return np.full(context.shape, -1 / np.sqrt(context.size), np.float32)
        return np.asarray(context / length, dtype=np.float32)


def _described(content: bytes) -> ScanContextFile:
    """
    Read a description, in which no value may be left out but options that came later.

    :raise ValueError: it is not one
    """
    try:
        values: Any = json.loads(content)
    except (ValueError, RecursionError) as error:
        raise ValueError(f'not JSON: {error}') from error
    described = record_from_mapping(ScanContextFile, values)
    if described.format_version != FORMAT_VERSION:
        raise ValueError(
            f'format_version is {described.format_version}, this ssd_ros reads {FORMAT_VERSION}'
        )
    if missing := first_missing(settings_of(described), values):
        raise ValueError(f'{missing} is missing')
    return described
