# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""
Where files and folders may be written: what is the user's is never deleted.

One rule for every writer: what stands at a path is replaced only if it says itself that this
package made it, a file by its mark, a folder by its description and by holding nothing else. All
else is refused by name, before the work begins and once more before the exchange.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import AbstractContextManager
from functools import partial
import os
from pathlib import Path
import re
import tempfile
from typing import Any, BinaryIO, NamedTuple

from ssd_ros import __version__
from ssd_ros.files import directory_written_atomically, file_written_atomically
from ssd_ros.records import json_text

GENERATOR = f'made by ssd_ros {__version__}'
MARK = rb'made by ssd_ros \d'
BY_NAME = b''  # the mark of files whose names have the digest of what they hold
ELSEWHERE = 'choose another place, or move away what is there'
_LOOK_BYTES = 1 << 14  # at both ends of a file


class TargetError(ValueError):
    """A place that must not or cannot be written to, with the reason and the way out."""


class FolderKind(NamedTuple):
    """
    A kind of folder that is written as a whole.

    :param what: such as `a map`
    :param own_files: returns the files of such a folder, relative to it; raises ValueError if it
        is none
    """

    what: str
    own_files: Callable[[Path], Collection[str]]


def check_file(path: Path, mark: bytes = MARK) -> None:
    """
    Refuse to write a file where something of the user's stands, or where none can be written.

    :param mark: regular expression for what our files of this kind have near their beginning or
        end
    :raise TargetError: what stands there is no file or lacks the mark, or nothing can be written
    """
    path = _resolved(path)
    if path.is_dir():
        raise TargetError(f'{path} is a folder, expected the name of a file')
    if path.exists() and not path.is_file():
        raise TargetError(f'{path} is a device or a pipe, expected the name of a file')
    if path.exists() and not _has_mark(path, mark):
        raise TargetError(f'{path} exists and was not made by ssd_ros: {ELSEWHERE}')
    _check_writable(path, path.parent)


def check_files(paths: Collection[Path | None], mark: bytes = MARK) -> None:
    """
    Check several files, those left out by None, likewise.

    :raise TargetError: one may not be written, or two are the same
    """
    for path in paths:
        if path is not None:
            check_file(path, mark)
    check_distinct(paths)


def check_distinct(paths: Collection[Path | None]) -> None:
    """
    Refuse two outputs of one name, whatever their marks.

    :raise TargetError: one is given twice
    """
    given = [path for path in paths if path is not None]
    for number, path in enumerate(given):
        if path.resolve() in [other.resolve() for other in given[:number]]:
            raise TargetError(f'{path} is given twice: each file needs a name of its own')


def check_folder(path: Path, kind: FolderKind) -> None:
    """
    Refuse to write a folder where something stands that is not wholly ours.

    :raise TargetError: what stands there is neither empty nor of this kind alone, or nothing can
        be written
    """
    path = _resolved(path)
    if path.exists() and not path.is_dir():
        raise TargetError(f'{path} exists and is not {kind.what}: {ELSEWHERE}')
    if path.is_mount():
        raise TargetError(f'{path} is a mount point, which stays: choose a name below it')
    if path.is_dir() and any(path.iterdir()):
        _check_own(path, kind)
    _check_writable(path, path.parent)


def check_working_folder(path: Path) -> None:
    """
    Refuse a folder that files are to be added to, if that cannot be done.

    :raise TargetError: a file stands there, or nothing can be written
    """
    path = _resolved(path)
    if path.exists() and not path.is_dir():
        raise TargetError(f'{path} is a file, expected the name of a folder: {ELSEWHERE}')
    _check_writable(path, path)


def write_file(path: Path, data: bytes, mark: bytes = MARK) -> None:
    """
    Write a file that carries its mark, whole or not at all.

    :raise TargetError: see check_file
    """
    with file_written(path, mark) as file:
        file.write(data)


