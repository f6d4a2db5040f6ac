# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Parameter files of the node, read without ROS."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
import logging
from pathlib import Path
from typing import Any

from ssd_ros.ros.parameters.node import NodeParameters, OPTIONS
from ssd_ros.ros.parameters.sections import KEYS, not_a_file, read_sections, Section

_NODE = '/ssd_localizer'
_logger = logging.getLogger(__name__)


def read_parameter_files(paths: Sequence[Path]) -> NodeParameters:
    """
    Return the parameters that the node would have with these files.

    A later file wins over an earlier one, and a section over those that began before it. Names
    of other nodes in a shared section are left out with a warning.

    :param paths: such as config/localize.yaml and config/drivers/hercules.yaml
    :raise ValueError: one is not a parameter file of the node, or a value is impossible
    :raise OSError: one cannot be read
    """
    merged: dict[str, dict[str, Any]] = {}  # as ROS does: by section, in the order of their keys
    for path in paths:
        for section in _sections_of_the_node(path):
            merged.setdefault(section.key, {}).update(_own_values(section))
    _check_one_node(merged)
    values = {name: value for part in merged.values() for name, value in part.items()}
    return NodeParameters.from_values(values)


def _sections_of_the_node(path: Path) -> list[Section]:
    sections = read_sections(path)
    found = [section for section in sections if section.is_for(_NODE)]
    if all(section.is_shared for section in found):  # a drive is replayed whatever the namespace
        found = [each for each in sections if each in found or each.key.endswith(_NODE)]
    if not found:
        keys = ', '.join(sorted({section.key for section in sections})) or 'none'
        reason = f'it has none of the keys {KEYS}, but {keys}'
        raise not_a_file(path, ValueError(reason))
    return found


def _own_values(section: Section) -> dict[str, Any]:
    """Return what is for the node, checked file by file, so that an error names the file."""
    values = dict(section.values)
    if section.is_shared:
        foreign = set(values) - {option.name for option in OPTIONS}
        if foreign:
            _logger.warning(section.foreign_text(foreign))
        values = {name: value for name, value in values.items() if name not in foreign}
    try:
        NodeParameters.from_values(values)
    except ValueError as error:
        raise not_a_file(section.path, error) from error
    return values


def _check_one_node(keys: Iterable[str]) -> None:
    nodes = [key for key in keys if '*' not in key]
    if len(nodes) > 1:
        raise ValueError(
            f'the parameter files are for several nodes: {", ".join(nodes)}; leave one'
        )
