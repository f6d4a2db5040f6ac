# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""
From a training run to the two models that ship, judged as they ship.

student.onnx and teacher.onnx carry their contract and are checked against the networks; recall is
measured on the validation worlds, which calibrate acceptance, and the model card says it all.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
import hashlib
import logging
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from ssd_ros.encoders.model_contract import FORMAT_VERSION, MODEL_MARK, ModelContract
from ssd_ros.encoders.network import OnnxEncoder
from ssd_ros.evaluation.bev_cache import CachedDrive
from ssd_ros.evaluation.judging.encoders import calibrate, evaluate, mean_recall
from ssd_ros.evaluation.queries.descriptors import Descriptors, Encoders
from ssd_ros.evaluation.queries.protocol import Protocol
from ssd_ros.evaluation.scores.acceptance import Acceptance
from ssd_ros.evaluation.scores.results import (
    Evaluation,
    origin_of_drives,
    Result,
    write_evaluation,
)
from ssd_ros.targets import check_files, write_file, write_markdown
from ssd_ros.training.config import TrainingConfig
from ssd_ros.training.export.model_card import history, model_card, Report
from ssd_ros.training.export.onnx_export import check_parity, finish, loaded, onnx_model
from ssd_ros.training.export.panorama_graph import panorama_graph
from ssd_ros.training.export.quantise import quantised
from ssd_ros.training.networks.encoders import networks_of, TeacherStudent
from ssd_ros.training.runs.folder import Run
from torch import nn

_log = logging.getLogger(__name__)

CARD = 'README.md'
EVALUATION = 'validation.json'  # in the folder of the run
FILES = {'4d': 'student.onnx', 'spinning': 'teacher.onnx'}
MIN_PRECISION = 0.99  # reconstructed: of accepted candidates on the validation worlds, within 5 m
MAX_INT8_LOSS = 0.005  # of R@1 on the validation worlds


def descriptor_space(networks: nn.Module) -> str:
    """Return 64 hexadecimal digits that identify the weights of all encoders of a space."""
    digest = hashlib.sha256()
    for name, tensor in sorted(networks.state_dict().items()):
        digest.update(name.encode())
        digest.update(tensor.contiguous().numpy().tobytes())
    return digest.hexdigest()


def judge(
    drives: list[CachedDrive], student: OnnxEncoder, teacher: OnnxEncoder, protocol: Protocol
) -> tuple[list[Result], Acceptance]:
    """Return the answers to every drive in its world's map, and thresholds for acceptance."""
    descriptors = Descriptors(Encoders(student.encode_batch, teacher.encode_panorama))
    results = evaluate(drives, descriptors, protocol)
    return results, calibrate(drives, descriptors, protocol, MIN_PRECISION)


