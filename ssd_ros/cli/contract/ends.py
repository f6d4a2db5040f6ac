# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The ends of somebody's ONNX graph, brought into the form that its contract promises."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import onnx
from onnx import compose, helper, numpy_helper, TensorProto
from ssd_ros.bev.polar_bev import columns_of_views
from ssd_ros.encoders.model_contract import CONTRACT_KEY, ModelContract

_PREFIX = 'own_'  # of all names of the given graph: none is that of an end of ours
_BYTES, _FLOATS = TensorProto.UINT8, TensorProto.FLOAT


class Ends(NamedTuple):
    """
    What a model takes and gives.

    :param shape: of an image: rows and columns; None = the model leaves it open
    :param num_views: descriptors that it gives for one image
    """

    shape: tuple[int | None, int | None]
    num_views: int
    descriptor_size: int


def parsed(content: bytes) -> onnx.ModelProto:
    """
    Parse a model.

    :raise ValueError: it is none
    """
    try:
        return onnx.load_model_from_string(content)
    except Exception as error:  # that of Protocol Buffers, which has no narrower base
        raise ValueError(f'is no ONNX model: {error}') from error


def ends_of(model: onnx.ModelProto) -> Ends:
    """
    Return what a model takes and gives.

    :raise ValueError: it is no encoder of single images
    """
    given, result = _only_input(model), model.graph.output
    if len(result) != 1:
        raise ValueError(f'gives {len(result)} arrays, expected descriptors alone')
    kind, before = given.type.tensor_type.elem_type, _shape(given)
    if kind not in (_BYTES, _FLOATS) or len(before) != 4 or before[1] not in (1, None):
        raise ValueError(
            f'takes {_words(given)}, expected bytes or floats of shape (N, 1, ranges, azimuths)'
        )
    after = _shape(result[0])
    if len(after) not in (2, 3) or None in after[1:]:
        raise ValueError(
            f'gives {_words(result[0])}, expected a shape of (N, numbers) or (N, views, numbers)'
        )
    *views, size = (int(number or 0) for number in after[1:])
    return Ends((before[2], before[3]), views[0] if views else 1, size)


def with_contract(
    model: onnx.ModelProto,
    contract: ModelContract,
    cuts_views: bool = False,
    scale: float = 1.0,
    normalise: bool = False,
) -> onnx.ModelProto:
    """
    Return the model with its contract and the ends that this promises.

    :param cuts_views: the given model takes a field of view: cut them from each turn
    :param scale: of pixels where the given model takes floats
    :param normalise: bring what it gives to unit length
    """
    given = compose.add_prefix(model, _PREFIX)
    inner, result = _only_input(given), given.graph.output[0]
    input_name, output_name = contract.ends
    constants: dict[str, np.ndarray] = {'shape': np.array([-1, *contract.output_shape])}
    head, tail, last = [], [], input_name
    if cuts_views:
        grid = contract.preprocessing.grid
        constants['columns'] = columns_of_views(grid, contract.num_views)
        constants['view'] = np.array([-1, 1, grid.num_ranges, grid.num_azimuths])
        head += [
            helper.make_node('Gather', [last, 'columns'], ['cut'], axis=3),
            helper.make_node('Transpose', ['cut'], ['views'], perm=[0, 3, 1, 2, 4]),
            helper.make_node('Reshape', ['views', 'view'], ['images']),
        ]
        last = 'images'
    if inner.type.tensor_type.elem_type == _FLOATS:
        constants['scale'] = np.array(scale, np.float32)
        head += [
            helper.make_node('Cast', [last], ['pixels'], to=_FLOATS),
            helper.make_node('Mul', ['pixels', 'scale'], ['scaled']),
        ]
        last = 'scaled'
    head += [helper.make_node('Identity', [last], [inner.name])]
    last = result.name
    if normalise:
        tail += [helper.make_node('LpNormalization', [last], ['unit'], axis=-1, p=2)]
        last = 'unit'
    tail += [helper.make_node('Reshape', [last, 'shape'], [output_name])]
    image: list[int | str | None] = ['N', 1, *contract.input_shape]
    numbers: list[int | str | None] = ['N', *contract.output_shape]
    graph = helper.make_graph(
        [*head, *given.graph.node, *tail],
        'encoder',
        [helper.make_tensor_value_info(input_name, _BYTES, image)],
        [helper.make_tensor_value_info(output_name, _FLOATS, numbers)],
        [
            *given.graph.initializer,
            *(numpy_helper.from_array(value, name) for name, value in constants.items()),
        ],
    )
    made = helper.make_model(graph, opset_imports=given.opset_import, ir_version=given.ir_version)
    helper.set_model_props(made, {CONTRACT_KEY: contract.to_json()})
    return made


def _only_input(model: onnx.ModelProto) -> onnx.ValueInfoProto:
    constants = {tensor.name for tensor in model.graph.initializer}
    inputs = [value for value in model.graph.input if value.name not in constants]
    if len(inputs) != 1:
        raise ValueError(f'takes {len(inputs)} arrays, expected one of images')
    return inputs[0]


def _shape(value: onnx.ValueInfoProto) -> list[int | None]:
    sizes = value.type.tensor_type.shape.dim
    return [size.dim_value if size.HasField('dim_value') else None for size in sizes]


def _words(value: onnx.ValueInfoProto) -> str:
    shape = ', '.join('?' if size is None else str(size) for size in _shape(value))
    kind = TensorProto.DataType.Name(value.type.tensor_type.elem_type).lower()
    return f'{value.name!r} of {kind} and shape ({shape})'
