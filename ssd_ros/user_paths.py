# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Paths as users write them, in parameters and on command lines alike: `~`, lists with colons."""

from __future__ import annotations

from collections.abc import Iterable
import os
from pathlib import Path
import re

_ITEMS = re.compile(r'(?:\\:|[^:])+')  # separated by colons that have no backslash before them


def user_path(text: str | os.PathLike[str]) -> Path:
    """
    Return a path with `~` and `~user` replaced by the home that they stand for.

    No shell does that in `--map=~/x`, and none ever sees a parameter file.

    :raise ValueError: there is no such home
    """
    try:
        return Path(text).expanduser()
    except RuntimeError as error:
        raise ValueError(f'{str(text)!r} cannot be expanded: {error}') from error


def user_cache() -> Path:
    """
    Return the folder for what can be made again: `ssd_ros` in XDG_CACHE_HOME or `~/.cache`.

    :raise ValueError: there is no home
    """
    given = Path(os.environ.get('XDG_CACHE_HOME', ''))
    return (given if given.is_absolute() else user_path('~/.cache')) / 'ssd_ros'


def user_paths(text: str) -> list[Path]:
    r"""
    Return the paths of a list separated by colons, likewise expanded.

    A colon that belongs to a name is written `\:`; it need not be where the whole text is the
    path of something that exists.

    :raise ValueError: there is no such home
    """
    if text and _exists(user_path(text)):
        return [user_path(text)]
    return [user_path(item.replace('\\:', ':')) for item in _ITEMS.findall(text)]


def listed(paths: Iterable[Path]) -> str:
    """Return paths as user_paths takes them, wherever it is called."""
    return ':'.join(str(path.absolute()).replace(':', '\\:') for path in paths)


def _exists(path: Path) -> bool:
    try:
        return path.exists()
    except (OSError, ValueError):  # a list longer than any name, a null character
        return False
