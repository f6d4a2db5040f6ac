# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""
What the launch file makes of its arguments, without launch.

launch keeps every `name:=value` and says nothing of one that nobody asks for: a slip would start
the node with the default.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from difflib import get_close_matches
import itertools
from pathlib import Path

# Arguments of launch itself, for every process that it starts.
_OF_LAUNCH = ('launch-prefix', 'launch-prefix-filter', 'sigterm_timeout', 'sigkill_timeout')
_TRUE, _FALSE = ('true', '1', 'yes', 'on'), ('false', '0', 'no', 'off')


def refuse_unknown(
    arguments: Iterable[str],
    known: Collection[str],
    command: Sequence[str],
    configured: Collection[str],
    file: Path,
) -> None:
    """
    Refuse misspelt arguments of the command line.

    A launch file that includes ours may have arguments of its own there: they are let pass.

    :param arguments: `name:=value` of the command line
    :param command: the whole command line
    :param configured: names that have a value before ours are declared
    :param file: our launch file
    :raise ValueError: one is not known
    """
    given = [argument.partition(':=')[0] for argument in arguments]
    is_ours = _is_named(command, file)
    if is_ours is None:  # no command line of launch: without a file around ours these are all
        is_ours = set(configured) <= set(given)
    for name in given if is_ours else []:
        if name not in known and name not in _OF_LAUNCH:
            near = get_close_matches(name, known, 1)
            hint = f'did you mean {near[0]}?' if near else f'known are {", ".join(known)}'
            raise ValueError(f'unknown launch argument {name}; {hint}')


def _is_named(command: Sequence[str], file: Path) -> bool | None:
    """Return whether `ros2 launch` was given our file; None if it is another program."""
    words = [word for word in command[1:] if ':=' not in word]
    if 'launch' not in [Path(command[0]).name, *words]:
        return None
    pairs = itertools.pairwise(['', *words])
    return any(_is_same(package, name, file) for package, name in pairs)


def _is_same(package: str, name: str, file: Path) -> bool:
    path = Path(name)
    if path.is_file():
        return path.samefile(file)
    return package == 'ssd_ros' and path.name == file.name


def items_of(text: str) -> list[str]:
    """Return the items of `a, b` or `[a, b]`; of nothing, one empty text, which is none."""
    inner = text.strip().removeprefix('[').removesuffix(']')
    items = [item.strip().strip('\'"') for item in inner.split(',')]
    return list(filter(None, items)) or ['']


def switch_of(name: str, text: str) -> bool:
    """
    Return what an argument says that is true or false.

    :raise ValueError: it says neither
    """
    word = text.strip().lower()
    if word not in _TRUE + _FALSE:
        raise ValueError(f'{name}:={text} is neither true nor false')
    return word in _TRUE


def file_of(name: str, text: str) -> str:
    """
    Return the path of a file that is there.

    :raise ValueError: it is not
    """
    path = Path(text).expanduser()
    if not path.is_file():
        raise ValueError(f'{name}:={text}: there is no such file (from {Path.cwd()})')
    return str(path)


def choice_of(name: str, text: str, choices: Sequence[str]) -> str:
    """
    Return one of a few words.

    :raise ValueError: it is none of them
    """
    if text.lower() not in choices:
        raise ValueError(f'{name}:={text}; choose from {", ".join(choices)}')
    return text.lower()
