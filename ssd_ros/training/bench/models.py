# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""
Models that the command `bench` compares the student with, written to a directory.

`python -m ssd_ros.training.bench.models models/student.onnx DIRECTORY` writes sherloc.onnx, a
network of SHeRLoc's size with random weights for the student's images, r2r.onnx and r2l.onnx, the
students of 4DRaL likewise, and int8.onnx, the student in int8 with scales from random images:
right for timing, not for recall. The command starts it as its own process, because only training
may import torch.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
import sys

import numpy as np
import onnx
from ssd_ros.encoders.network import OnnxEncoder
from ssd_ros.training.export.onnx_export import finish, onnx_model
from ssd_ros.training.export.quantise import quantised
from ssd_ros.training.fourdral.config import FourdralConfig
from ssd_ros.training.fourdral.exporting import contract_of
from ssd_ros.training.fourdral.trainer import initial_network
from ssd_ros.training.network_config import NETWORKS
from ssd_ros.training.networks.density_encoders import descriptor_size, ImageEncoder
from ssd_ros.training.networks.encoders import TeacherStudent

_NUM_IMAGES = 8


def main(argv: Sequence[str] | None = None) -> int:
    """Write the models."""
    student_path, directory = map(Path, sys.argv[1:] if argv is None else argv)
    contract = OnnxEncoder(student_path, 'cpu').contract
    network = NETWORKS['sherloc']
    encoder = TeacherStudent(network, seed=0).encoder('4d')
    sherloc = onnx_model(encoder, replace(contract, descriptor_size=network.descriptor_size))
    onnx.save(sherloc, directory / 'sherloc.onnx')
    for task in ('r2r', 'r2l'):
        onnx.save(_of_4dral(task), directory / f'{task}.onnx')
    shape = (_NUM_IMAGES, *contract.input_shape)
    images = np.random.default_rng(0).integers(0, 256, shape).astype(np.uint8)
    in_int8 = finish(quantised(onnx.load(student_path), images), contract)
    onnx.save(in_int8, directory / 'int8.onnx')
    return 0


def _of_4dral(task: str) -> onnx.ModelProto:
    """Return a student as the paper has it."""
    config = FourdralConfig(task=task)
    size = descriptor_size(config.network, config.density.num_cells)
    encoder = ImageEncoder(initial_network(config, None)).eval()
    origin = dict.fromkeys(('training_data', 'commit', 'created'), 'random weights')
    return onnx_model(encoder, contract_of('4d', encoder, size, config, origin))


if __name__ == '__main__':
    sys.exit(main())
