#!/usr/bin/env bash
# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
#
# ONNX Runtime 1.20.1 refuses a valid model in which the product of a three-dimensional tensor
# is transposed and normalised. Its optimiser folds MatMul, Transpose and BatchNormalization into
# Gemm, which takes matrices alone, and then stops at its own graph:
#   Node (MatMulBnFusion_Gemm) Op (Gemm) [ShapeInferenceError] First input does not have rank 2
# The checker of onnx accepts the model, and with optimisation off the same release runs it. 1.21.1
# runs it either way. Such a graph is what an exported encoder with a token-wise linear layer and
# batch normalisation looks like.
# Seen with this model: onnxruntime 1.20.1 fails, 1.21.1 does not. Exits 1 if that has changed.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cat > "$work/model.py" <<'PYTHON'
import sys
import numpy as np
import onnx
import onnxruntime
from onnx import helper, numpy_helper, TensorProto

rng = np.random.default_rng(0)
constant = lambda name, *shape: numpy_helper.from_array(
    rng.uniform(0.5, 1.5, shape).astype(np.float32), name)
nodes = [
    helper.make_node('MatMul', ['x', 'weight'], ['product']),
    helper.make_node('Transpose', ['product'], ['turned'], perm=[0, 2, 1]),
    helper.make_node('BatchNormalization', ['turned', 'scale', 'bias', 'mean', 'variance'], ['y']),
]
graph = helper.make_graph(
    nodes, 'tokens',
    [helper.make_tensor_value_info('x', TensorProto.FLOAT, [2, 3, 4])],
    [helper.make_tensor_value_info('y', TensorProto.FLOAT, [2, 5, 3])],
    [constant('weight', 4, 5), *(constant(name, 5) for name in ('scale', 'bias', 'mean', 'variance'))],
)
model = helper.make_model(graph, opset_imports=[helper.make_opsetid('', 17)], ir_version=8)
onnx.checker.check_model(model, full_check=True)
levels = onnxruntime.GraphOptimizationLevel
answers = []
for level in (levels.ORT_DISABLE_ALL, levels.ORT_ENABLE_ALL):
    options = onnxruntime.SessionOptions()
    options.graph_optimization_level = level
    try:
        session = onnxruntime.InferenceSession(model.SerializeToString(), options)
        session.run(None, {'x': np.ones((2, 3, 4), np.float32)})
        answers.append('runs')
    except Exception as error:
        print(error)
        answers.append('rank' if 'First input does not have rank 2' in str(error) else 'else')
print(onnxruntime.__version__, 'plain:', answers[0], 'optimised:', answers[1])
sys.exit(answers != sys.argv[1:])
PYTHON
python3 -m venv "$work/venv"
pip="$work/venv/bin/pip install --quiet --disable-pip-version-check"
$pip 'numpy==1.26.4' 'onnx==1.16.2' 'onnxruntime==1.20.1'
"$work/venv/bin/python" "$work/model.py" runs rank
$pip 'onnxruntime==1.21.1'
"$work/venv/bin/python" "$work/model.py" runs runs
