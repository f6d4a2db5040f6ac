# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Check for every command that what cannot or must not be written is refused before the work."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest
from ssd_ros.cli.main import main
from ssd_ros.targets import MARK

# The inputs are nowhere: a command that read them first would say so.
BENCHMARK = ['--benchmark', 'unit']
DRIVES = ['--map', 'nowhere', '--queries', 'nowhere']
FILES = [
    ['evaluate', *DRIVES, '--json', '{}'],
    ['evaluate', *DRIVES, '--markdown', '{}'],
    ['evaluate', *DRIVES, '--html', '{}'],
    ['replay', '--input', 'nowhere', '--map', 'nowhere', '--csv', '{}'],
    ['replay', '--input', 'nowhere', '--map', 'nowhere', '--json', '{}'],
    ['replay', '--input', 'nowhere', '--map', 'nowhere', '--html', '{}'],
    ['doctor', 'nowhere', '--write', '{}'],
    ['doctor', 'nowhere', '--picture', '{}'],
    ['quickstart', '--map', 'nowhere', '--write', '{}'],
    ['simulate', 'preview', '--out', '{}'],
    ['contract', 'nowhere', '--sensor', '4d', '--out', '{}'],
    ['trust', *BENCHMARK, '--out', 'work', '--fit', '{}'],
]
FOLDERS = [
    ['build_db', '--input', 'nowhere', '--output', '{}'],
    ['map', 'add', 'nowhere', 'nowhere', '--output', '{}'],
    ['map', 'drop', 'nowhere', '--day', '2026-03-01', '--output', '{}'],
    ['map', 'merge', 'nowhere', 'nowhere', '--output', '{}'],
    ['trust', *BENCHMARK, '--out', 'work', '--report', '{}/report'],
    ['trust', *BENCHMARK, '--out', '{}'],
    ['cache', '--drives', 'nowhere', '--world', 'W', '--out', '{}'],
    ['compare', '--cache', 'nowhere', '--out', '{}'],
    ['simulate', 'generate', '--preset', 'unit', '--out', '{}'],
    ['demo', '--preset', 'unit', '--output', '{}'],
    ['pose_graph_demo', '--preset', 'unit', '--output', '{}'],
    ['soak', '--output', '{}'],
    ['train', '--cache', 'nowhere', '--out', '{}'],
    ['ablate', '--cache', 'nowhere', '--out', '{}'],
    ['export', '--cache', 'nowhere', '--run', 'nowhere', '--out', '{}'],
    ['distill_4dral', '--cache', 'nowhere', '--out', '{}'],
]
# Files that a command writes into its folder, and what stands there instead.
IN_THE_WAY = [
    (['trust', *BENCHMARK, '--out', 'work', '--report', '{}/README'], 'README.md'),
    (['compare', '--cache', 'nowhere', '--out', '{}'], 'compare.html'),
    (['compare', '--cache', 'nowhere', '--out', '{}'], 'rows'),
    (['simulate', 'generate', '--preset', 'unit', '--out', '{}'], 'Sim_Town_4000/01/notes'),
    (
        ['simulate', 'generate', '--preset', 'unit', '--out', '{}'],
        'Sim_Town_4000/02/sim_meta.json',
    ),
    (['demo', '--preset', 'unit', '--output', '{}'], 'bag/my_recording_0.db3'),
    (['demo', '--preset', 'unit', '--output', '{}', '--fresh'], 'bag/metadata.yaml'),
    (['demo', '--preset', 'unit', '--output', '{}', '--fresh'], 'map/meta.json'),
    (['demo', '--preset', 'unit', '--output', '{}'], 'answers.jsonl'),
    (['demo', '--preset', 'unit', '--output', '{}'], 'published.jsonl'),
    (['demo', '--preset', 'unit', '--output', '{}'], 'demo.png'),
    (['pose_graph_demo', '--preset', 'unit', '--output', '{}', '--fresh'], 'bag/x.mcap'),
    (['pose_graph_demo', '--preset', 'unit', '--output', '{}', '--fresh'], 'drive.json'),
    (['pose_graph_demo', '--preset', 'unit', '--output', '{}'], 'odometry.tum'),
    (['pose_graph_demo', '--preset', 'unit', '--output', '{}'], 'edges.jsonl'),
    (['pose_graph_demo', '--preset', 'unit', '--output', '{}'], 'truth.tum'),
    (['pose_graph_demo', '--preset', 'unit', '--output', '{}'], 'pose_graph.json'),
    (['pose_graph_demo', '--false-closures', '0.5', '--output', '{}'], 'rejection.json'),
    (['soak', '--output', '{}'], 'soak.json'),
    (['soak', '--output', '{}'], 'soak.png'),
    (['export', '--cache', 'nowhere', '--run', 'nowhere', '--out', '{}'], 'README.md'),
    (['export', '--cache', 'nowhere', '--run', 'nowhere', '--out', '{}'], 'student.onnx'),
    (['export', '--cache', 'nowhere', '--run', '{}', '--out', 'models'], 'validation.json'),
    (['distill_4dral', '--cache', 'nowhere', '--out', '{}'], 'r2r/models/student.onnx'),
    (['distill_4dral', '--cache', 'nowhere', '--out', '{}'], 'teacher/validation.json'),
    (['ablate', '--cache', 'nowhere', '--out', '{}'], 'ablation.md'),
    (['ablate', '--cache', 'nowhere', '--out', '{}'], 'ablation.html'),
    (['ablate', '--evaluate-on', 'test', '--out', '{}'], 'ablation_test.json'),
    (['build_db', '--input', 'nowhere', '--output', '{}'], 'meta.json'),
    (['build_db', '--input', 'nowhere', '--output', '{}'], 'src/main.py'),
    (['build_db', '--input', 'nowhere', '--output', '{}/map'], 'map.first_scan.png'),
]


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    pytest.importorskip('numba')
    pytest.importorskip('gtsam')
    monkeypatch.chdir(tmp_path)
    return tmp_path


