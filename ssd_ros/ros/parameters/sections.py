# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""
What a parameter file says to whom, read without ROS.

A section is shared if its last name is a wildcard (`/**`, `/front/*`): other nodes read it, too,
and names in it may be theirs. Any other is meant for a node by its name, in whatever namespace.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
import re
from typing import Any

from ssd_ros.ros.health.texts import FOREIGN_PARAMETERS
from ssd_ros.ros.parameters.node import is_of_rclpy, OPTIONS
from ssd_ros.ros.parameters.yaml_text import parsed
import yaml

MAX_BYTES = 1 << 20
KEYS = '/**, ssd_localizer'
_HEAD = 'ros__parameters'
_GROUPS = {option.name.rpartition('.')[0] for option in OPTIONS} - {''}
_KNOWN = [option.name for option in OPTIONS]


@dataclass(frozen=True, slots=True)
class Section:
    """
    The parameters under one key.

    :param key: full name of a node, with the wildcards of ROS
    :param values: by dotted names, without those that rclpy declares itself
    """

    path: Path
    key: str
    values: Mapping[str, Any]

    def is_for(self, node: str) -> bool:
        """Return whether ROS gives it to a node of this full name, such as /ssd_localizer."""
        return is_for(self.key, node)

    @property
    def is_shared(self) -> bool:
        """Whether it is for nodes of any name."""
        return '*' in self.key.rpartition('/')[2]

    def foreign_text(self, names: Iterable[str]) -> str:
        """Say that names in it are none of ours, and which of ours they resemble."""
        near = {name: get_close_matches(name, _KNOWN, 1, 0.8) for name in sorted(names)}
        said = [f'{name} ({found[0]}?)' if found else name for name, found in near.items()]
        return FOREIGN_PARAMETERS.format(path=self.path, key=self.key, names=', '.join(said))


def read_sections(path: Path) -> list[Section]:
    """
    Return the sections of a parameter file, of all nodes.

    :raise ValueError: it is none, or too large
    :raise OSError: it cannot be read
    """
    size = path.stat().st_size
    if size > MAX_BYTES:
        raise ValueError(f'{path} has {size} bytes, at most {MAX_BYTES} are read')
    try:
        return [
            Section(path, key, dict(_flattened(values, '')))
            for key, values in _sections(parsed(path.read_text()), '')
        ]
    except (ValueError, yaml.YAMLError, RecursionError) as error:
        raise not_a_file(path, error) from error


def is_for(key: str, node: str) -> bool:
    """Return whether ROS gives what a key says to a node of this full name."""
    pattern = re.escape(key).replace(r'/\*\*', r'(/\w+)*').replace(r'/\*', r'(/\w+)')
    return re.fullmatch(pattern, node) is not None


def not_a_file(path: Path, error: Exception) -> ValueError:
    """Return the error that names a file."""
    reason = ' '.join(str(error).split())
    return ValueError(f'{path} is not a parameter file of the node: {reason}')


def _sections(content: Any, key: str) -> Iterator[tuple[str, Any]]:
    """Yield keys and what is under `ros__parameters`; namespaces may be nested."""
    if not isinstance(content, Mapping) or not content:
        where, _, name = key.rpartition('/')
        raise ValueError(f'{where or name or "it"} has no {_HEAD}: it has none of the keys {KEYS}')
    for name, inner in content.items():
        if name == _HEAD and key:
            yield key, {} if inner is None else inner
        else:
            yield from _sections(inner, f'{key}/{name.strip("/")}')


def _flattened(values: Any, prefix: str) -> Iterator[tuple[str, Any]]:
    if not isinstance(values, Mapping):
        raise ValueError(f'{prefix or _HEAD} is of type {type(values).__name__}, expected names')
    for key, value in values.items():
        name = f'{prefix}{key}'
        if is_of_rclpy(name):
            continue
        if isinstance(value, Mapping) or name in _GROUPS:
            yield from _flattened(value, f'{name}.')
        else:
            yield name, value
