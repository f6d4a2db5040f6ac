# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Libraries that may be missing: which one is, and the line that says where it comes from."""

from __future__ import annotations

from importlib.util import find_spec

_SOURCE_ROS = (
    'source ROS 2 (. /opt/ros/DISTRO/setup.bash); without it, `make demo` installs its wheels'
)
_OF_ROS = {'ament_index_python', 'builtin_interfaces', 'rcl_interfaces', 'rclpy', 'tf2_ros'}
# By the name that is imported; what pip calls it.
_OF_PIP = {
    'argcomplete': 'argcomplete',
    'cv2': 'opencv-python-headless',
    'faiss': 'faiss-cpu',
    'gtsam': '"gtsam>=4.3a0"',
    'matplotlib': 'matplotlib',
    'numba': 'numba',
    'numpy': 'numpy',
    'onnx': 'onnx',
    'onnxruntime': 'onnxruntime',
    'onnxscript': 'onnxscript',
    'rosbags': 'rosbags',
    'torch': 'torch onnx onnxscript',
    'tqdm': 'tqdm',
    'transforms3d': 'transforms3d',
    'yaml': 'PyYAML',
}


def require(*names: str) -> None:
    """
    Refuse to begin work that would fail later for want of a package.

    :raise ModuleNotFoundError: one is not installed
    """
    for name in names:
        if find_spec(name) is None:
            raise ModuleNotFoundError(f'{name} is not installed', name=name)


def way_out(error: ModuleNotFoundError) -> str:
    """
    Return a line that says which package is not installed and where it comes from.

    :raise ModuleNotFoundError: no package that we use, so a fault of ours
    """
    name = (error.name or '').partition('.')[0]
    if name in _OF_ROS or name.endswith(('_msgs', '_srvs')):
        return f'{name} is not installed: {_SOURCE_ROS}'
    if name not in _OF_PIP:
        raise error
    return f'{name} is not installed: pip install {_OF_PIP[name]}'
