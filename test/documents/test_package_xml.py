# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Check that package.xml asks for what the code imports."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path
import sys
from xml.etree import ElementTree

from ssd_ros.ros.messages.topics import DIAGNOSTICS, PUBLISHED, SERVICES, SUBSCRIBED, TF

ROOT = Path(__file__).parents[2]
# Name of an import -> key of rosdep, where they differ.
KEYS = {
    'argcomplete': 'python3-argcomplete',
    'cv2': 'python3-opencv',
    'faiss': 'python3-faiss',
    'matplotlib': 'python3-matplotlib',
    'numpy': 'python3-numpy',
    'onnxruntime': 'python3-onnxruntime-pip',
    'rosbags': 'python3-rosbags-pip',
    'scipy': 'python3-scipy',
    'tf2_ros': 'tf2_ros_py',
    'tqdm': 'python3-tqdm',
    'transforms3d': 'python3-transforms3d',
    'yaml': 'python3-yaml',
}
# Extras of setup.py, and back ends that only those have who use them.
OPTIONAL = {
    *(
        'aiohttp',
        'dask',
        'distributed',
        'gtsam',
        'jinja2',
        'llvmlite',
        'map_closures',
        'markupsafe',
        'numba',
        'onnx',
        'openvino',
        'plotly',
        'torch',
    ),
    *('autoware_adapi_v1_msgs', 'mola_msgs', 'nav2_msgs', 'rtabmap_msgs'),
}
# For the user: reading candidates as the README says, `ros2 launch`, `ros2 lifecycle`; imported by
# its name: the type of /tf.
NOT_IMPORTED = {'sensor_msgs_py', 'ros2launch', 'tf2_msgs'}


def imported() -> Iterator[str]:
    """Yield the name of each package that the code imports, of ours and Python's as well."""
    for path in [*(ROOT / 'ssd_ros').rglob('*.py'), *(ROOT / 'launch').glob('*.py')]:
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Import):
                yield from (alias.name.partition('.')[0] for alias in node.names)
            elif isinstance(node, ast.ImportFrom):
                yield str(node.module).partition('.')[0]


def declared() -> set[str]:
    package = ElementTree.parse(ROOT / 'package.xml').getroot()
    return {str(depend.text) for depend in package.findall('exec_depend')}


def test_every_import_is_declared_and_nothing_else() -> None:
    names = set(imported()) - {'ssd_ros'} - OPTIONAL - sys.stdlib_module_names
    keys = {KEYS.get(name, name) for name in names}
    assert sorted(keys - declared()) == []
    assert sorted(declared() - keys - NOT_IMPORTED) == []
    assert len(keys) >= 20


def test_the_packages_of_all_topics_and_services_are_declared() -> None:
    kinds = [topic.kind for topic in (*PUBLISHED, *SUBSCRIBED, DIAGNOSTICS, TF)]
    kinds += [service.kind for service in SERVICES]
    packages = {kind.partition('/')[0] for kind in kinds}
    assert packages >= {'sensor_msgs', 'visualization_msgs', 'tf2_msgs', 'std_srvs'}
    assert sorted(packages - declared()) == []
