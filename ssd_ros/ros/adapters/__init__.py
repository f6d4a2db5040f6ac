# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""
Back ends that want more than the node's topics: one small class for each, loaded by name.

An adapter needs the message package of its back end, so it is imported only when it is asked
for. It is told of closures by any thread and does its work in the executor's, without waiting.
"""

from __future__ import annotations

import importlib
import os
from typing import Protocol

from rclpy.node import Node
from ssd_ros.ros.adapters.closure import LoopClosure
from ssd_ros.ros.health.inputs import Status

_CLASSES = {
    'autoware': 'AutowareAdapter',
    'lio_sam': 'LioSamAdapter',
    'mola': 'MolaAdapter',
    'nav2': 'Nav2Adapter',
    'rtabmap': 'RtabmapAdapter',
}
ADAPTERS = tuple(_CLASSES)


class Adapter(Protocol):
    """
    What tells one back end.

    Closures may come from any thread; status() and destroy() belong to the executor's.
    """

    def on_loop_closure(self, closure: LoopClosure) -> None:
        """Take note of an accepted candidate: a back end with a pose graph wants each."""

    def relocalize(self, closure: LoopClosure) -> None:
        """Set the pose of the back end: a filter that is lost wants one."""

    def status(self) -> Status:
        """Return what became of the closures since the last report."""

    def destroy(self) -> None:
        """Take the topics and services down."""


def load_adapter(name: str, node: Node, map_frame: str) -> Adapter:
    """
    Make the adapter of a back end.

    :raise ValueError: there is none of this name
    :raise ImportError: its message package is not installed; the text says how to install it
    """
    if name not in _CLASSES:
        raise ValueError(f'unknown adapter {name!r}; choose from {", ".join(ADAPTERS)}')
    try:
        module = importlib.import_module(f'ssd_ros.ros.adapters.{name}')
    except ModuleNotFoundError as error:
        package = (error.name or '').partition('.')[0]
        distribution = os.environ.get('ROS_DISTRO', '<distribution>')
        raise ImportError(
            f'adapter {name!r} needs the package {package}: '
            f'sudo apt install ros-{distribution}-{package.replace("_", "-")}'
        ) from error
    return getattr(module, _CLASSES[name])(node, map_frame)
