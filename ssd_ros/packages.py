# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Libraries that may be missing: which one is, and the line that says where it comes from."""

from __future__ import annotations

from importlib.util import find_spec
from traceback import walk_tb

_SOURCE_ROS = (
    'source ROS 2 (. /opt/ros/DISTRO/setup.bash); without it, `make demo` installs its wheels'
)
_OF_ROS = {'ament_index_python', 'builtin_interfaces', 'rcl_interfaces', 'rclpy', 'tf2_ros'}
FOR_PAGES = 'jinja2', 'plotly'
"""What a command that writes pages asks for before its work."""
# By the name that is imported; what pip calls it.
_OF_PIP = {
    'aiohttp': 'aiohttp',
    'argcomplete': 'argcomplete',
    'cv2': 'opencv-python-headless',
    'distributed': 'distributed',
    'faiss': 'faiss-cpu',
    'gtsam': '"gtsam>=4.3a0"',
    'jinja2': 'Jinja2',
    'map_closures': 'map-closures==2.2.0',
    'matplotlib': 'matplotlib',
    'numba': 'numba',
    'numpy': 'numpy',
    'onnx': 'onnx',
    'onnxruntime': 'onnxruntime',
    'onnxscript': 'onnxscript',
    'plotly': 'plotly',
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


def way_out(error: ImportError) -> str:
    """
    Return a line that says which package is missing, too old or does not load, and what to do.

    :raise ImportError: it is none of those that we use, so a fault of ours
    """
    name = (error.name or '').partition('.')[0]
    if not isinstance(error, ModuleNotFoundError):
        return _does_not_load(error)
    if name in _OF_ROS or name.endswith(('_msgs', '_srvs')):
        return f'{name} is not installed: {_SOURCE_ROS}'
    if name not in _OF_PIP:
        raise error
    if find_spec(name) is not None:
        return f'{name} is too old, it has no {error.name}: pip install --upgrade {_OF_PIP[name]}'
    return f'{name} is not installed: pip install {_OF_PIP[name]}'


def _does_not_load(error: ImportError) -> str:
    """Name the library whose own import failed: the outermost that is no part of this package."""
    for frame, _ in walk_tb(error.__traceback__):
        name = frame.f_globals.get('__name__', '').partition('.')[0]
        if name in _OF_PIP:
            reason = str(error).strip().partition('\n')[0]
            return (
                f'{name} does not load ({reason}): install it with the constraints of your '
                'distribution, pip install --force-reinstall -c config/constraints/DISTRO.txt '
                f'{_OF_PIP[name]}'
            )
    raise error
