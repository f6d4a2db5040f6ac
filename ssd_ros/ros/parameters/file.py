# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Parameter files of the node, read without ROS."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from ssd_ros.ros.parameters.node import (
    is_of_rclpy,
    NodeParameters,
    OPTIONS,
    unknown_parameter_text,
)
from ssd_ros.ros.parameters.yaml_text import parsed
import yaml

MAX_BYTES = 1 << 20
# Under which a file may put the parameters: any node, or this one in any namespace.
_NODES = ('/**', 'ssd_localizer', '/ssd_localizer', '/**/ssd_localizer')
_GROUPS = {option.name.rpartition('.')[0] for option in OPTIONS} - {''}


def read_parameter_files(paths: Sequence[Path]) -> NodeParameters:
    """
    Return the parameters that the node would have with these files; a later one wins.

    :param paths: such as config/localize.yaml and config/drivers/hercules.yaml
    :raise ValueError: one is not a parameter file of the node, or a value is impossible
    :raise OSError: one cannot be read
    """
    values: dict[str, Any] = {}
    for path in paths:
        values |= _read(path)
    return NodeParameters.from_values(values)


def _read(path: Path) -> dict[str, Any]:
    size = path.stat().st_size
    if size > MAX_BYTES:
        raise ValueError(f'{path} has {size} bytes, at most {MAX_BYTES} are read')
    try:
        values = dict(_values(parsed(path.read_text())))
        NodeParameters.from_values(values)  # so that a message names the file
    except (ValueError, yaml.YAMLError, RecursionError) as error:
        reason = ' '.join(str(error).split())
        raise ValueError(f'{path} is not a parameter file of the node: {reason}') from error
    return values


def _values(content: Any) -> Iterator[tuple[str, Any]]:
    """Yield dotted names and values of the nodes that are meant, later ones last."""
    found = [name for name in _NODES if isinstance(content, Mapping) and name in content]
    if not found:
        raise ValueError(f'it has none of the keys {", ".join(_NODES)}')
    for name in found:
        node = content[name]
        if not isinstance(node, Mapping) or 'ros__parameters' not in node:
            raise ValueError(f'{name} has no ros__parameters')
        yield from _flattened(node['ros__parameters'] or {}, '')


def _flattened(values: Any, prefix: str) -> Iterator[tuple[str, Any]]:
    if not isinstance(values, Mapping):
        raise ValueError(
            f'{prefix or "ros__parameters"} is of type {type(values).__name__}, expected names'
        )
    for key, value in values.items():
        name = f'{prefix}{key}'
        if is_of_rclpy(name):
            continue
        if name in _GROUPS:
            yield from _flattened(value, f'{name}.')
        elif isinstance(value, Mapping):
            raise ValueError(unknown_parameter_text(name))
        else:
            yield name, value
