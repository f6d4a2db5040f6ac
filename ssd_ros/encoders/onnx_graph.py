# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""
What a model file asks for, read without running anything of it.

ONNX Runtime loads whatever it is given: loops without end, functions that unfold to billions of
nodes, arrays whose size an image decides. A model may use only the operators listed here, and none
of its shapes may depend on what an image shows. Then two images cost what any others cost, and a
trial with them bounds memory and time of all that follow.

The file is a Protocol Buffers message; field numbers are those of onnx.proto.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from typing import NamedTuple

MAX_NODES = 20_000
MAX_FIELDS = 100_000  # of one message

# Operators whose cost their shapes decide, and at which places an input decides a shape.
_PLAIN = """
Abs Acos Acosh Add And ArgMax ArgMin Asin Asinh Atan Atanh AveragePool BatchNormalization Cast
CastLike Ceil Celu Clip Concat Constant Conv ConvInteger ConvTranspose Cos Cosh DepthToSpace
DequantizeLinear Div Dropout DynamicQuantizeLinear Einsum Elu Equal Erf Exp EyeLike Flatten Floor
Gather GatherElements GatherND Gelu Gemm GlobalAveragePool GlobalLpPool GlobalMaxPool Greater
GreaterOrEqual GridSample GroupNormalization HardSigmoid HardSwish Hardmax Identity
InstanceNormalization IsInf IsNaN LRN LayerNormalization LeakyRelu Less LessOrEqual Log LogSoftmax
LpNormalization LpPool MatMul MatMulInteger Max MaxPool Mean MeanVarianceNormalization Min Mish
Mod Mul Neg Not Or PRelu Pow QLinearConv QLinearMatMul QuantizeLinear RMSNormalization Reciprocal
Relu RoiAlign Round ScatterElements ScatterND Selu Shape Sigmoid Sign Sin Sinh Size Softmax
Softplus Softsign SpaceToDepth Sqrt Sub Sum Swish Tan Tanh ThresholdedRelu Transpose Trilu Where
Xor
""".split()  # noqa: SIM905
_REDUCE = 'L1 L2 LogSum LogSumExp Max Mean Min Prod Sum SumSquare'.split()  # noqa: SIM905
OPERATORS: dict[str, tuple[int, ...]] = {
    **dict.fromkeys(_PLAIN, ()),
    **{f'Reduce{name}': (1,) for name in _REDUCE},
    **dict.fromkeys(
        ('AffineGrid', 'Expand', 'OneHot', 'Reshape', 'Split', 'Squeeze', 'Tile', 'TopK'), (1,)
    ),
    **{'ConstantOfShape': (0,), 'CumSum': (1,), 'Pad': (1, 3), 'Range': (0, 1, 2)},
    **{'Resize': (1, 2, 3), 'Slice': (1, 2, 3, 4), 'Unsqueeze': (1,)},
}
_ENDS_IN_A_SHAPE = ('Shape', 'Size')  # what they give depends on no pixel
_MODEL = {'graph': 7, 'metadata': 14, 'training': 20, 'functions': 25}
_GRAPH = {'node': 1, 'initializer': 5, 'input': 11, 'sparse': 15}
_NODE = {'input': 1, 'output': 2, 'operator': 4, 'attribute': 5, 'domain': 7}
_TENSOR_NAME = 8
_NESTED = {6, 11, 22, 23}  # attributes that are graphs or sparse tensors


class _Node(NamedTuple):
    operator: str
    domain: str
    inputs: list[str]
    outputs: list[str]


def checked_metadata(model: bytes) -> dict[str, str]:
    """
    Return the names and values that a model carries, after its graph was found harmless.

    :raise ValueError: it is no model, or asks for what the models of this package never need
    """
    graphs: list[memoryview] = []
    metadata: dict[str, str] = {}
    for number, value in _fields(memoryview(model)):
        if number == _MODEL['graph']:
            graphs.append(_message(value))  # of several, a reader takes the parts together
        elif number == _MODEL['metadata']:
            entry = {key: _message(text) for key, text in _fields(_message(value))}
            metadata[_text(entry.get(1, b''))] = _text(entry.get(2, b''))
        elif number in (_MODEL['training'], _MODEL['functions']):
            raise ValueError('it holds functions of its own')
    _check_graph(graphs)
    return metadata


