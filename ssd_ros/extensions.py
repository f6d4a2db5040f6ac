# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""
What others bring along: classes that are named `module:Class`, readers of installed packages.

A command runs the code that its command line names, and no file that it reads can name any.
"""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from typing import Any

SEQUENCES = 'ssd_ros.sequences'
"""Group of entry points, each a callable that takes a path and returns a RadarSequence."""


class OrOwn(tuple[str, ...]):
    """Choices of an option that takes `module:Class` as well."""

    def __contains__(self, name: object) -> bool:
        return super().__contains__(name) or is_own(str(name))


class OrInstalled(tuple[str, ...]):
    """Choices of an option that takes the readers of installed packages as well."""

    def __contains__(self, name: object) -> bool:
        return super().__contains__(name) or name in installed_readers()


def is_own(name: str) -> bool:
    """Return whether a name is that of a class: `module:Class`."""
    module, colon, within = name.partition(':')
    return bool(colon) and all(part.isidentifier() for part in (*module.split('.'), within))


def own_class(name: str, option: str) -> Callable[..., Any]:
    """
    Import a class.

    :param name: `module:Class`
    :param option: that named it, for messages
    :raise ValueError: it is not there, or its module cannot be imported
    """
    module, _, within = name.partition(':')
    try:
        found = getattr(import_module(module), within)
    except ImportError as error:
        raise ValueError(
            f'{option} {name}: {error}; install its package or name its folder in PYTHONPATH'
        ) from error
    except AttributeError as error:
        raise ValueError(f'{option} {name}: {error}') from error
    if not callable(found):
        raise ValueError(f'{option} {name}: {within} is no class')
    return found


def installed_readers() -> dict[str, Callable[..., Any]]:
    """Return for each reader of an installed package, by its name, what imports it."""
    from importlib.metadata import entry_points  # takes longer than the rest of a command's help

    return {point.name: point.load for point in entry_points(group=SEQUENCES)}


def require_members(made: object, protocol: type, name: str) -> None:
    """
    Refuse what lacks a part of a protocol.

    :param name: of what was brought along, for messages
    :raise ValueError: it lacks some, which the message names
    """
    wanted = [part for part in dir(protocol) if not part.startswith('_')]
    wanted += [part for part in protocol.__annotations__ if part not in wanted]
    if missing := [part for part in wanted if not hasattr(made, part)]:
        raise ValueError(f'{name} lacks {", ".join(missing)} of {protocol.__name__}')
