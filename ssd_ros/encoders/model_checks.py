# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Whether a model keeps its contract: names and shapes at its ends, descriptors of unit length."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from ssd_ros.encoders.model_contract import CONTRACT_KEY, ModelContract
from ssd_ros.encoders.onnx_graph import checked_metadata

PROBE_IMAGES = 3
UNIT_LENGTH_TOLERANCE = 1e-3
# Of two descriptors of one image: apart by a thirtieth, where neighbouring keyframes are by half.
PARITY = 0.9995
_PROBE_SHARE = 0.03  # of the cells of a radar image that have a return


def contract_of(path: Path, model: bytes) -> ModelContract:
    """
    Read what a model says about itself, without running it.

    :param path: for messages
    :raise ValueError: it is no model, not one of this package, or asks for what none of them needs
    """
    try:
        metadata = checked_metadata(model)
    except ValueError as error:
        raise ValueError(
            f'{path} is not a usable ONNX model: {error}; use the models of the export command'
        ) from error
    if CONTRACT_KEY not in metadata:
        raise ValueError(
            f'{path} has no {CONTRACT_KEY} in its metadata: '
            'it was not exported by ssd_ros, use the models of its export command'
        )
    try:
        return ModelContract.from_json(metadata[CONTRACT_KEY])
    except ValueError as error:
        raise ValueError(f'{path}: {error}') from error


def check_signature(path: Path, session: Any, contract: ModelContract) -> None:
    """
    Compare names, types and shapes of the model's ends with its contract.

    :param session: of ONNX Runtime
    :raise ValueError: they differ
    """
    input_name, output_name = contract.ends
    ends = (
        ('input', session.get_inputs(), input_name, 'tensor(uint8)', (1, *contract.input_shape)),
        ('output', session.get_outputs(), output_name, 'tensor(float)', contract.output_shape),
    )  # fmt: skip
    for end, nodes, name, kind, shape in ends:
        found = [(node.name, node.type, tuple(node.shape)) for node in nodes]
        if len(found) != 1 or found[0][:2] != (name, kind) or found[0][2][1:] != shape:
            raise ValueError(
                f'{path} has {end} {found}, its contract says one {kind} {name!r} '
                f'of shape {shape_text(shape)}'
            )
        if isinstance(found[0][2][0], int):
            raise ValueError(f'{path} has a fixed batch size of {found[0][2][0]} in {name!r}')


def probe_images(contract: ModelContract) -> NDArray[np.uint8]:
    """Return an empty image, a full one and one like a radar's, always the same."""
    images = np.zeros((PROBE_IMAGES, *contract.input_shape), dtype=np.uint8)
    images[1] = 255
    generator = np.random.default_rng(0)
    is_return = generator.random(contract.input_shape) < _PROBE_SHARE
    images[2][is_return] = generator.integers(124, 256, is_return.sum())
    return images


def check_output(path: Path, session: Any, contract: ModelContract) -> NDArray[np.float32]:
    """
    Run the probe images, which also takes the start-up cost.

    :param session: of ONNX Runtime, or one that is run likewise
    :return: their descriptors, shape (PROBE_IMAGES, *contract.output_shape)
    :raise ValueError: that fails, or a descriptor is not finite or not of unit length
    """
    try:
        descriptors = run_session(session, contract, probe_images(contract))
    except Exception as error:  # the runtimes' errors share no narrower class
        raise ValueError(f'{path} cannot be run: {error}') from error
    require_unit_length(path, descriptors)
    return descriptors


def require_parity(
    path: Path, device: str, descriptors: NDArray[np.float32], reference: NDArray[np.float32]
) -> None:
    """
    Refuse a device on which the probe images get other descriptors: maps would not fit queries.

    :param reference: of ONNX Runtime on the processor, in float32
    :raise ValueError: a cosine is below PARITY
    """
    worst = float((descriptors * reference).sum(axis=-1).min())
    if worst < PARITY:
        raise ValueError(
            f'{path} gives other descriptors on device {device} than ONNX Runtime on the '
            f'processor: cosine {worst:.4f}, at least {PARITY} is expected; choose device cpu'
        )


def run_session(
    session: Any, contract: ModelContract, images: NDArray[np.uint8]
) -> NDArray[np.float32]:
    """
    Return what a model gives for images, shape (N, *contract.output_shape).

    :param images: shape (N, *contract.input_shape)
    """
    input_name, output_name = contract.ends
    outputs = session.run([output_name], {input_name: images[:, None]})
    return np.asarray(outputs[0], dtype=np.float32)


def require_unit_length(path: Path | str, descriptors: NDArray[np.float32]) -> None:
    """
    Refuse descriptors that cannot be compared.

    :param path: of the model, for messages
    :param descriptors: shape (..., D)
    :raise ValueError: one is not finite or not of unit length
    """
    lengths = np.linalg.norm(descriptors, axis=-1)
    if not np.isfinite(lengths).all():
        raise ValueError(f'{path} gives a descriptor that is not finite: use another model')
    worst = float(lengths.flat[np.abs(lengths - 1).argmax()]) if lengths.size else 1.0
    if abs(worst - 1) > UNIT_LENGTH_TOLERANCE:
        raise ValueError(
            f'{path} gives a descriptor of length {worst:.4g}, expected 1: use another model'
        )


def shape_text(shape: tuple[int, ...]) -> str:
    """Return the shape of many images or descriptors as text."""
    return f'(N, {", ".join(map(str, shape))})'
