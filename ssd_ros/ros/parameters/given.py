# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Where the parameters of a node come from, by the arguments of its process."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
import itertools
from pathlib import Path

from ssd_ros.ros.parameters.node import unknown_parameter_text
from ssd_ros.ros.parameters.sections import is_for, read_sections, Section


def leave_out_foreign(
    unknown: Iterable[str], arguments: Sequence[str], node: str, warn: Callable[[str], None]
) -> None:
    """
    Warn of names that only shared sections of parameter files give.

    :param unknown: names that the node does not have
    :param arguments: of the process
    :param node: its full name
    :raise ValueError: one was given to this node by its name, or by itself
    """
    named, shared = set[str](), dict[tuple[Path, str], Section]()
    for option, text in _ros_options(arguments):
        if option == '-p':
            key, _, name = text.partition(':=')[0].rpartition(':')
            if not key or is_for(f'/{key.strip("/")}', node):
                named.add(name)
            continue
        for section in _sections_for(Path(text), node):
            if section.is_shared:
                shared[section.path, section.key] = section
            else:
                named |= set(section.values)
    names = set(unknown)
    foreign = {name for section in shared.values() for name in section.values} - named
    if strict := sorted(names - foreign):
        raise ValueError(unknown_parameter_text(strict[0]))
    for section in shared.values():
        if here := names & set(section.values):
            warn(section.foreign_text(here))


def _sections_for(path: Path, node: str) -> list[Section]:
    try:
        return [section for section in read_sections(path) if section.is_for(node)]
    except (OSError, ValueError):  # what ROS has read and we cannot is not known to be shared
        return []


_SPELLINGS: Mapping[str, str] = {
    '-p': '-p', '--param': '-p', '--params-file': '--params-file',
}  # fmt: skip


def _ros_options(arguments: Sequence[str]) -> Iterator[tuple[str, str]]:
    """Yield the options between `--ros-args` and `--` that give parameters."""
    is_of_ros = False
    for word, following in itertools.pairwise([*arguments, '']):
        if word in ('--ros-args', '--'):
            is_of_ros = word == '--ros-args'
        elif is_of_ros and word in _SPELLINGS:
            yield _SPELLINGS[word], following
