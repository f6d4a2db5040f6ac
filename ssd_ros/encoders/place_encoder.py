# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What turns images of either radar into descriptors: a network or, without one, scan contexts."""

from __future__ import annotations

from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray
from ssd_ros.devices import AUTO, CPU
from ssd_ros.encoders.model_checks import require_unit_length
from ssd_ros.encoders.model_contract import ModelContract
from ssd_ros.encoders.network import OnnxEncoder
from ssd_ros.encoders.scan_context import ScanContextConfig
from ssd_ros.encoders.scan_context_encoder import ScanContextEncoder, SUFFIX
from ssd_ros.extensions import is_own, own_class, require_members
from ssd_ros.shared_files import ENCODERS, shared_file


class PlaceEncoder(Protocol):
    """A student or a teacher."""

    contract: ModelContract
    digest: str

    @property
    def kind(self) -> str:
        """Its name on command lines: 'network' or 'scan_context'."""
        ...

    @property
    def provider(self) -> str:
        """What computes it."""
        ...

    @property
    def scan_context(self) -> ScanContextConfig | None:
        """What its descriptors are; None = those of a network."""
        ...

    def encode(self, bev: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Return the unit descriptor of a polar BEV, shape (D,)."""
        ...

    def encode_batch(self, bevs: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Return the unit descriptors of several polar BEVs, shape (N, D)."""
        ...

    def encode_panorama(self, panorama: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Return the unit descriptors of all views of a panorama, (contract.num_views, D)."""
        ...


def named_encoder(
    name: str,
    path: Path | None = None,
    device: str = 'auto',
    num_threads: int = 1,
    expected_sensor: str = '4d',
) -> PlaceEncoder:
    """
    Open the encoder that a command line names.

    :param name: one of ENCODERS, or `module:Class` of anybody's, which is called with the other
        arguments and returns a PlaceEncoder
    :param path: a file in place of the installed one; None = that one, or none for a class
    :raise ValueError: as open_encoder, or the class is not there or makes no PlaceEncoder
    :raise OSError: the file cannot be read
    """
    if is_own(name):
        made: PlaceEncoder = own_class(name, '--encoder')(
            path, device, num_threads, expected_sensor
        )
        _check_own(made, f'--encoder {name}', expected_sensor)
        return made
    shipped = ENCODERS[name]
    own = shipped.student if expected_sensor == '4d' else shipped.teacher
    return open_encoder(path or shared_file(own), device, num_threads, expected_sensor)


def _check_own(encoder: PlaceEncoder, name: str, sensor: str) -> None:
    """Hold a class to what a model file is held to: its contract, and unit descriptors."""
    require_members(encoder, PlaceEncoder, name)
    if encoder.kind != 'network' or encoder.scan_context is not None:
        raise ValueError(
            f'{name} is of kind {encoder.kind!r} with scan_context {encoder.scan_context}, '
            "expected 'network' and None: its descriptors compare by their cosine"
        )
    contract = encoder.contract
    if not contract.encodes(sensor):
        raise ValueError(f'{name} encodes sensor {contract.sensor!r}, expected {sensor!r}')
    image = np.zeros(contract.input_shape, np.uint8)
    encode = encoder.encode if contract.is_one_view else encoder.encode_panorama
    descriptors = np.asarray(encode(image))
    if descriptors.shape != contract.output_shape or descriptors.dtype != np.float32:
        raise ValueError(
            f'{name} gives {descriptors.shape} {descriptors.dtype}, its contract says '
            f'{contract.output_shape} float32'
        )
    require_unit_length(name, descriptors)


def open_encoder(
    path: Path | str, device: str = 'auto', num_threads: int = 1, expected_sensor: str = '4d'
) -> PlaceEncoder:
    """
    Open a network, or a description of scan contexts if the name ends in .json.

    :param device: one of DEVICES
    :param expected_sensor: '4d', 'spinning' or 'lidar', of the images
    :raise ValueError: the file is damaged or not for this sensor
    :raise OSError: it cannot be read
    """
    if Path(path).suffix != SUFFIX:
        return OnnxEncoder(path, device, num_threads, expected_sensor=expected_sensor)
    if device not in (AUTO, CPU):
        raise ValueError(f'device is {device}, but scan contexts are made by NumPy: choose auto')
    return ScanContextEncoder(path, expected_sensor)


def describe(encoder: PlaceEncoder, image: NDArray[np.uint8]) -> NDArray[np.float32]:
    """
    Return what a place is looked up by.

    :param image: a polar BEV of the 4D radar, or a panorama of the spinning radar, as the encoder
        is for
    :return: shape (D,), or of a whole turn (contract.num_views, D); unit length
    """
    if encoder.contract.sensor == 'spinning':
        return encoder.encode_panorama(image)
    return encoder.encode(image)


def require_same_space(student: PlaceEncoder, teacher: PlaceEncoder) -> None:
    """
    Refuse two encoders whose descriptors cannot be compared.

    :raise ValueError: they are of different training runs
    """
    spaces = [encoder.contract.descriptor_space for encoder in (student, teacher)]
    if spaces[0] != spaces[1]:
        raise ValueError(
            'student and teacher are of different training runs (descriptor space '
            f'{spaces[0][:12]} and {spaces[1][:12]}): their descriptors cannot be compared'
        )
