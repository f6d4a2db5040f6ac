# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""
From a training run to the two models that ship, judged as they ship.

`python -m ssd_ros.training.export --run runs/edge --cache runs/cache --out models` writes
student.onnx and teacher.onnx with their contract, checks them against the networks, measures
recall on the validation worlds, calibrates acceptance, and writes the model card.
"""

from __future__ import annotations

import argparse
from dataclasses import asdict, replace
import hashlib
import json
from pathlib import Path
import sys

import numpy as np
from numpy.typing import NDArray
import onnx
from ssd_ros.encoder import (
    CONTRACT_KEY,
    FORMAT_VERSION,
    INPUT_NAME,
    ModelContract,
    OnnxEncoder,
    OUTPUT_NAME,
)
from ssd_ros.evaluation import Acceptance, calibrate_acceptance
from ssd_ros.files import write_bytes_atomically
from ssd_ros.metrics import is_answerable
from ssd_ros.polar_bev import PolarGrid, views_of_panorama
from ssd_ros.training.bev_cache import CachedDrive, load_drives
from ssd_ros.training.encoding import torch_encode
from ssd_ros.training.model_card import model_card, Report
from ssd_ros.training.networks import Encoder, TeacherStudent
from ssd_ros.training.run import Run
from ssd_ros.training.validate import (
    build_map,
    drives_by_world,
    Protocol,
    Retrieval,
    retrieve,
)
import torch

FILES = {'4d': 'student.onnx', 'spinning': 'teacher.onnx'}
MAX_DIFFERENCE = 1e-5
MIN_PRECISION = 0.97  # reconstructed: of accepted candidates on the validation worlds, within 5 m


def descriptor_space(networks: TeacherStudent) -> str:
    """Return 64 hexadecimal digits that identify the weights of both branches."""
    digest = hashlib.sha256()
    for name, tensor in sorted(networks.state_dict().items()):
        digest.update(name.encode())
        digest.update(tensor.contiguous().numpy().tobytes())
    return digest.hexdigest()


def onnx_model(encoder: Encoder, grid: PolarGrid, contract: ModelContract) -> onnx.ModelProto:
    """Return the network as ONNX with any batch size and the contract in its metadata."""
    example = torch.zeros(2, 1, grid.num_ranges, grid.num_azimuths, dtype=torch.uint8)
    program = torch.onnx.export(
        encoder.eval(),
        (example,),
        input_names=[INPUT_NAME],
        output_names=[OUTPUT_NAME],
        dynamic_shapes={INPUT_NAME: {0: torch.export.Dim('batch', min=1)}},
        dynamo=True,
        verbose=False,
    )
    assert program is not None  # always a program with dynamo
    model = program.model_proto
    _strip(model)
    set_contract(model, contract)
    onnx.checker.check_model(model)
    return model


def _strip(model: onnx.ModelProto) -> None:
    """Remove what the exporter notes about this machine's source files."""
    for node in model.graph.node:
        node.ClearField('metadata_props')
        node.ClearField('doc_string')
    for value in (*model.graph.input, *model.graph.output, *model.graph.initializer):
        value.ClearField('metadata_props')
    model.graph.ClearField('value_info')
    model.graph.ClearField('metadata_props')
    model.graph.ClearField('doc_string')


def set_contract(model: onnx.ModelProto, contract: ModelContract) -> None:
    """Replace the metadata of a model."""
    model.ClearField('metadata_props')
    onnx.helper.set_model_props(model, {CONTRACT_KEY: contract.to_json()})


def check_parity(encoder: Encoder, exported: OnnxEncoder, bevs: NDArray[np.uint8]) -> float:
    """
    Return the largest absolute difference between the network and its export.

    :raise ValueError: it is not below MAX_DIFFERENCE
    """
    expected = torch_encode(encoder, bfloat16=False)(bevs)
    difference = float(np.abs(expected - exported.encode_batch(bevs)).max())
    if not difference < MAX_DIFFERENCE:
        raise ValueError(
            f'export differs by {difference:.3g} from the network, at most {MAX_DIFFERENCE} may be'
        )
    return difference


