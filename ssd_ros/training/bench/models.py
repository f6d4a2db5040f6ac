# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""
Models that the command `bench` compares the student with, written to a directory.

`python -m ssd_ros.training.bench.models models/student.onnx DIRECTORY` writes sherloc.onnx, a
network of SHeRLoc's size with random weights for the student's images, and int8.onnx, the student
in int8 with scales from random images: right for timing, not for recall. The command starts it as
its own process, because only training may import torch.
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
from ssd_ros.training.network_config import NETWORKS
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
    shape = (_NUM_IMAGES, *contract.input_shape)
    images = np.random.default_rng(0).integers(0, 256, shape).astype(np.uint8)
    in_int8 = finish(quantised(onnx.load(student_path), images), contract)
    onnx.save(in_int8, directory / 'int8.onnx')
    return 0


if __name__ == '__main__':
    sys.exit(main())
