# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Command `contract`: anybody's encoder becomes a model that maps and the node take."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import asdict
from datetime import date
import hashlib
import json
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from ssd_ros.cli.common.console import at_least, make_parser, run_command
from ssd_ros.packages import require

if TYPE_CHECKING:
    from ssd_ros.cli.contract.ends import Ends
    from ssd_ros.encoders.model_contract import ModelContract

EXAMPLES = """\
  contract mine.onnx --sensor 4d --out student.onnx --scale 0.00392 --normalise
  contract mine.onnx --sensor spinning --views 36 --out teacher.onnx --scale 0.00392 --normalise
  contract my_teacher.onnx --sensor spinning --space mine --out teacher.onnx
"""
SENSORS = ('4d', 'spinning')
# No candidate is this near: nothing is accepted before `trust --fit` has calibrated the models.
NEVER = 1e-6


def parser() -> argparse.ArgumentParser:
    """Return the parser of the command line."""
    result = make_parser(
        'contract',
        'Write into an ONNX encoder of your own what its user must do as in its training, and '
        'give its ends the form that maps and the node expect: images of bytes in, unit '
        'descriptors out. The model that comes out is run before it is written. Needs onnx.',
        EXAMPLES,
    )
    add = result.add_argument
    add('model', type=Path, help='takes images (N, 1, ranges, azimuths), of bytes or floats')
    add('--out', type=Path, required=True, help='the model with its contract')
    add(
        '--sensor',
        choices=SENSORS,
        required=True,
        help='4d: a student, of the field of view of a 4D radar; spinning: a teacher, of turns',
    )
    add(
        '--views',
        type=at_least(int, 1),
        help='spinning: MODEL takes a field of view, not a turn: the model that comes out cuts so '
        'many from each turn, evenly around, and gives the descriptors of all',
    )
    add(
        '--config',
        type=Path,
        metavar='FILE',
        help='YAML of the training, for its section preprocessing (config/training.yaml)',
    )
    add(
        '--scale',
        type=float,
        default=1.0,
        help='of pixels 0 .. 255 where MODEL takes floats (%(default)s)',
    )
    add('--normalise', action='store_true', help='bring descriptors to unit length')
    add(
        '--space',
        metavar='WORD',
        help='student and teacher whose descriptors compare have the same (that of the file and '
        'its preprocessing: for one MODEL that serves both)',
    )
    add(
        '--accept-max-distance',
        type=at_least(float, NEVER),
        default=NEVER,
        help='between unit descriptors, of candidates that are accepted in a map without a '
        'calibration (%(default)s: none; calibrate with trust --fit)',
    )
    add('--training-data', default='not told', metavar='TEXT', help='what it was trained on')
    return result


def write(arguments: argparse.Namespace) -> None:
    """Write the model and say what its contract is."""
    from ssd_ros.encoders.model_contract import MODEL_MARK
    from ssd_ros.encoders.providers.onnx_session import read_model
    from ssd_ros.targets import check_file, write_file

    require('onnx')
    check_file(arguments.out, MODEL_MARK)
    if arguments.views and arguments.sensor == '4d':
        raise ValueError('--views goes with --sensor spinning: a 4D radar has one field of view')
    content = read_model(arguments.model)
    try:
        made, contract = _with_contract(content, arguments)
    except ValueError as error:
        raise ValueError(f'{arguments.model}: {error}') from error
    write_file(arguments.out, made, MODEL_MARK)
    rows, columns = contract.input_shape
    print(f'model            {arguments.out}')
    print(f'takes            {rows} ranges x {columns} azimuths, sensor {contract.sensor}')
    print(f'gives            {contract.num_views} x {contract.descriptor_size} numbers')
    print(f'descriptor space {contract.descriptor_space}')


def _with_contract(content: bytes, arguments: argparse.Namespace) -> tuple[bytes, ModelContract]:
    """
    Return the finished model, run as its users will run it, and its contract.

    :raise ValueError: it is no encoder, or does not keep the contract
    """
    from ssd_ros.cli.contract.ends import ends_of, parsed, with_contract
    from ssd_ros.encoders.network import OnnxEncoder

    model = parsed(content)
    contract = _contract(content, ends_of(model), arguments)
    ends = bool(arguments.views), arguments.scale, arguments.normalise
    made: bytes = with_contract(model, contract, *ends).SerializeToString()
    with TemporaryDirectory() as folder:
        path = Path(folder, 'model.onnx')
        path.write_bytes(made)
        try:
            OnnxEncoder(path, 'cpu')
        except ValueError as error:
            said = str(error).replace(str(path), 'with its contract it')
            raise ValueError(f'{said}, or --normalise' if 'length' in said else said) from error
    return made, contract


def _contract(content: bytes, ends: Ends, arguments: argparse.Namespace) -> ModelContract:
    """Return the contract that fits the ends of the model and the options."""
    from ssd_ros.cli.cache.jobs import read_preprocessing
    from ssd_ros.encoders.model_contract import FORMAT_VERSION, ModelContract
    from ssd_ros.shared_files import shared_file

    preprocessing = read_preprocessing(arguments.config or shared_file('config/training.yaml'))
    meaning = json.dumps([asdict(preprocessing), arguments.scale], sort_keys=True).encode()
    own_space = content + meaning if arguments.space is None else arguments.space.encode()
    contract = ModelContract(
        format_version=FORMAT_VERSION,
        sensor=arguments.sensor,
        preprocessing=preprocessing,
        num_views=arguments.views or ends.num_views,
        descriptor_size=ends.descriptor_size,
        descriptor_space=hashlib.sha256(own_space).hexdigest(),
        accept_max_distance=arguments.accept_max_distance,
        accept_max_ratio=1.0,
        training_data=arguments.training_data,
        commit='',
        created=date.today().isoformat(),
    )
    expected = preprocessing.image_shape if arguments.views else contract.input_shape
    if any(size not in (None, want) for size, want in zip(ends.shape, expected, strict=True)):
        raise ValueError(
            f'takes images of {ends.shape}, the preprocessing makes {expected}: another --config'
            + ('' if arguments.views else ', or --views where it takes a field of view')
        )
    return contract


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command and return its exit code."""
    return run_command(parser(), write, argv)