def judge(
    drives: list[CachedDrive], student: OnnxEncoder, teacher: OnnxEncoder, protocol: Protocol
) -> tuple[list[Retrieval], Acceptance]:
    """
    Return the answers to every drive in its world's map, and thresholds for acceptance.

    The thresholds also see queries of the other worlds, whose right answer is none.
    """
    results: list[Retrieval] = []
    strangers: list[Retrieval] = []
    grid = student.contract.preprocessing.grid
    worlds = drives_by_world(drives)
    for name, sessions in worlds.items():
        place_map = build_map(sessions[0], teacher.encode_batch, grid, protocol)
        for other, queries in worlds.items():
            answers = [
                retrieve(session, student.encode_batch, place_map, protocol) for session in queries
            ]
            (results if other == name else strangers).extend(answers)
    counted = [answer for answer in (*results, *strangers) if answer.is_multi_session]
    distances, ratios, correct = (
        np.concatenate([getattr(answer, field) for answer in counted])
        for field in ('distances', 'ratios', 'correct')
    )
    num_answerable = sum(int(is_answerable(answer.positives).sum()) for answer in counted)
    acceptance = calibrate_acceptance(distances, ratios, correct, num_answerable, MIN_PRECISION)
    return results, acceptance


def export(run: Run, drives: list[CachedDrive], directory: Path, protocol: Protocol) -> Path:
    """
    Write both models and their card, and return the card's path.

    :param drives: of the validation worlds
    :raise ValueError: the run has no checkpoint, or an export differs from its network
    """
    state, config = run.load_checkpoint(), run.config
    if state is None:
        raise ValueError(f'{run.directory} has no checkpoint: train first')
    networks = TeacherStudent(config.network, config.seed)
    networks.load_state_dict(state['networks'])
    grid, contract = config.preprocessing.grid, _contract(run, networks)
    samples = {'4d': drives[0].student_bevs[:8], 'spinning': _first_views(drives[0], grid)}
    models, encoders, differences = {}, {}, {}
    for sensor, file in FILES.items():
        network = networks.encoder(sensor)
        models[sensor] = onnx_model(network, grid, replace(contract, sensor=sensor))
        write_bytes_atomically(directory / file, models[sensor].SerializeToString())
        encoders[sensor] = OnnxEncoder(directory / file, 'cpu', torch.get_num_threads())
        differences[file] = check_parity(network, encoders[sensor], samples[sensor])
    results, acceptance = judge(drives, encoders['4d'], encoders['spinning'], protocol)
    for sensor, file in FILES.items():
        calibrated = replace(
            contract,
            sensor=sensor,
            accept_max_distance=round(acceptance.max_distance, 4),
            accept_max_ratio=round(acceptance.max_ratio, 4),
        )
        set_contract(models[sensor], calibrated)
        write_bytes_atomically(directory / file, models[sensor].SerializeToString())
    report = Report(acceptance, differences, protocol, [result.summary() for result in results])
    text = json.dumps({'num_steps': state['num_steps'], **asdict(report)}, indent=1)
    write_bytes_atomically(run.directory / 'validation.json', text.encode())
    card = directory / 'README.md'
    write_bytes_atomically(card, model_card(run, report).encode())
    return card


def _contract(run: Run, networks: TeacherStudent) -> ModelContract:
    """Return the student's contract, with thresholds that accept everything."""
    config, origin = run.config, run.origin
    return ModelContract(
        format_version=FORMAT_VERSION,
        sensor='4d',
        preprocessing=config.preprocessing,
        descriptor_size=config.network.descriptor_size,
        descriptor_space=descriptor_space(networks),
        accept_max_distance=2.0,
        accept_max_ratio=1.0,
        training_data=origin['training_data'],
        commit=origin['commit'],
        created=origin['created'],
    )


def _first_views(drive: CachedDrive, grid: PolarGrid) -> NDArray[np.uint8]:
    return views_of_panorama(np.asarray(drive.panoramas[0]), grid, num_views=8)


def main(argv: list[str] | None = None) -> int:
    """Export a run's checkpoint, judge it on the validation worlds, write the model card."""
    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument('--run', type=Path, required=True, help='run folder of training')
    parser.add_argument('--cache', type=Path, required=True, help='holds validation/')
    parser.add_argument('--out', type=Path, default=Path('models'))
    parser.add_argument('--threads', type=int, default=2)
    parser.add_argument('--num-views', type=int, default=Protocol().num_views)
    options = parser.parse_args(argv)
    torch.set_num_threads(options.threads)
    try:
        run = Run(options.run)
        drives = load_drives(options.cache / 'validation', run.config.preprocessing)
        protocol = Protocol(num_views=options.num_views)
        card = export(run, drives, options.out, protocol)
    except (ValueError, OSError) as error:
        print(f'export: {error}', file=sys.stderr)
        return 1
    print(card.read_text())
    return 0


if __name__ == '__main__':
    raise SystemExit(main())
