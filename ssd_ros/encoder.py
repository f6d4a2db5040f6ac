# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""
From polar BEV images to descriptors: an ONNX model that carries its contract.

The contract holds everything that the caller must do as in training, so a node has no such
option to get wrong. A model file is untrusted input: it is read once, may not refer to other
files, and is run once before use.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
import hashlib
import json
import math
from pathlib import Path
import re
from typing import Any

import numpy as np
from numpy.typing import NDArray
import onnxruntime
from ssd_ros.preprocessing import PreprocessingConfig
from ssd_ros.records import record_from_mapping

CONTRACT_KEY = 'ssd_ros.contract'
FORMAT_VERSION = 1
INPUT_NAME = 'polar_bev'
OUTPUT_NAME = 'descriptor'
SENSORS = {'4d': 'student, 4D radar', 'spinning': 'teacher, spinning radar'}
MAX_MODEL_BYTES = 1 << 30
MAX_GRID_CELLS = 1 << 22
MAX_DESCRIPTOR_SIZE = 1 << 14


@dataclass(frozen=True, slots=True)
class ModelContract:
    """
    What an ONNX model expects and promises; JSON under `ssd_ros.contract` in its metadata.

    :param sensor: '4d' (student) or 'spinning' (teacher)
    :param descriptor_space: 64 hexadecimal digits shared by the student and the teacher of one
        training run; only descriptors of the same space can be compared
    :param accept_max_distance: a candidate nearer than this is accepted, calibrated in validation
    :param accept_max_ratio: likewise, of its distance to that of the best far-away alternative
    :param training_data: in words
    :param commit: of the code that trained the model
    :param created: ISO 8601 date
    """

    format_version: int
    sensor: str
    preprocessing: PreprocessingConfig
    descriptor_size: int
    descriptor_space: str
    accept_max_distance: float
    accept_max_ratio: float
    training_data: str
    commit: str
    created: str

    def __post_init__(self) -> None:
        if self.format_version != FORMAT_VERSION:
            raise ValueError(
                f'format_version is {self.format_version}, this ssd_ros reads {FORMAT_VERSION}'
            )
        if self.sensor not in SENSORS:
            raise ValueError(f'sensor is {self.sensor!r}; choose from {", ".join(SENSORS)}')
        grid = self.preprocessing.grid
        if grid.num_ranges * grid.num_azimuths > MAX_GRID_CELLS:
            raise ValueError(
                f'preprocessing.grid has {grid.num_ranges} x {grid.num_azimuths} cells, '
                f'at most {MAX_GRID_CELLS} are supported'
            )
        if not 1 <= self.descriptor_size <= MAX_DESCRIPTOR_SIZE:
            raise ValueError(
                f'descriptor_size is {self.descriptor_size}, expected 1 .. {MAX_DESCRIPTOR_SIZE}'
            )
        if not re.fullmatch('[0-9a-f]{64}', self.descriptor_space):
            raise ValueError(
                f'descriptor_space is {self.descriptor_space!r}, expected 64 hexadecimal digits'
            )
        for name in ('accept_max_distance', 'accept_max_ratio'):
            value = getattr(self, name)
            if not (math.isfinite(value) and value > 0):
                raise ValueError(f'{name} is {value}, expected a finite number above 0')

    def to_json(self) -> str:
        """Return the text that belongs into the metadata of the model."""
        return json.dumps(asdict(self), sort_keys=True)

    @classmethod
    def from_json(cls, text: str) -> ModelContract:
        """
        Read the metadata of a model.

        :raise ValueError: a field is unknown, missing (nested ones too: defaults may change
            between versions) or has a wrong type or value
        """
        try:
            values = json.loads(text)
        except (ValueError, RecursionError) as error:
            raise ValueError(f'contract is not JSON: {error}') from error
        contract = record_from_mapping(cls, values)
        if missing := _first_missing(asdict(contract), values):
            raise ValueError(f'contract lacks {missing}')
        return contract


def _first_missing(expected: dict[str, Any], given: dict[str, Any]) -> str:
    for name, value in expected.items():
        if name not in given:
            return name
        if isinstance(value, dict) and (deeper := _first_missing(value, given[name])):
            return f'{name}.{deeper}'
    return ''


