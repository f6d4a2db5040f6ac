# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Classes of messages and services by their ROS names."""

from __future__ import annotations

import importlib
from typing import Any


def message_class(kind: str) -> Any:
    """
    Return the class behind a name such as `std_msgs/msg/String` or `std_srvs/srv/Trigger`.

    :raise ImportError: the package is not installed
    """
    package, folder, name = kind.split('/')
    try:
        return getattr(importlib.import_module(f'{package}.{folder}'), name)
    except ImportError as error:
        raise ImportError(
            f'{kind} needs the package {package}: sudo apt install '
            f'ros-$ROS_DISTRO-{package.replace("_", "-")} ({error})'
        ) from error
