# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""From a run to the models that encode: shortened, checked against the network, judged."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from ssd_ros.encoders.model_contract import FORMAT_VERSION, MODEL_MARK, ModelContract
from ssd_ros.evaluation.bev_cache import CachedDrive
from ssd_ros.evaluation.scores.results import Evaluation, origin_of_drives, write_evaluation
from ssd_ros.targets import check_files, write_file
from ssd_ros.training.export.models import descriptor_space, EVALUATION
from ssd_ros.training.export.onnx_export import check_parity, loaded, onnx_model
from ssd_ros.training.export.quantise import spread_images
from ssd_ros.training.fourdral.config import FourdralConfig, PROTOCOL
from ssd_ros.training.fourdral.principal import principal_directions
from ssd_ros.training.fourdral.trainer import FourdralRun, judged, mean_of, trained_network
from ssd_ros.training.networks.density_encoders import DensityEncoder, ImageEncoder
from ssd_ros.training.networks.encoding import torch_encode
import torch

FILES = {'4d': 'student.onnx', 'lidar': 'lidar.onnx'}
ENCODES = {'l2l': ('lidar',), 'r2r': ('4d',), 'r2l': ('4d', 'lidar')}
_NUM_IMAGES = 2048  # of each sensor, to find the directions on
_NUM_CHECKED = 8


def export(
    run: FourdralRun,
    training: Sequence[CachedDrive],
    validation: list[CachedDrive],
    directory: Path,
    num_components: int,
) -> Iterator[str]:
    """
    Write the models of a run and yield a line for each thing that is known of them.

    One that encodes both sensors is written for each, so that maps and queries find their own.

    :param training: drives to find the directions of the shorter descriptors on
    :param num_components: numbers of a descriptor, 0 = all that the network gives
    :raise ValueError: the run has no checkpoint, or an export differs from its network
    """
    config = run.config
    network, step = trained_network(run)
    yield f'{run.directory}: task {config.task}, best on validation at step {step}'
    whole = ImageEncoder(network)
    encoder = whole
    if num_components:
        encoder = shortened(network, training, config, num_components)
    in_full = mean_of(judged(whole, validation, config), config)
    recall = evaluate_run(run, encoder, validation, {'whole': f'{in_full:.4f}'})
    size = len(encoder(torch.zeros(1, 1, *config.preprocessing.image_shape).byte())[0])
    yield (
        f'R@1 within {PROTOCOL.radius_m:g} m on validation, {origin_of_drives(validation)}: '
        f'{recall:.4f} of {size} numbers, {in_full:.4f} of the whole descriptor: '
        f'{100 * (recall - in_full):+.2f} points'
    )
    for sensor in ENCODES[config.task]:
        contract = contract_of(sensor, encoder, size, config, run.origin)
        model = onnx_model(encoder, contract)
        images = _images(validation, sensor, _NUM_CHECKED)
        difference = check_parity(encoder, loaded(model), images)
        path = directory / FILES[sensor]
        write_file(path, model.SerializeToString(), MODEL_MARK)
        yield f'{path}: differs from the network by {difference:.1e}'


def evaluate_run(
    run: FourdralRun,
    encoder: DensityEncoder | ImageEncoder,
    validation: list[CachedDrive],
    settings: Mapping[str, str] | None = None,
) -> float:
    """
    Write the answers to all queries of the validation into the folder of a run; return R@1.

    :param settings: to be kept with them
    """
    config = run.config
    results = judged(encoder, validation, config)
    kept = {'task': config.task, 'seed': str(config.seed), **(settings or {})}
    evaluation = Evaluation(PROTOCOL, origin_of_drives(validation), results, kept)
    write_evaluation(run.directory / EVALUATION, evaluation)
    return mean_of(results, config)


def check_targets(run: Path, directory: Path) -> None:
    """
    Refuse what the models or the evaluation cannot be written over.

    :raise TargetError: it is there and not ours, or nothing can be written
    """
    check_files([directory / file for file in FILES.values()], MODEL_MARK)
    check_files([run / EVALUATION])


def shortened(
    network: DensityEncoder, drives: Sequence[CachedDrive], config: FourdralConfig, num: int
) -> ImageEncoder:
    """Return an encoder of at most so many numbers."""
    encode = torch_encode(ImageEncoder(network), config.bfloat16)
    descriptors = np.concatenate(
        [encode(_images(drives, sensor, _NUM_IMAGES)) for sensor in ENCODES[config.task]]
    )
    return ImageEncoder(network, torch.from_numpy(principal_directions(descriptors, num))).eval()


def contract_of(
    sensor: str,
    encoder: ImageEncoder,
    size: int,
    config: FourdralConfig,
    origin: Mapping[str, str],
) -> ModelContract:
    """Return the contract of a sensor's model, with thresholds that accept everything."""
    return ModelContract(
        format_version=FORMAT_VERSION,
        sensor=sensor,
        preprocessing=config.preprocessing,
        num_views=1,
        descriptor_size=size,
        descriptor_space=descriptor_space(encoder),
        accept_max_distance=2.0,
        accept_max_ratio=1.0,
        training_data=origin['training_data'],
        commit=origin['commit'],
        created=origin['created'],
    )


def _images(drives: Sequence[CachedDrive], sensor: str, num: int) -> NDArray[np.uint8]:
    """Return images of a sensor from all parts of the drives, at most so many."""
    stacks = [drive.student_bevs if sensor == '4d' else drive.panoramas for drive in drives]
    if not (images := spread_images(stacks, num)):
        raise ValueError(f'the drives have no image of sensor {sensor!r}')
    return np.stack(images)
