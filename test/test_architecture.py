# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Check that the import arrows between the parts of ssd_ros point one way."""

from __future__ import annotations

import ast
from pathlib import Path
import subprocess
import sys

import pytest

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / 'ssd_ros'

# Lowest first. A part may import the parts below it, never one beside or above it.
LAYERS = [
    {
        'odometry',
        'onnx_session',
        'radar',
        'radar_fields',
        'trajectory',
        'files',
        'records',
        'dds_environment',
        'shared_files',
    },
    {
        'ars548',
        'candidates',
        'confidence',
        'confidence_threshold',
        'decision',
        'doppler_sign',
        'ego_velocity',
        'logistic_regression',
        'map_meta',
        'metrics',
        'point_fields',
        'polar_bev',
        'radar_columns',
        'sequence',
        'sequence_filter',
    },
    {
        'confidence_fit',
        'confidence_file',
        'map_arrays',
        'point_cloud1',
        'point_cloud2',
        'preprocessing',
        'radar_merging',
        'radar_scan',
        'scan_context',
        'simulator',
        'verification',
    },
    {'map_files', 'model_contract', 'place_index', 'radar_messages'},
    {'encoder', 'place_database', 'scan_context_encoder'},
    {
        'baselines',
        'bev_cache',
        'datasets',
        'live_session',
        'novelty',
        'place_encoder',
        'place_search',
        'rcs_correction',
        'recognition',
    },
    {'candidate_judge', 'map_builder', 'benchmark', 'evaluation', 'pose_graph'},
    {'place_recognizer'},
    {'ros'},
    {'cli'},  # uses what of the node does not need ROS
    {'training'},
]
ONLY_IN = {
    'torch': {'training'},
    'rclpy': {'ros'},
    'sensor_msgs': {'ros'},
    'onnxruntime': {'onnx_session', 'training'},
    'faiss': {'baselines', 'place_index'},
    'cv2': {'baselines', 'datasets'},
    'numba': {'simulator'},
    'gtsam': {'pose_graph', 'ros'},
}
# Parts that a vehicle runs must start without what only a workstation has.
OFFLINE_ONLY = ['torch', 'numba', 'matplotlib', 'tqdm', 'cv2', 'rosbags', 'scipy']
MODULES = sorted(path for path in PACKAGE.rglob('*.py') if path != PACKAGE / '__init__.py')


def part_of(path: Path) -> str:
    return path.relative_to(PACKAGE).parts[0].removesuffix('.py')


def layer_of(part: str) -> int:
    for level, parts in enumerate(LAYERS):
        if part in parts:
            return level
    raise AssertionError(f'{part} belongs to no layer: add it to LAYERS')


def imports_of(path: Path) -> set[str]:
    names: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f'{path}: relative import'
            names |= {f'{node.module}.{alias.name}' for alias in node.names}
    return names


@pytest.mark.parametrize('path', MODULES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_imports_point_down(path: Path) -> None:
    here = part_of(path)
    for name in imports_of(path):
        package, _, rest = name.partition('.')
        assert here in ONLY_IN.get(package, {here}), f'{here} must not import {package}'
        there = rest.partition('.')[0]
        if package == 'ssd_ros' and there not in (here, '__version__'):
            assert layer_of(there) < layer_of(here), f'{here} must not import {there}'


def test_the_real_time_path_runs_without_torch_and_offline_libraries() -> None:
    program = (
        'import sys\n'
        f'for name in {OFFLINE_ONLY!r}: sys.modules[name] = None\n'
        'import ssd_ros.recognition.place_recognizer\n'
        'try: import rclpy\n'
        'except ImportError: pass\n'
        'else: import ssd_ros.ros.node.localize_node\n'
    )
    subprocess.run([sys.executable, '-c', program], check=True, cwd=ROOT)


def test_every_source_file_starts_with_its_licence() -> None:
    header = ['# Copyright 2026 The ssd_ros authors', '# SPDX-License-Identifier: Apache-2.0']
    sources = [*ROOT.glob('*.py'), *MODULES, *ROOT.glob('launch/*.py'), *ROOT.glob('test/**/*.py')]
    bare = [str(path) for path in sources if path.read_text().splitlines()[:2] != header]
    assert bare == []


@pytest.mark.parametrize('path', MODULES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_nothing_is_unpickled(path: Path) -> None:
    """An untrusted model, map, bag or YAML must not be able to run code."""
    text = path.read_text()
    for word in ('import pickle', 'allow_pickle=True', 'yaml.load(', 'weights_only=False'):
        assert word not in text, f'{path} contains {word}'