class OnnxEncoder:
    """Polar BEV images to unit descriptors with ONNX Runtime, on CUDA where present."""

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
        providers = _providers(device)
        model = _read_model(path)
        self._session = _open_session(path, model, providers, num_threads, allow_spinning)
        self.digest = hashlib.sha256(model).hexdigest()
        self.provider: str = self._session.get_providers()[0]
        if device == 'cuda' and self.provider != 'CUDAExecutionProvider':
            raise ValueError(
                f'device is cuda but ONNX Runtime started {self.provider}: '
                'check the CUDA and cuDNN libraries, or choose device cpu'
            )
        self.contract = _contract_of(path, self._session)
        if expected_sensor not in (None, self.contract.sensor):
            raise ValueError(
                f'{path} encodes sensor {self.contract.sensor!r} '
                f'({SENSORS[self.contract.sensor]}), expected {expected_sensor!r}'
            )
        self._check_signature(path)
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
        grid = self.contract.preprocessing.grid
        if bevs.dtype != np.uint8 or bevs.shape[1:] != (grid.num_ranges, grid.num_azimuths):
            raise ValueError(
                f'images have shape {bevs.shape} and type {bevs.dtype}, expected '
                f'(N, {grid.num_ranges}, {grid.num_azimuths}) uint8'
            )
        if len(bevs) == 0:
            return np.zeros((0, self.contract.descriptor_size), dtype=np.float32)
        outputs = self._session.run([OUTPUT_NAME], {INPUT_NAME: bevs[:, None]})
        return np.asarray(outputs[0], dtype=np.float32)

    def _check_signature(self, path: Path) -> None:
        """Compare names, types and shapes of the model's ends with its contract."""
        grid = self.contract.preprocessing.grid
        ends = (
            ('input', self._session.get_inputs(), INPUT_NAME, 'tensor(uint8)',
             [1, grid.num_ranges, grid.num_azimuths]),
            ('output', self._session.get_outputs(), OUTPUT_NAME, 'tensor(float)',
             [self.contract.descriptor_size]),
        )  # fmt: skip
        for end, nodes, name, kind, shape in ends:
            found = [(node.name, node.type, node.shape) for node in nodes]
            if len(found) != 1 or found[0][:2] != (name, kind) or found[0][2][1:] != shape:
                raise ValueError(
                    f'{path} has {end} {found}, its contract says one {kind} {name!r} '
                    f'of shape (N, {", ".join(map(str, shape))})'
                )
            if isinstance(found[0][2][0], int):
                raise ValueError(f'{path} has a fixed batch size of {found[0][2][0]} in {name!r}')

    def _check_output(self, path: Path) -> None:
        """Run an empty and a full image, which also takes the start-up cost."""
        grid = self.contract.preprocessing.grid
        images = np.zeros((2, grid.num_ranges, grid.num_azimuths), dtype=np.uint8)
        images[1] = 255
        try:
            descriptors = self.encode_batch(images)
        except Exception as error:  # ONNX Runtime's errors share no narrower class
            raise ValueError(f'{path} cannot be run: {error}') from error
        if not np.isfinite(descriptors).all():
            raise ValueError(f'{path} gives a descriptor that is not finite')
        norms = np.linalg.norm(descriptors, axis=1)
        if np.abs(norms - 1).max() > 1e-3:
            raise ValueError(f'{path} gives a descriptor of length {norms.max():.4g}, expected 1')


def _providers(device: str) -> list[str]:
    """Return ONNX Runtime's providers for a device, preferred first."""
    available = onnxruntime.get_available_providers()
    has_cuda = 'CUDAExecutionProvider' in available
    match device:
        case 'cpu':
            return ['CPUExecutionProvider']
        case 'cuda' if not has_cuda:
            raise ValueError(
                f'device is cuda but this ONNX Runtime has only {", ".join(available)}: '
                'install the CUDA build with pip install .[gpu], or choose device cpu'
            )
        case 'auto' | 'cuda':
            cuda = ['CUDAExecutionProvider'] if has_cuda else []
            return [*cuda, 'CPUExecutionProvider']
        case _:
            raise ValueError(f'device is {device!r}; choose from auto, cpu, cuda')


def _read_model(path: Path) -> bytes:
    """Read the file whole, refusing what could make ONNX Runtime open another one."""
    size = path.stat().st_size
    if size > MAX_MODEL_BYTES:
        raise ValueError(f'{path} has {size} bytes, at most {MAX_MODEL_BYTES} are supported')
    model = path.read_bytes()
    # ONNX names the file of external weights under the key 'location', spelt out in the bytes
    # whatever their encoding. A model without it cannot name a file.
    if b'location' in model:
        raise ValueError(
            f'{path} refers to external data (it holds the key "location"): '
            'save the model as one file'
        )
    return model


def _open_session(
    path: Path, model: bytes, providers: list[str], num_threads: int, allow_spinning: bool
) -> Any:
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = num_threads
    options.inter_op_num_threads = 1
    options.log_severity_level = 3
    options.add_session_config_entry('session.intra_op.allow_spinning', str(int(allow_spinning)))
    options.add_session_config_entry('session.load_model_format', 'ONNX')
    try:
        return onnxruntime.InferenceSession(model, options, providers=providers)
    except Exception as error:  # ONNX Runtime's errors share no narrower class
        raise ValueError(f'{path} is not a usable ONNX model: {error}') from error


def _contract_of(path: Path, session: Any) -> ModelContract:
    metadata = session.get_modelmeta().custom_metadata_map
    if CONTRACT_KEY not in metadata:
        raise ValueError(
            f'{path} has no {CONTRACT_KEY} in its metadata: '
            'it was not exported by ssd_ros, use the models of its export command'
        )
    try:
        return ModelContract.from_json(metadata[CONTRACT_KEY])
    except ValueError as error:
        raise ValueError(f'{path}: {error}') from error
