# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Which files make up a recording of ROS 1 or ROS 2, and what helps where one cannot be read."""

from __future__ import annotations

from contextlib import ExitStack
import importlib
from pathlib import Path
import re
import tempfile
from typing import Any

from rosbags.rosbag1 import Reader as Reader1
from rosbags.rosbag2 import Reader as Reader2
import yaml

SUFFIXES = ('.bag', '.mcap', '.db3')
_COMPRESSED = ('.zstd', '.zst')
_ZSTD = (
    'compression.zstd',
    'backports.zstd',
    'zstandard',
)  # by the versions of Python and rosbags
_MCAP_MAGIC = b'\x89MCAP0\r\n'
_MAX_EXPANSION = 1000  # by decompression: no recording is packed as tightly
_BLOCK_BYTES = 1 << 20


def is_recording(path: Path) -> bool:
    """Return whether a path is a file of a recording, or a folder that holds one directly."""
    if path.is_dir():
        return (path / 'metadata.yaml').exists() or bool(_files_in(path))
    return _suffix_of(path) in SUFFIXES


def open_readers(path: Path, opened: ExitStack) -> list[Any]:
    """
    Open a recording: a file, a folder with metadata.yaml, or one without it.

    :param opened: closes the readers
    :return: readers of rosbags, Reader1 or Reader2, one for each file or folder
    :raise ValueError: it is unfinished or of another kind, or the files are several recordings
    """
    readers: list[Any] = []
    for part in _parts_of(path):
        whole = _decompressed(part, opened) if part.suffix.lower() in _COMPRESSED else part
        for file in sorted(whole.iterdir()) if whole.is_dir() else [whole]:
            _refuse_unfinished(file, part if file is whole else file)
        reader = Reader1(whole) if _suffix_of(whole) == '.bag' else Reader2(whole)
        reader.open()
        opened.callback(reader.close)
        readers.append(reader)
    return readers


def way_out(path: Path) -> str:
    """Return what may make a damaged recording readable, for the end of an error's text."""
    match _suffix_of(path):
        case '.bag':
            return f'`rosbag reindex {path}` may help'
        case '.mcap':
            return f'`mcap recover {path} -o RECOVERED.mcap` may save what is whole'
        case '.db3':
            return f'`sqlite3 {path} .recover` may save what is whole'
    return f'`ros2 bag reindex {path}` may help'


def _suffix_of(path: Path) -> str:
    """Return the suffix in lower case, of `a.mcap.zstd` and `a.bag.active` the one before."""
    name = path.name.lower()
    for suffix in (*_COMPRESSED, '.active'):
        name = name.removesuffix(suffix)
    return Path(name).suffix


def _parts_of(path: Path) -> list[Path]:
    """Return what to open in order of time; a folder that describes itself is one part."""
    if not path.is_dir() or _describes_itself(path):
        return [path]
    files = _files_in(path)
    numbers = [re.search(r'_(\d+)\.', path.name) for path in files]
    if len(files) > 1 and [int(found[1]) for found in numbers if found] != [*range(len(files))]:
        raise ValueError(
            f'{path} has no metadata.yaml that describes it, and its {len(files)} files, '
            f'{files[0].name} to {files[-1].name}, are not numbered _0, _1, _2 ... as parts of '
            f'one recording: name one of them, or run `ros2 bag reindex {path}`'
        )
    return files or [path]


def _describes_itself(folder: Path) -> bool:
    """
    Return whether metadata.yaml is there and says enough.

    A recorder that was killed leaves one without topics, and some tools one without a storage.
    """
    file = folder / 'metadata.yaml'
    if not file.exists():
        return False
    try:
        content = yaml.safe_load(file.read_text())['rosbag2_bagfile_information']
        return bool(content['storage_identifier'] and content['topics_with_message_count'])
    except (KeyError, TypeError, UnicodeDecodeError, yaml.YAMLError):
        return True  # rosbags says what is wrong


def _files_in(folder: Path) -> list[Path]:
    """Return the files of a recording in a folder in natural order: _2 before _10."""
    files = [
        path
        for path in folder.iterdir()
        if _suffix_of(path) in SUFFIXES and not path.name.startswith('.') and path.is_file()
    ]
    if len({_suffix_of(path) for path in files}) > 1:
        names = sorted(path.name for path in files)
        raise ValueError(f'{folder} holds recordings of several kinds, {names[:10]}: name one')
    return sorted(files, key=_natural)


def _natural(path: Path) -> list[tuple[int, str]]:
    parts = re.split(r'(\d+)', path.name)
    return [(int(part) if part.isdigit() else -1, part) for part in parts]


def _refuse_unfinished(whole: Path, named: Path) -> None:
    """Refuse what rosbags would read in part or call by a name that helps nobody."""
    suffix = whole.suffix.lower()
    if suffix not in SUFFIXES or not (whole.is_file() and whole.stat().st_size):
        return
    log = whole.with_name(whole.name + '-wal')
    if suffix == '.db3' and log.is_file() and log.stat().st_size:
        raise ValueError(
            f'{named} was not finished: part of it is still in {log.name}; join them with '
            f"`sqlite3 {named} 'PRAGMA wal_checkpoint(TRUNCATE)'`"
        )
    if suffix == '.mcap':
        with whole.open('rb') as file:
            begin = file.read(256)
            file.seek(max(0, whole.stat().st_size - len(_MCAP_MAGIC)))
            end = file.read()
        if begin.startswith(_MCAP_MAGIC) and end != _MCAP_MAGIC:
            raise ValueError(
                f'{named} was not finished, as when the recorder is killed or a copy is cut off: '
                f'`mcap recover {named} -o RECOVERED.mcap` saves what is whole'
            )
        # Magic, opcode and length of the header record, length of the profile, profile.
        if begin.startswith(_MCAP_MAGIC) and begin[21:25] == b'ros1':
            raise ValueError(
                f'{named} holds messages of ROS 1 in MCAP, which cannot be read: give the .bag '
                'that it was made of'
            )


def _decompressed(file: Path, opened: ExitStack) -> Path:
    """Return the content of a file in a temporary folder."""
    whole = Path(opened.enter_context(tempfile.TemporaryDirectory())) / file.stem
    left = _MAX_EXPANSION * file.stat().st_size
    with _zstd().open(file, 'rb') as packed, whole.open('wb') as unpacked:
        while block := packed.read(_BLOCK_BYTES):
            left -= len(block)
            if left < 0:
                raise ValueError(f'{file} becomes more than {_MAX_EXPANSION} times its size')
            unpacked.write(block)
    return whole


def _zstd() -> Any:
    """Return the module of whichever library rosbags brings."""
    for name in _ZSTD:
        try:
            return importlib.import_module(name)
        except ModuleNotFoundError:
            continue
    raise ValueError('no library for zstd is installed: decompress the file with `zstd -d`')
