# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""
Check what is left and said when a file cannot become as large as it must.

The limit on the size of a file that every process can set for itself stands for the full disk: the
system refuses at the same place, with another number.
"""

from __future__ import annotations

from pathlib import Path
import subprocess
import sys

import numpy as np
import pytest
from ssd_ros.files import full_disk_named
from ssd_ros.maps.builder import build_database
from ssd_ros.maps.files import read_map, write_map
from support.posts import small_encoder, straight_drive

ROOT = Path(__file__).parents[1]

# Arguments: what to write, where, and how many bytes a file may have.
WRITER = """
from pathlib import Path
import resource, sys
import numpy as np
from ssd_ros.datasets.bags.rosbag2_writer import write_rosbag2
from ssd_ros.evaluation.bev_cache import cache_drive, Spacing
from ssd_ros.files import file_written_atomically
from ssd_ros.maps.files import read_map, write_map
from ssd_ros.targets import write_file
sys.path.append('test')
from support.drives.in_memory import drive
from support.drives.tiny import StraightDrive, TINY_PREPROCESSING

def write_archive(path):
    with file_written_atomically(path) as file:
        np.savez_compressed(file, noise=np.random.default_rng(0).bytes(100_000))

path = Path(sys.argv[2])
content = read_map(path.with_name('map'))
write = {
    'map': lambda: write_map(path, content),
    'bytes': lambda: write_file(path, bytes(100_000)),
    'archive': lambda: write_archive(path),
    'cache': lambda: cache_drive(
        StraightDrive('Town/01', 40, 0), path, TINY_PREPROCESSING, Spacing(1.0, 1.0)
    ),
    'sqlite3': lambda: write_rosbag2(path, drive(), 'sqlite3'),
    'mcap': lambda: write_rosbag2(path, drive(), 'mcap'),
}[sys.argv[1]]
limit = int(sys.argv[3])
resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))
try:
    write()
except OSError as error:
    print(error)
"""


@pytest.mark.parametrize('what', ['map', 'bytes', 'archive', 'cache', 'sqlite3', 'mcap'])
def test_what_finds_no_room_says_so_by_name_and_leaves_nothing(tmp_path: Path, what: str) -> None:
    encoder = small_encoder(tmp_path, 'spinning')
    build_database(straight_drive(num=3), encoder).save(tmp_path / 'map')
    before = sorted(tmp_path.iterdir())
    path = tmp_path / 'new'
    command = [sys.executable, '-c', WRITER, what, str(path), '20000']
    result = subprocess.run(command, capture_output=True, text=True, cwd=ROOT, timeout=120)
    assert result.returncode == 0, result.stderr[-2000:]
    assert str(path) in result.stdout
    cause = 'disk' if what == 'sqlite3' else 'File too large'
    assert cause in result.stdout
    assert sorted(tmp_path.iterdir()) == before


COMPANION = """
from pathlib import Path
import resource, sys
from ssd_ros.ros.companions.json_lines import ANSWERS_MARK, JsonLines
from ssd_ros.ros.node.run import run

def body():
    resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))
    with JsonLines(Path(sys.argv[1]), ANSWERS_MARK) as lines:
        lines.write({'event': 'matched'})
        while True:
            lines.write({'stamp_ns': 1})

sys.exit(run('collector', body, []))
"""


def test_a_companion_that_finds_no_room_says_so_in_a_line_and_keeps_what_it_has(
    tmp_path: Path,
) -> None:
    path = tmp_path / 'answers.jsonl'
    command = [sys.executable, '-c', COMPANION, str(path)]
    result = subprocess.run(command, capture_output=True, text=True, cwd=ROOT, timeout=120)
    assert result.returncode == 1
    assert result.stderr == f"collector: [Errno 27] File too large: '{path}'\n"
    assert path.read_text().startswith('{"event": "matched"}\n{"stamp_ns": 1}\n')
    assert path.stat().st_size == 1000


def test_a_full_disk_is_named_and_other_errors_stay(tmp_path: Path) -> None:
    with (
        pytest.raises(OSError, match=r"No space left on device: '.*/map'"),
        full_disk_named(tmp_path / 'map'),
        Path('/dev/full').open('wb', buffering=0) as full,
    ):
        full.write(b'1')
    with pytest.raises(FileNotFoundError, match='absent'), full_disk_named(tmp_path / 'map'):
        (tmp_path / 'absent').read_bytes()


# Copies one map over another without end, as `cp` does: every file is cut to nothing first.
COPIER = """
import shutil, sys
while True:
    for source in sys.argv[1:3]:
        shutil.copytree(source, sys.argv[3], dirs_exist_ok=True)
"""
READER = """
from pathlib import Path
import sys
from ssd_ros.maps.files import read_map
for _ in range(400):
    try:
        print(read_map(Path(sys.argv[1])).info.source)
    except (ValueError, OSError) as error:
        print('refused', error)
"""


def test_a_map_that_is_copied_over_while_it_is_read_is_one_of_both_or_refused(
    tmp_path: Path,
) -> None:
    whole = build_database(straight_drive(num=3), small_encoder(tmp_path, 'spinning'))
    for name in ('one', 'two'):
        whole.save(tmp_path / name)
        content = read_map(tmp_path / name)
        object.__setattr__(content.info, 'source', name)
        write_map(tmp_path / name, content)
    whole.save(tmp_path / 'copy')
    places = [str(tmp_path / name) for name in ('one', 'two', 'copy')]
    copier = subprocess.Popen([sys.executable, '-c', COPIER, *places])
    try:
        command = [sys.executable, '-c', READER, places[2]]
        result = subprocess.run(command, capture_output=True, text=True, cwd=ROOT, timeout=120)
    finally:
        copier.kill()
        copier.wait()
    assert result.returncode == 0, result.stderr[-2000:]
    lines = result.stdout.splitlines()
    assert len(lines) == 400
    assert {line.split()[0] for line in lines} <= {'one', 'two', 'refused', whole.info.source}
    assert np.count_nonzero([line.startswith('refused') for line in lines]) > 0