def write_json(
    path: Path, values: Mapping[str, Any], indent: int | None = 1, mark: bytes = MARK
) -> None:
    """Write an object as JSON that says who made it; NaN becomes null."""
    text = json_text({'generator': GENERATOR, **values}, indent)
    write_file(path, f'{text}\n'.encode(), mark)


def write_own_json(path: Path, values: Mapping[str, Any]) -> None:
    """Write likewise what nobody but this user can write: see `is_own` of read_json."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    write_json(path, values)
    path.chmod(0o600)


def write_markdown(path: Path, text: str) -> None:
    """Write a document that says in a comment who made it."""
    write_file(path, f'<!-- {GENERATOR} -->\n\n{text}'.encode())


def file_written(path: Path, mark: bytes = MARK) -> AbstractContextManager[BinaryIO]:
    """Yield a file that takes its place when the block succeeds; see check_file."""
    return file_written_atomically(_resolved(path), partial(check_file, mark=mark))


def folder_written(path: Path, kind: FolderKind) -> AbstractContextManager[Path]:
    """Yield an empty folder that takes its place when the block succeeds; see check_folder."""
    return directory_written_atomically(path, partial(check_folder, kind=kind))


def remove_file(path: Path, mark: bytes = MARK) -> None:
    """
    Remove a file of ours, if it is there.

    :raise TargetError: see check_file
    """
    check_file(path, mark)
    path.unlink(missing_ok=True)


def remove_others(path: Path, kind: FolderKind, kept: Collection[str]) -> None:
    """
    Remove from a folder of ours the files that are not among some of its own.

    :param kept: relative to it
    :raise TargetError: see check_folder
    """
    check_folder(path, kind)
    for name in set(kind.own_files(path)) - set(kept):
        (path / name).unlink(missing_ok=True)


def _resolved(path: Path) -> Path:
    """Return where a path leads, so that a link is kept and what it points at is replaced."""
    try:
        path = path.resolve()
        path.exists()  # raises if the name is too long or a folder above may not be looked into
    except (OSError, RuntimeError) as error:
        raise TargetError(f'{path} cannot be written: {_reason(error)}') from error
    return path


def _has_mark(path: Path, mark: bytes) -> bool:
    with path.open('rb') as file:
        ends = file.read(_LOOK_BYTES)
        file.seek(max(len(ends), path.stat().st_size - _LOOK_BYTES))
        ends += file.read(_LOOK_BYTES)
    return not ends or re.search(mark, ends) is not None


def _check_own(path: Path, kind: FolderKind) -> None:
    try:
        own = set(kind.own_files(path))
    except (OSError, ValueError) as error:
        raise TargetError(
            f'{path} exists and is not {kind.what}: {ELSEWHERE} ({error})'
        ) from error
    folders = {str(parent) for name in own for parent in Path(name).parents}
    for name, is_file in _entries(path):
        if name not in (own if is_file else folders):
            raise TargetError(f'{path} holds {name!r} beside {kind.what}: {ELSEWHERE}')


def _entries(path: Path) -> Iterator[tuple[str, bool]]:
    """Yield all names below a folder, in order, and whether each is a file; a link is neither."""
    for folder, folders, files in os.walk(path):
        for name in sorted([*folders, *files]):
            entry = Path(folder, name)
            relative = str(entry.relative_to(path))
            yield (f'{relative} (a link)' if entry.is_symlink() else relative), entry.is_file()


def _check_writable(path: Path, folder: Path) -> None:
    while not folder.exists():
        folder = folder.parent
    try:
        if not folder.is_dir():
            raise NotADirectoryError(f'{folder} is no folder')
        tempfile.TemporaryFile(dir=folder).close()  # permissions do not tell all
    except OSError as error:
        raise TargetError(
            f'{path} cannot be written: {_reason(error)}: choose another place'
        ) from error


def _reason(error: Exception) -> str:
    return getattr(error, 'strerror', None) or str(error)
