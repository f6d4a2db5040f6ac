# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Where a network can be computed, by the names that parameters and command lines have for it."""

AUTO = 'auto'
CPU = 'cpu'
CUDA = 'cuda'
OPENVINO = 'openvino'
OPENVINO_BF16 = 'openvino_bf16'

DEVICES = AUTO, CPU, CUDA, OPENVINO, OPENVINO_BF16
MEANING = (
    'where the encoder runs: ONNX Runtime on the processor (cpu) or CUDA, OpenVINO on the '
    'processor in float32 or bfloat16; auto = the fastest that is installed, measured at the '
    'first start with a model'
)
