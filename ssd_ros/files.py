# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Files that are whole or absent: write beside, flush to disk, rename."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager, suppress
import ctypes
import errno
import fcntl
import hashlib
import logging
import os
from pathlib import Path
import shutil
import tempfile
from typing import BinaryIO

_logger = logging.getLogger(__name__)

Check = Callable[[Path], None]

_NAME_CHARACTERS = 50  # of a temporary name; four bytes each, of 255
_AT_FDCWD = -100  # linux/fcntl.h: a relative path starts at the working directory
_RENAME_EXCHANGE = 2  # linux/fs.h
# What a kernel or a file system answers that cannot exchange two directories.
_CANNOT_EXCHANGE = {errno.ENOSYS, errno.EINVAL, errno.EXDEV, errno.EOPNOTSUPP}
_NO_ROOM = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}
_CANNOT_RESERVE = {errno.ENOSYS, errno.EINVAL, errno.EOPNOTSUPP}


def reserve(file: BinaryIO, num_bytes: int) -> None:
    """
    Take the room on disk that a file will need, where the file system can.

    :raise OSError: there is not so much
    """
    try:
        os.posix_fallocate(file.fileno(), 0, num_bytes)
    except OSError as error:
        if error.errno not in _CANNOT_RESERVE:
            raise


class FullDiskError(OSError):
    """There is no room for a file, whose name the error has."""


@contextmanager
def full_disk_named(path: Path) -> Iterator[None]:
    """
    Say in the errors of a full disk what was being written, which the system leaves out.

    :raise FullDiskError: instead of them
    """
    try:
        yield
    except OSError as error:
        if error.errno not in _NO_ROOM or error.filename is not None:
            raise
        raise FullDiskError(error.errno, error.strerror, str(path)) from error


def _no_check(path: Path) -> None:
    """Replace whatever stands there."""


def sha256_of(path: Path) -> str:
    """Return the SHA-256 of a file's bytes as 64 hexadecimal digits."""
    digest = hashlib.sha256()
    with path.open('rb') as file:
        while block := file.read(1 << 20):
            digest.update(block)
    return digest.hexdigest()


@contextmanager
def file_written_atomically(path: Path, check: Check = _no_check) -> Iterator[BinaryIO]:
    """
    Yield a file to write to, which takes its place when the block succeeds.

    What stood there stays for good if the block raises.

    :param check: raises if what stands at a path must stay; asked first, of what was written, and
        again at the end
    """
    check(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    descriptor, temporary = tempfile.mkstemp(
        prefix=f'.{path.name[:_NAME_CHARACTERS]}.', dir=path.parent
    )
    try:
        with full_disk_named(path), os.fdopen(descriptor, 'wb') as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        Path(temporary).chmod(0o666 & ~_umask())
        check(Path(temporary))  # or a second run would refuse to replace it
        check(path)
        Path(temporary).replace(path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise
    _flush(path.parent)


@contextmanager
def directory_written_atomically(path: Path, check: Check = _no_check) -> Iterator[Path]:
    """
    Yield an empty directory beside `path` that takes its place when the block succeeds.

    What stood at `path` stays untouched until then, and stays for good if the block raises. A
    link is followed: what it points at is replaced. What was put into the old directory since the
    last check is kept beside the new one.

    :param check: see file_written_atomically
    :raise NotADirectoryError: something else stands at `path`
    """
    path = path.resolve()
    check(path)
    if path.exists() and not path.is_dir():
        raise NotADirectoryError(f'{path} exists and is not a directory')
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = Path(tempfile.mkdtemp(prefix=f'.{path.name[:_NAME_CHARACTERS]}.', dir=path.parent))
    try:
        temporary.chmod(0o777 & ~_umask())
        with full_disk_named(path):
            yield temporary
        for file in temporary.rglob('*'):
            _flush(file)
        _flush(temporary)
        check(temporary)
        old = [entry.relative_to(path) for entry in path.rglob('*')]
        check(path)
        retired = _take_place(temporary, path)
    except BaseException:
        shutil.rmtree(temporary, ignore_errors=True)
        raise
    _remove(retired, old)
    _flush(path.parent)


@contextmanager
def locked(path: Path, what: str) -> Iterator[None]:
    """
    Keep other commands that ask likewise from a directory, until the block or the process ends.

    :param what: it is, for the message
    :raise BlockingIOError: another one has it
    :raise OSError: it cannot be opened
    """
    descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        os.close(descriptor)
        text = f'{path} is {what} that another command is changing: wait until it has ended'
        raise BlockingIOError(text) from error
    except OSError as error:  # of a file system without locks
        _logger.warning('%s cannot be locked: %s', path, error.strerror)
    try:
        yield
    finally:
        os.close(descriptor)


def _take_place(new: Path, path: Path) -> Path:
    """Put a directory at a path, and return where that which stood there, if anything, is now."""
    retired = new
    if not path.exists():
        new.replace(path)
    elif not _exchange(new, path):
        # Between these two renames nothing stands at the path; a kill there leaves the old
        # directory under its second name.
        retired = new.with_name(new.name + '.old')
        path.replace(retired)
        try:
            new.replace(path)
        except BaseException:
            retired.replace(path)
            raise
    return retired


def _remove(directory: Path, entries: Collection[Path]) -> None:
    """Remove these entries and then the directory, unless it holds others."""
    if not directory.exists():
        return
    for entry in sorted(entries, reverse=True):  # what is in a folder before the folder
        path = directory / entry
        with suppress(OSError):
            path.rmdir() if path.is_dir() and not path.is_symlink() else path.unlink()
    try:
        directory.rmdir()
    except OSError as error:
        _logger.warning('what could not be removed is kept in %s: %s', directory, error.strerror)


def _exchange(first: Path, second: Path) -> bool:
    """Swap two directories in one step (Linux renameat2); return False if that is not offered."""
    renameat2 = getattr(ctypes.CDLL(None, use_errno=True), 'renameat2', None)
    if renameat2 is None:  # not Linux, or a C library older than 2018
        return False
    names = os.fsencode(first), os.fsencode(second)
    if renameat2(_AT_FDCWD, names[0], _AT_FDCWD, names[1], ctypes.c_uint(_RENAME_EXCHANGE)) == 0:
        return True
    number = ctypes.get_errno()
    if number in _CANNOT_EXCHANGE:
        return False
    raise OSError(number, os.strerror(number), str(second))


def _flush(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask
