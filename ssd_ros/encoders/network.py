# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""
From polar BEV images to descriptors: an ONNX model that carries its contract.

A model file is untrusted input: it is read once, may not refer to other files, and is run once
before use.
"""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from ssd_ros.encoders.model_contract import CONTRACT_KEY, ModelContract, SENSORS
from ssd_ros.encoders.onnx_session import open_as_written, open_session, providers_for, read_model


class OnnxEncoder:
    """
    Radar images to unit descriptors with ONNX Runtime, on CUDA where present.

    A model of the 4D radar encodes polar BEVs (`encode`, `encode_batch`), one of the spinning
    radar whole panoramas (`encode_panorama`).
    """

    kind = 'network'
    scan_context = None

    def __init__(
        self,
        path: Path | str,
        device: str = 'auto',
        num_threads: int = 1,
        allow_spinning: bool = False,
        expected_sensor: str | None = None,
    ) -> None:
        """
        Load a model and run it once.

        :param device: 'auto', 'cpu' or 'cuda'
        :param num_threads: one is fastest on a machine that does other work
        :param allow_spinning: idle threads wait busily, which takes time from other processes
        :param expected_sensor: '4d' or 'spinning'; None accepts both
        :raise ValueError: the file is not a model with a contract, or not the expected one
        :raise OSError: the file cannot be read
        """
        path = Path(path)
        if num_threads < 1:
            raise ValueError(f'num_threads is {num_threads}, expected at least 1')
        providers = providers_for(device)
        model = read_model(path)
        self.digest = hashlib.sha256(model).hexdigest()
        # What it asks for is checked and run as it is written before anything is optimised.
        self._session = open_as_written(path, model)
        self.contract = _contract_of(path, self._session)
        if expected_sensor not in (None, self.contract.sensor):
            raise ValueError(
                f'{path} encodes sensor {self.contract.sensor!r} '
                f'({SENSORS[self.contract.sensor].description}), expected {expected_sensor!r}'
            )
        self._check_signature(path)
        self._check_output(path)
        self._session = open_session(path, model, providers, num_threads, allow_spinning)
        self.provider: str = self._session.get_providers()[0]
        if device == 'cuda' and self.provider != 'CUDAExecutionProvider':
            raise ValueError(
                f'device is cuda but ONNX Runtime started {self.provider}: '
                'check the CUDA and cuDNN libraries, or choose device cpu'
            )
        self._check_output(path)

    def encode(self, bev: NDArray[np.uint8]) -> NDArray[np.float32]:
        """
        Return the unit descriptor of one image.

        :param bev: shape (num_ranges, num_azimuths)
        :return: shape (descriptor_size,)
        """
        descriptor: NDArray[np.float32] = self.encode_batch(np.asarray(bev)[None])[0]
        return descriptor

    def encode_batch(self, bevs: NDArray[np.uint8]) -> NDArray[np.float32]:
        """
        Return the unit descriptors of several images.

        :param bevs: shape (N, num_ranges, num_azimuths)
        :return: shape (N, descriptor_size)
        """
        self._require_sensor('4d', 'encode_panorama')
        return self._run(bevs)

    def encode_panorama(self, panorama: NDArray[np.uint8]) -> NDArray[np.float32]:
        """
        Return the unit descriptors of all views of a panorama, in the order of view_yaws_rad.

        :param panorama: shape (num_ranges, panorama_azimuths)
        :return: shape (contract.num_views, descriptor_size)
        """
        self._require_sensor('spinning', 'encode')
        descriptors: NDArray[np.float32] = self._run(np.asarray(panorama)[None])[0]
        return descriptors

    def _require_sensor(self, sensor: str, alternative: str) -> None:
        if self.contract.sensor != sensor:
            raise ValueError(
                f'this model encodes sensor {self.contract.sensor!r}, not {sensor!r}: '
                f'use {alternative}'
            )

    def _run(self, images: NDArray[np.uint8]) -> NDArray[np.float32]:
        contract = self.contract
        if images.dtype != np.uint8 or images.shape[1:] != contract.input_shape:
            raise ValueError(
                f'images have shape {images.shape} and type {images.dtype}, expected '
                f'{_shape_text(contract.input_shape)} uint8'
            )
        if len(images) == 0:
            return np.zeros((0, *contract.output_shape), dtype=np.float32)
        names = SENSORS[contract.sensor]
        outputs = self._session.run([names.output_name], {names.input_name: images[:, None]})
        return np.asarray(outputs[0], dtype=np.float32)

    def _check_signature(self, path: Path) -> None:
        """Compare names, types and shapes of the model's ends with its contract."""
        names = SENSORS[self.contract.sensor]
        ends = (
            ('input', self._session.get_inputs(), names.input_name, 'tensor(uint8)',
             (1, *self.contract.input_shape)),
            ('output', self._session.get_outputs(), names.output_name, 'tensor(float)',
             self.contract.output_shape),
        )  # fmt: skip
        for end, nodes, name, kind, shape in ends:
            found = [(node.name, node.type, tuple(node.shape)) for node in nodes]
            if len(found) != 1 or found[0][:2] != (name, kind) or found[0][2][1:] != shape:
                raise ValueError(
                    f'{path} has {end} {found}, its contract says one {kind} {name!r} '
                    f'of shape {_shape_text(shape)}'
                )
            if isinstance(found[0][2][0], int):
                raise ValueError(f'{path} has a fixed batch size of {found[0][2][0]} in {name!r}')

    def _check_output(self, path: Path) -> None:
        """Run an empty and a full image, which also takes the start-up cost."""
        images = np.zeros((2, *self.contract.input_shape), dtype=np.uint8)
        images[1] = 255
        try:
            descriptors = self._run(images)
        except Exception as error:  # ONNX Runtime's errors share no narrower class
            raise ValueError(f'{path} cannot be run: {error}') from error
        if not np.isfinite(descriptors).all():
            raise ValueError(f'{path} gives a descriptor that is not finite')
        norms = np.linalg.norm(descriptors, axis=-1)
        if np.abs(norms - 1).max() > 1e-3:
            raise ValueError(f'{path} gives a descriptor of length {norms.max():.4g}, expected 1')


def _shape_text(shape: tuple[int, ...]) -> str:
    return f'(N, {", ".join(map(str, shape))})'


def _contract_of(path: Path, session: Any) -> ModelContract:
    try:
        metadata = session.get_modelmeta().custom_metadata_map
    except UnicodeDecodeError as error:
        raise ValueError(f'{path} has metadata that are no text: {error}') from error
    if CONTRACT_KEY not in metadata:
        raise ValueError(
            f'{path} has no {CONTRACT_KEY} in its metadata: '
            'it was not exported by ssd_ros, use the models of its export command'
        )
    try:
        return ModelContract.from_json(metadata[CONTRACT_KEY])
    except ValueError as error:
        raise ValueError(f'{path}: {error}') from error
