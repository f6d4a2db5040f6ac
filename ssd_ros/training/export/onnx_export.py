# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""A network as an ONNX model that carries its contract, checked against the network."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
from numpy.typing import NDArray
import onnx
from ssd_ros.encoders.model_contract import CONTRACT_KEY, ModelContract
from ssd_ros.encoders.network import OnnxEncoder
from ssd_ros.training.networks.backbone import merged
import torch
from torch import nn

MAX_DIFFERENCE = 1e-5


def onnx_model(network: nn.Module, contract: ModelContract) -> onnx.ModelProto:
    """Return the network as ONNX with any batch size and the contract in its metadata."""
    example = torch.zeros(2, 1, *contract.input_shape, dtype=torch.uint8)
    input_name, output_name = contract.ends
    program = torch.onnx.export(
        merged(network),
        (example,),
        input_names=[input_name],
        output_names=[output_name],
        dynamic_shapes=({0: torch.export.Dim('batch', min=1)},),
        dynamo=True,
        verbose=False,
    )
    assert program is not None  # always a program with dynamo
    return finish(program.model_proto, contract)


def finish(model: onnx.ModelProto, contract: ModelContract) -> onnx.ModelProto:
    """Put the contract into a model, take out what tools noted about this machine, check it."""
    for node in model.graph.node:
        node.ClearField('metadata_props')
        node.ClearField('doc_string')
    for value in (*model.graph.input, *model.graph.output, *model.graph.initializer):
        value.ClearField('metadata_props')
    model.graph.ClearField('value_info')
    model.graph.ClearField('metadata_props')
    model.graph.ClearField('doc_string')
    model.ClearField('metadata_props')
    onnx.helper.set_model_props(model, {CONTRACT_KEY: contract.to_json()})
    onnx.checker.check_model(model)
    return model


def loaded(model: onnx.ModelProto) -> OnnxEncoder:
    """Return the model as its users will run it, on the CPU."""
    with TemporaryDirectory() as directory:
        path = Path(directory, 'model.onnx')
        path.write_bytes(model.SerializeToString())
        return OnnxEncoder(path, 'cpu', torch.get_num_threads())


def check_parity(network: nn.Module, exported: OnnxEncoder, images: NDArray[np.uint8]) -> float:
    """
    Return the largest absolute difference between the network and its export.

    :param images: shape (N, rows, columns), as the exported model takes them
    :raise ValueError: it is not below MAX_DIFFERENCE
    """
    with torch.inference_mode():
        expected = network.eval()(torch.from_numpy(np.array(images))[:, None]).numpy()
    if exported.contract.is_one_view:
        given = exported.encode_batch(images)
    else:
        given = np.stack([exported.encode_panorama(image) for image in images])
    difference = float(np.abs(expected - given).max())
    if not difference < MAX_DIFFERENCE:
        raise ValueError(
            f'export differs by {difference:.3g} from the network, at most {MAX_DIFFERENCE} may be'
        )
    return difference
