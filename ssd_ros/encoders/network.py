# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""
From polar BEV images to descriptors: an ONNX model that carries its contract.

A model file is untrusted input: it is read once, may not refer to other files, is looked through
before anything of it is run, and tried in a process of its own before it is used in this one.
"""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import NoReturn

import numpy as np
from numpy.typing import NDArray
from ssd_ros.devices import CPU
from ssd_ros.encoders.device_choice import chosen_device, TriedModel
from ssd_ros.encoders.model_checks import (
    check_output,
    contract_of,
    require_parity,
    require_unit_length,
    run_session,
    shape_text,
)
from ssd_ros.encoders.model_contract import SENSORS
from ssd_ros.encoders.providers.machine import require_device
from ssd_ros.encoders.providers.onnx_session import read_model
from ssd_ros.encoders.providers.opening import open_on, PROVIDERS
from ssd_ros.encoders.trial import require_trial


class OnnxEncoder:
    """
    Radar images to unit descriptors with ONNX Runtime or OpenVINO.

    A model of the 4D radar, or of density images, encodes single images (`encode`,
    `encode_batch`), one of the spinning radar whole panoramas (`encode_panorama`).
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

        :param device: one of DEVICES
        :param num_threads: one is fastest on a machine that does other work
        :param allow_spinning: idle threads wait busily, which takes time from other processes
        :param expected_sensor: one of SENSORS; None accepts all
        :raise ValueError: the file is not a model with a contract, or not the expected one, it
            takes too much memory or time, or the device is not there or computes something else
        :raise OSError: the file cannot be read
        """
        path = Path(path)
        if num_threads < 1:
            raise ValueError(f'num_threads is {num_threads}, expected at least 1')
        require_device(device)
        model = read_model(path)
        self.digest = hashlib.sha256(model).hexdigest()
        self.contract = contract_of(path, model)
        if expected_sensor is not None and not self.contract.encodes(expected_sensor):
            raise ValueError(
                f'{path} encodes sensor {self.contract.sensor!r} '
                f'({SENSORS[self.contract.sensor].description}), expected {expected_sensor!r}'
            )
        reference = require_trial(path, model, self.digest)
        tried = TriedModel(path, model, self.digest, reference)
        self.device, reason = chosen_device(device, tried)
        self.provider = PROVIDERS[self.device] + reason
        self._path = path
        self._session = open_on(self.device, path, model, num_threads, allow_spinning)
        descriptors = check_output(path, self._session, self.contract)
        if self.device != CPU:
            require_parity(path, self.device, descriptors, reference.descriptors)

    def encode(self, bev: NDArray[np.uint8]) -> NDArray[np.float32]:
        """
        Return the unit descriptor of one image.

        :param bev: shape contract.input_shape
        :return: shape (descriptor_size,)
        :raise ValueError: the image does not fit, or the model fails or breaks its contract;
            likewise of several images and of panoramas
        """
        descriptor: NDArray[np.float32] = self.encode_batch(np.asarray(bev)[None])[0]
        return descriptor

    def encode_batch(self, bevs: NDArray[np.uint8]) -> NDArray[np.float32]:
        """
        Return the unit descriptors of several images.

        :param bevs: shape (N, *contract.input_shape)
        :return: shape (N, descriptor_size)
        """
        if not self.contract.is_one_view:
            self._refuse('4d', 'encode_panorama')
        return self._run(bevs)

    def encode_panorama(self, panorama: NDArray[np.uint8]) -> NDArray[np.float32]:
        """
        Return the unit descriptors of all views of a panorama, in the order of view_yaws_rad.

        :param panorama: shape (num_ranges, panorama_azimuths)
        :return: shape (contract.num_views, descriptor_size)
        """
        if self.contract.is_one_view:
            self._refuse('spinning', 'encode')
        descriptors: NDArray[np.float32] = self._run(np.asarray(panorama)[None])[0]
        return descriptors

    def _refuse(self, sensor: str, alternative: str) -> NoReturn:
        raise ValueError(
            f'this model encodes sensor {self.contract.sensor!r}, not {sensor!r}: '
            f'use {alternative}'
        )

    def _run(self, images: NDArray[np.uint8]) -> NDArray[np.float32]:
        contract = self.contract
        if images.dtype != np.uint8 or images.shape[1:] != contract.input_shape:
            raise ValueError(
                f'images have shape {images.shape} and type {images.dtype}, expected '
                f'{shape_text(contract.input_shape)} uint8'
            )
        if len(images) == 0:
            return np.zeros((0, *contract.output_shape), dtype=np.float32)
        descriptors = run_session(self._session, contract, images)
        require_unit_length(self._path, descriptors)
        return descriptors
