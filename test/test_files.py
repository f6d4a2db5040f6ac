# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Check that files and directories are whole or absent, whatever interrupts the writer."""

from __future__ import annotations

import os
from pathlib import Path
import signal
import subprocess
import sys
import threading
import time

import pytest
from ssd_ros import files
from ssd_ros.files import directory_written_atomically, file_written_atomically, sha256_of

ROOT = Path(__file__).parents[1]

# Writes directories whose three files all hold the number of the round.
ENDLESS_WRITER = """
from itertools import count
from pathlib import Path
import sys
from ssd_ros.files import directory_written_atomically
for number in count(1):
    with directory_written_atomically(Path(sys.argv[1])) as directory:
        for name in 'abc':
            (directory / name).write_text(str(number) * 1000)
    print(number, flush=True)
"""


def write_directory(path: Path, text: str) -> None:
    with directory_written_atomically(path) as directory:
        for name in 'abc':
            (directory / name).write_text(text)


def contents(path: Path) -> set[str]:
    return {file.read_text() for file in path.iterdir()}


def test_the_digest_of_abc_is_the_published_one(tmp_path: Path) -> None:
    path = tmp_path / 'abc'
    path.write_bytes(b'abc')
    assert sha256_of(path).startswith('ba7816bf8f01cfea414140de5dae2223')


def test_a_file_is_replaced_and_readable_by_others(tmp_path: Path) -> None:
    path = tmp_path / 'new' / 'file'
    for content in (b'old', b'new'):
        with file_written_atomically(path) as file:
            file.write(content)
    assert path.read_bytes() == b'new'
    mask = os.umask(0)
    os.umask(mask)
    assert path.stat().st_mode & 0o777 == 0o666 & ~mask
    assert [file.name for file in path.parent.iterdir()] == ['file']


def test_a_directory_is_replaced_and_nothing_is_left_beside_it(tmp_path: Path) -> None:
    path = tmp_path / 'map'
    write_directory(path, 'old')
    write_directory(path, 'new')
    assert contents(path) == {'new'}
    assert [entry.name for entry in tmp_path.iterdir()] == ['map']


def test_an_error_in_the_block_leaves_the_old_directory(tmp_path: Path) -> None:
    path = tmp_path / 'map'
    write_directory(path, 'old')

    def write_half() -> None:
        with directory_written_atomically(path) as directory:
            (directory / 'a').write_text('half')
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write_half()
    assert contents(path) == {'old'}
    assert [entry.name for entry in tmp_path.iterdir()] == ['map']


def test_a_link_keeps_pointing_at_the_new_content(tmp_path: Path) -> None:
    write_directory(tmp_path / 'map_1', 'old')
    link = tmp_path / 'map'
    link.symlink_to('map_1')
    write_directory(link, 'new')
    assert link.is_symlink()
    assert contents(tmp_path / 'map_1') == {'new'}


def test_a_file_in_the_way_is_refused_and_kept(tmp_path: Path) -> None:
    path = tmp_path / 'map'
    path.write_text('a file')
    with pytest.raises(NotADirectoryError, match='map exists and is not a directory'):
        write_directory(path, 'new')
    assert path.read_text() == 'a file'


def test_without_the_exchange_two_renames_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(files, '_exchange', lambda first, second: False)
    path = tmp_path / 'map'
    write_directory(path, 'old')
    write_directory(path, 'new')
    assert contents(path) == {'new'}
    assert [entry.name for entry in tmp_path.iterdir()] == ['map']


def test_a_failed_exchange_names_the_path(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match='absent'):
        files._exchange(tmp_path, tmp_path / 'absent')


@pytest.mark.skipif(sys.platform != 'linux', reason='only Linux exchanges directories')
def test_no_reader_ever_finds_the_path_empty(tmp_path: Path) -> None:
    path = tmp_path / 'map'
    write_directory(path, '0')
    done = threading.Event()
    absent = 0

    def look() -> None:
        nonlocal absent
        while not done.is_set():
            absent += not path.exists()

    reader = threading.Thread(target=look)
    reader.start()
    for number in range(30):
        write_directory(path, str(number))
    done.set()
    reader.join()
    assert absent == 0


def test_a_writer_killed_at_any_moment_leaves_a_whole_directory(tmp_path: Path) -> None:
    path = tmp_path / 'map'
    last = 0
    for delay_s in (0.0, 0.001, 0.002, 0.004, 0.007, 0.011, 0.016):
        command = [sys.executable, '-c', ENDLESS_WRITER, str(path)]
        writer = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=ROOT)
        assert writer.stdout is not None
        for _ in range(2):
            last = int(writer.stdout.readline())
        time.sleep(delay_s)
        writer.send_signal(signal.SIGKILL)
        writer.wait()
        writer.stdout.close()
        texts = contents(path)
        assert sorted(file.name for file in path.iterdir()) == ['a', 'b', 'c']
        assert len(texts) == 1
        text = texts.pop()
        assert int(text[: len(text) // 1000]) >= last
