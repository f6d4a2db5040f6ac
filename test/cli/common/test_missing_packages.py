# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Start every command where a package that it needs is not installed."""

from __future__ import annotations

import os
from pathlib import Path
import subprocess
import sys

import pytest
from ssd_ros import __version__
from ssd_ros.cli.main import COMMANDS

ROOT = Path(__file__).parents[3]
# Python reads it before anything else, in children, too.
SITE = """
import os, sys
for name in os.environ['NOT_INSTALLED'].split():
    sys.modules[name] = None
"""
OF_ROS = 'source ROS 2 (. /opt/ros/DISTRO/setup.bash)'
CASES = [
    ('numba', 'pip install numba', 'simulate generate --preset unit --out {0}/drives'),
    ('numba', 'pip install numba', 'simulate preview --out {0}/picture.png'),
    ('numba', 'pip install numba', 'demo --preset unit --output {0}/demo'),
    ('numba', 'pip install numba', 'pose_graph_demo --preset unit --output {0}/graph'),
    ('numba', 'pip install numba', 'cache --benchmark validation --out {0}/cache'),
    ('numba', 'pip install numba', 'evaluate --simulate validation'),
    ('numba', 'pip install numba', 'trust --benchmark validation --out {0}/trust'),
    ('numba', 'pip install numba', 'statistics --real {0}/drive.mcap'),
    ('gtsam', 'pip install "gtsam>=4.3a0"', 'pose_graph_demo --preset unit --output {0}/graph'),
    ('gtsam', 'pip install "gtsam>=4.3a0"', 'pose_graph_demo --false-closures 0.5 --output {0}/g'),
    ('rclpy', OF_ROS, 'localize'),
    ('rclpy', OF_ROS, 'demo --preset unit --output {0}/demo'),
    ('rclpy', OF_ROS, 'pose_graph_demo --preset unit --output {0}/graph'),
    ('rclpy', OF_ROS, 'bench_node'),
    ('rclpy', OF_ROS, 'view'),
    ('rclpy', OF_ROS, 'soak --output {0}/soak'),
    ('rclpy', OF_ROS, 'doctor'),
    ('rclpy', OF_ROS, 'quickstart --map {0}'),
    ('sensor_msgs', OF_ROS, 'localize'),
    ('torch', 'pip install torch onnx onnxscript', 'train --cache {0} --out {0}/run'),
    ('torch', 'pip install torch onnx onnxscript', 'ablate --cache {0} --out {0}/runs'),
    ('torch', 'pip install torch onnx onnxscript', 'distill_4dral --cache {0} --out {0}/run'),
    ('torch', 'pip install torch onnx onnxscript', 'export --cache {0} --run {0}/run'),
    ('onnx', 'pip install onnx', 'export --cache {0} --run {0}/run'),
    ('onnx', 'pip install onnx', 'contract {0}/mine.onnx --sensor 4d --out {0}/student.onnx'),
    ('faiss', 'pip install faiss-cpu', 'build_db --input {0} --output {0}/map'),
    ('faiss', 'pip install faiss-cpu', 'localize'),
    ('cv2', 'pip install opencv-python-headless', 'compare --cache {0} --out {0}/compared'),
    ('plotly', 'pip install plotly', 'compare --cache {0} --out {0}/compared'),
    (
        'map_closures',
        'pip install map-closures==2.2.0',
        'compare --cache {0} --out {0}/compared --methods map_closures',
    ),
    ('jinja2', 'pip install Jinja2', 'replay --input {0}/drive --html {0}/replay.html'),
    ('plotly', 'pip install plotly', 'evaluate --cache {0} --html {0}/evaluation.html'),
    ('jinja2', 'pip install Jinja2', 'trust --benchmark test --out {0}/trust --report {0}/x'),
    ('onnxruntime', 'pip install onnxruntime', 'localize'),
    ('aiohttp', 'pip install aiohttp', 'view'),
    ('aiohttp', 'pip install aiohttp', 'serve {0}'),
    ('aiohttp', 'pip install aiohttp', 'replay --input {0}/drive.mcap --live'),
    ('rosbags', 'pip install rosbags', 'doctor {0}/drive.mcap'),
    ('rosbags', 'pip install rosbags', 'replay --input {0}/drive.mcap'),
    ('yaml', 'pip install PyYAML', 'localize'),
    ('numpy', 'pip install numpy', 'map info {0}'),
    ('tqdm', 'pip install tqdm', 'estimate_rcs_correction --drives {0}'),
]


def ended(where: Path, arguments: list[str], missing: str) -> subprocess.CompletedProcess[str]:
    """Run Python where packages are not installed."""
    (where / 'sitecustomize.py').write_text(SITE)
    return subprocess.run(
        [sys.executable, *arguments],
        cwd=where,
        env={
            **os.environ,
            'PYTHONPATH': os.pathsep.join([str(where), str(ROOT)]),
            'NOT_INSTALLED': missing,
        },
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.parametrize(('missing', 'way_out', 'command'), CASES)
def test_one_line_names_the_package_and_the_way_out_before_any_work(
    tmp_path: Path, missing: str, way_out: str, command: str
) -> None:
    if missing == 'sensor_msgs':
        pytest.importorskip('rclpy')
    arguments = command.format(tmp_path).split()
    result = ended(tmp_path, ['-m', 'ssd_ros', *arguments], missing)
    assert result.returncode == 1, result.stderr
    line = f'ssd_ros {arguments[0]}: {missing} is not installed: {way_out}'
    assert result.stderr.startswith(line)
    assert result.stderr.count('\n') == 1
    assert {path.name for path in tmp_path.iterdir()} <= {'sitecustomize.py', '__pycache__'}


def test_every_command_that_needs_more_than_an_installation_brings_is_among_them() -> None:
    tried = {command.split()[0] for _, _, command in CASES}
    assert set(COMMANDS) - tried == {'bench'}  # leaves out what it lacks


def test_help_and_version_need_no_library_at_all(tmp_path: Path) -> None:
    """So they answer at once: what they import is Python's own."""
    lines = ['import sys', 'from ssd_ros.cli.main import main']
    for name in COMMANDS:
        for option in ('--help', '--version'):
            lines += ['try:', f'    main([{name!r}, {option!r}])']
            lines += ['except SystemExit as end:', '    assert end.code == 0']
    (tmp_path / 'all_help.py').write_text('\n'.join(lines))
    libraries = (
        'aiohttp argcomplete cv2 faiss gtsam map_closures matplotlib numba numpy onnx onnxruntime '
        'onnxscript rclpy rosbags scipy torch tqdm transforms3d yaml'
    )
    result = ended(tmp_path, ['all_help.py'], libraries)
    assert result.returncode == 0, result.stderr
    assert result.stdout.count('examples:') == len(COMMANDS)
    assert result.stdout.count(f'ssd_ros {__version__}\n') == len(COMMANDS)