def export(
    run: Run,
    drives: list[CachedDrive],
    directory: Path,
    protocol: Protocol,
    calibration: Mapping[str, NDArray[np.uint8]] | None = None,
) -> Path:
    """
    Write both models and their card, and return the card's path.

    :param drives: of the validation worlds
    :param calibration: images of each sensor to make int8 models with; None leaves them in float
    :raise ValueError: the run has no checkpoint, one that it started from is gone, an export
        differs from its network, or int8 costs more than MAX_INT8_LOSS of recall; the directory
        is left as it was
    """
    networks, num_steps = load_networks(run)
    history(run)  # told before the work
    contract = contracts_of(run.config, run.origin, networks)
    samples = {'4d': drives[0].student_bevs[:8], 'spinning': drives[0].panoramas[:2]}
    exact = {'4d': networks.encoder('4d'), 'spinning': networks.panorama_encoder()}
    graphs = {'4d': exact['4d'], 'spinning': panorama_graph(networks.panorama_encoder())}
    models = {sensor: onnx_model(graphs[sensor], contract[sensor]) for sensor in FILES}
    encoders = {sensor: loaded(model) for sensor, model in models.items()}
    differences = {
        file: check_parity(exact[sensor], encoders[sensor], samples[sensor])
        for sensor, file in FILES.items()
    }
    results, acceptance = judge(drives, encoders['4d'], encoders['spinning'], protocol)
    if calibration is not None:
        in_float = recalls(results)
        models = {sensor: quantised(models[sensor], calibration[sensor]) for sensor in FILES}
        encoders = {sensor: loaded(model) for sensor, model in models.items()}
        results, acceptance = judge(drives, encoders['4d'], encoders['spinning'], protocol)
        check_int8_loss(in_float, recalls(results))
    for sensor, file in FILES.items():
        calibrated = replace(
            contract[sensor],
            accept_max_distance=round(acceptance.max_distance, 4),
            accept_max_ratio=round(acceptance.max_ratio, 4),
        )
        finish(models[sensor], calibrated)
        write_file(directory / file, models[sensor].SerializeToString(), MODEL_MARK)
    numbers = 'float32' if calibration is None else 'int8'
    validated_on = origin_of_drives(drives)
    report = Report(acceptance, numbers, differences, protocol, results, validated_on)
    settings = {
        'num_steps': str(num_steps),
        'numbers': numbers,
        'acceptance': str(acceptance),
    }
    evaluation = Evaluation(protocol, validated_on, results, settings)
    write_evaluation(run.directory / EVALUATION, evaluation)
    card = directory / CARD
    write_markdown(card, model_card(run, report))
    return card


def check_targets(run: Path, directory: Path) -> None:
    """
    Refuse folders that the evaluation, or models and card cannot be written into.

    :raise TargetError: one of them is there and not ours, or nothing can be written
    """
    check_files([directory / file for file in FILES.values()], MODEL_MARK)
    check_files([directory / CARD, run / EVALUATION])


def load_networks(run: Run) -> tuple[TeacherStudent, int]:
    """
    Return the trained networks and the number of steps they were trained for.

    :raise ValueError: the run has no checkpoint
    """
    state, config = run.load_checkpoint(), run.config
    if state is None:
        raise ValueError(f'{run.directory} has no checkpoint: train first')
    networks = networks_of(config)
    networks.load_state_dict(state['networks'])
    return networks.eval(), int(state['num_steps'])


def recalls(results: list[Result]) -> dict[str, float]:
    """Return the mean R@1 of the tasks that have drives."""
    means = {task: mean_recall(results, task) for task in ('single', 'multi')}
    return {task: mean for task, mean in means.items() if mean is not None}


def check_int8_loss(in_float: Mapping[str, float], in_int8: Mapping[str, float]) -> None:
    """
    Compare the recall of both and say it.

    :raise ValueError: int8 loses more than MAX_INT8_LOSS in one of the tasks
    """
    for task, before in in_float.items():
        after = in_int8[task]
        text = f'{task}-session R@1 on validation is {after:.4f} in int8, {before:.4f} in float'
        if after < before - MAX_INT8_LOSS:
            raise ValueError(f'{text}: more than {MAX_INT8_LOSS} is lost, leave out --int8')
        _log.info(text)


def contracts_of(
    config: TrainingConfig, origin: Mapping[str, str], networks: TeacherStudent
) -> dict[str, ModelContract]:
    """
    Return each sensor's contract, with thresholds that accept everything.

    :param origin: training_data, commit and created of the run
    """
    student = ModelContract(
        format_version=FORMAT_VERSION,
        sensor='4d',
        preprocessing=config.preprocessing,
        num_views=1,
        descriptor_size=config.network.descriptor_size,
        descriptor_space=descriptor_space(networks),
        accept_max_distance=2.0,
        accept_max_ratio=1.0,
        training_data=origin['training_data'],
        commit=origin['commit'],
        created=origin['created'],
    )
    teacher = replace(student, sensor='spinning', num_views=config.network.num_views)
    return {'4d': student, 'spinning': teacher}