def failure(command: Sequence[str], target: object, capsys: pytest.CaptureFixture[str]) -> str:
    """Run a command that writes to a target, and return what it says when it fails."""
    if command[0] in ('train', 'ablate', 'export', 'distill_4dral'):
        pytest.importorskip('torch')
    assert main([text.replace('{}', str(target)) for text in command]) == 1
    return capsys.readouterr().err


@pytest.mark.parametrize('command', FILES + FOLDERS, ids=' '.join)
def test_a_place_below_a_file_is_refused_before_the_work(
    command: list[str], here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (here / 'file').write_text('mine')
    said = failure(command, here / 'file' / 'x', capsys)
    assert f'{here}/file/x' in said
    assert 'cannot be written: ' in said
    assert [path.name for path in here.iterdir()] == ['file']


@pytest.mark.parametrize('command', FILES, ids=' '.join)
def test_a_file_of_the_user_and_a_folder_are_refused_before_the_work(
    command: list[str], here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (here / 'README.md').write_text('# My thesis\n')
    assert 'README.md exists and was not made by ssd_ros: choose another' in failure(
        command, here / 'README.md', capsys
    )
    (here / 'folder').mkdir()
    assert 'folder is a folder, expected the name of a file' in failure(
        command, here / 'folder', capsys
    )
    assert (here / 'README.md').read_text() == '# My thesis\n'


@pytest.mark.parametrize('command', FOLDERS, ids=' '.join)
def test_a_file_where_a_folder_is_meant_is_kept(
    command: list[str], here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (here / 'file').write_text('mine')
    assert f'{here / "file"}' in failure(command, here / 'file', capsys)
    assert (here / 'file').read_text() == 'mine'


@pytest.mark.parametrize(('command', 'name'), IN_THE_WAY, ids=str)
def test_what_stands_under_our_names_is_kept_and_named(
    command: list[str], name: str, here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = here / 'project' / name
    path.parent.mkdir(parents=True)
    path.write_text('{"mine": true}\n')
    (here / 'project' / 'notes.txt').write_text('mine, too')
    said = failure(command, here / 'project', capsys)
    assert 'choose another place, or move away what is there' in said
    assert Path(name).parts[0] in said or str(here / 'project') in said
    assert path.read_text() == '{"mine": true}\n'
    files = {file for file in here.rglob('*') if file.is_file()}
    assert files == {path, here / 'project' / 'notes.txt'}


@pytest.mark.parametrize(
    'command',
    [
        ['replay', '--input', 'nowhere', '--map', 'nowhere', '--csv', 'x', '--json', './x'],
        ['trust', *BENCHMARK, '--out', 'work', '--fit', 'x.json', '--report', 'x'],
        ['evaluate', *DRIVES, '--json', 'x', '--html', 'x'],
    ],
    ids=' '.join,
)
def test_one_name_for_two_outputs_is_refused_before_the_work(
    command: list[str], here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert 'is given twice: each file needs a name of its own' in failure(command, '', capsys)
    assert list(here.iterdir()) == []


def test_what_our_commands_print_of_a_target_can_be_tried_again(here: Path) -> None:
    picture = here / 'preview.png'
    command = ['simulate', 'preview', '--frame', '8', '--out', str(picture)]
    assert main(command) == 0
    assert main(command) == 0
    assert MARK.replace(rb'\d', b'') in picture.read_bytes()[:1024]


def test_a_home_is_expanded_in_every_option_that_is_a_path(
    here: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv('HOME', str(here / 'home'))
    assert main(['build_db', '--input=~/drive', '--output=~/map']) == 1
    assert f'{here}/home/drive' in capsys.readouterr().err
    assert main(['replay', '--input=~/drive', '--map', '~/a', '~/b:c']) == 1
    assert f'there is no map at {here}/home/a' in capsys.readouterr().err
    (here / 'occupied').write_text('a file')
    monkeypatch.setenv('HOME', str(here / 'occupied'))
    assert main(['simulate', 'generate', '--preset', 'unit', '--out', '~/data']) == 1
    assert f'{here}/occupied/data cannot be written' in capsys.readouterr().err
    assert not (here / '~').exists()