def _check_graph(graphs: list[memoryview]) -> None:
    constants: set[str] = set()
    inputs: set[str] = set()
    nodes: list[_Node] = []
    for graph in graphs:
        for number, value in _fields(graph):
            if number == _GRAPH['node']:
                nodes.append(_node(_message(value)))
            elif number == _GRAPH['initializer']:
                constants.update(_texts(_message(value), _TENSOR_NAME))
            elif number == _GRAPH['input']:
                inputs.update(_texts(_message(value), 1))
            elif number == _GRAPH['sparse']:
                raise ValueError('it holds sparse tensors')
    if len(nodes) > MAX_NODES:
        raise ValueError(f'it has {len(nodes)} nodes, at most {MAX_NODES} are supported')
    seen = {'', *constants, *inputs}
    of_image = inputs - constants  # what depends on pixels
    for node in nodes:
        _check_node(node, seen, of_image)
        seen.update(node.outputs)
        if node.operator not in _ENDS_IN_A_SHAPE and of_image.intersection(node.inputs):
            of_image.update(node.outputs)


def _check_node(node: _Node, seen: set[str], of_image: set[str]) -> None:
    if node.domain not in ('', 'ai.onnx') or node.operator not in OPERATORS:
        name = '.'.join(filter(None, (node.domain, node.operator)))
        raise ValueError(f'it uses the operator {name[:80]!r}')
    if unknown := [name for name in node.inputs if name not in seen]:
        raise ValueError(f'{unknown[0][:80]!r} is used before it is made')
    for place in OPERATORS[node.operator]:
        if place < len(node.inputs) and node.inputs[place] in of_image:
            raise ValueError(
                f'what an image shows decides the shape of {node.outputs[:1]} ({node.operator})'
            )


def _node(message: memoryview) -> _Node:
    values: dict[str, list[str]] = {name: [] for name in _NODE}
    names = {number: name for name, number in _NODE.items()}
    for number, value in _fields(message):
        if number == _NODE['attribute']:
            if _NESTED.intersection(part for part, _ in _fields(_message(value))):
                raise ValueError('a node of it has a graph or a sparse tensor inside')
        elif number in names:
            values[names[number]].append(_text(value))
    operator, domain = ((values[name] or [''])[-1] for name in ('operator', 'domain'))
    return _Node(operator, domain, values['input'], values['output'])


def _texts(message: memoryview, wanted: int) -> list[str]:
    return [_text(value) for number, value in _fields(message) if number == wanted]


def _text(value: memoryview | bytes | None) -> str:
    try:
        return bytes(_message(value)).decode()
    except UnicodeDecodeError as error:
        raise ValueError(f'a name is no text: {error}') from error


def _message(value: memoryview | bytes | None) -> memoryview:
    if value is None:
        raise ValueError('it is damaged: a number stands where a message belongs')
    return memoryview(value)


def _fields(message: memoryview) -> Iterator[tuple[int, memoryview | None]]:
    """
    Yield number and content of the fields of a message; None for numbers.

    :raise ValueError: it ends too early or has too many
    """
    fields = _all_fields(message)
    yield from islice(fields, MAX_FIELDS)
    if next(fields, None) is not None:
        raise ValueError(f'a message of it has more than {MAX_FIELDS} fields')


def _all_fields(message: memoryview) -> Iterator[tuple[int, memoryview | None]]:
    place = 0
    while place < len(message):
        key, place = _varint(message, place)
        number, kind, content = key >> 3, key & 7, None
        if kind == 0:
            _, place = _varint(message, place)
        elif kind in (1, 5):
            place += 8 if kind == 1 else 4
        elif kind == 2:
            size, start = _varint(message, place)
            place = start + size
            content = message[start:place]
        else:
            raise ValueError(f'it is damaged: no field is of kind {kind}')
        if number == 0 or place > len(message):
            raise ValueError('it is damaged or cut short')
        yield number, content


def _varint(message: memoryview, place: int) -> tuple[int, int]:
    """Return a number of seven bits a byte, and the place behind it."""
    value = 0
    for shift in range(0, 70, 7):
        if place >= len(message):
            raise ValueError('it is damaged or cut short')
        byte = message[place]
        place += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value, place
    raise ValueError('it is damaged: a number without end')
