# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Check that only what we made is replaced, and that hopeless places are refused at once."""

from __future__ import annotations

import ast
from collections.abc import Callable
import json
import os
from pathlib import Path

import pytest
from ssd_ros.datasets.bags.rosbag2_writer import BAG_FOLDER
from ssd_ros.datasets.formats.hercules import HERCULES_FOLDER
from ssd_ros.evaluation.bev_cache import CACHE_FOLDER
from ssd_ros.maps.target import MAP_FOLDER
from ssd_ros.targets import (
    check_file,
    check_files,
    check_folder,
    check_working_folder,
    folder_written,
    FolderKind,
    remove_file,
    TargetError,
    write_file,
    write_json,
    write_markdown,
)

PACKAGE = Path(__file__).parents[1] / 'ssd_ros'


def own_files(path: Path) -> list[str]:
    if not (path / 'seal').is_file():
        raise ValueError('it has no seal')
    return ['seal', 'data/a']


KIND = FolderKind('a thing', own_files)


def write_thing(path: Path, text: str) -> None:
    with folder_written(path, KIND) as folder:
        (folder / 'data').mkdir()
        for name in ('seal', 'data/a'):
            (folder / name).write_text(text)


@pytest.mark.parametrize(
    'write',
    [
        lambda path: write_json(path, {'a': float('nan')}),
        lambda path: write_markdown(path, '# Title\n' * 10_000),
        lambda path: write_file(path, b'<!-- made by ssd_ros 9.9 -->' + bytes(50_000)),
        lambda path: write_file(path, bytes(50_000) + b'made by ssd_ros 0.1'),
        lambda path: write_file(path, b'anything', mark=b'^any'),
    ],
)
def test_what_we_wrote_is_replaced_by_a_second_run(
    tmp_path: Path, write: Callable[[Path], None]
) -> None:
    write(tmp_path / 'new' / 'file')
    write(tmp_path / 'new' / 'file')
    assert [path.name for path in (tmp_path / 'new').iterdir()] == ['file']


def test_json_says_who_made_it_and_has_no_nan(tmp_path: Path) -> None:
    write_json(tmp_path / 'a.json', {'a': float('nan')})
    content = json.loads((tmp_path / 'a.json').read_text())
    assert content.pop('generator').startswith('made by ssd_ros ')
    assert content == {'a': None}


@pytest.mark.parametrize('text', ['{}', '# My project\n', 'ssd_ros 0.1', 'made by hand'])
def test_a_file_of_the_user_stays(tmp_path: Path, text: str) -> None:
    path = tmp_path / 'README.md'
    path.write_text(text)
    for change in (lambda: write_markdown(path, 'report'), lambda: remove_file(path)):
        with pytest.raises(TargetError, match=r'README\.md exists and was not made by'):
            change()
    assert path.read_text() == text


def test_an_empty_file_holds_nothing_to_lose(tmp_path: Path) -> None:
    (tmp_path / 'a').touch()
    write_json(tmp_path / 'a', {})
    assert (tmp_path / 'a').stat().st_size > 0


def test_a_file_that_came_meanwhile_stays(tmp_path: Path) -> None:
    path = tmp_path / 'table'

    def come() -> bytes:
        path.write_text('precious')
        return b'made by ssd_ros 0.1'

    check_file(path)
    with pytest.raises(TargetError, match='was not made by'):
        write_file(path, come())
    assert path.read_text() == 'precious'


def test_what_lacks_its_own_mark_is_not_written(tmp_path: Path) -> None:
    with pytest.raises(TargetError, match='was not made by'):
        write_file(tmp_path / 'a', b'unmarked')
    assert list(tmp_path.iterdir()) == []


def test_a_link_is_followed_and_kept(tmp_path: Path) -> None:
    write_json(tmp_path / 'old', {'a': 1})
    (tmp_path / 'link').symlink_to('old')
    write_json(tmp_path / 'link', {'a': 2})
    assert (tmp_path / 'link').is_symlink()
    assert json.loads((tmp_path / 'old').read_text())['a'] == 2
    (tmp_path / 'notes').write_text('mine')
    (tmp_path / 'other').symlink_to('notes')
    with pytest.raises(TargetError, match='notes exists and was not made'):
        write_json(tmp_path / 'other', {})


def test_what_is_no_file_is_refused(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / 'fifo')
    with pytest.raises(TargetError, match='fifo is a device or a pipe'):
        check_file(tmp_path / 'fifo')
    terminal, device = os.openpty()  # a device wherever this runs
    with pytest.raises(TargetError, match='is a device or a pipe'):
        check_file(Path(os.ttyname(device)))
    os.close(terminal)
    os.close(device)
    with pytest.raises(TargetError, match='is a folder, expected the name of a file'):
        check_file(tmp_path)


def test_one_name_for_two_files_is_refused(tmp_path: Path) -> None:
    check_files([tmp_path / 'a', None, tmp_path / 'b'])
    with pytest.raises(TargetError, match='is given twice'):
        check_files([tmp_path / 'a', tmp_path / 'x' / '..' / 'a'])


@pytest.mark.parametrize('place', ['{file}/x', '{file}/x/y', '/proc/x', '{dir}/' + 'n' * 300])
def test_places_that_cannot_be_written_are_refused_also_for_root(
    tmp_path: Path, place: str
) -> None:
    (tmp_path / 'file').write_text('mine')
    path = Path(place.format(file=tmp_path / 'file', dir=tmp_path))
    for check in (check_file, check_working_folder, lambda path: check_folder(path, KIND)):
        with pytest.raises(TargetError, match='cannot be written: '):
            check(path)
    assert [entry.name for entry in tmp_path.iterdir()] == ['file']


def test_a_mount_point_is_refused_before_the_work() -> None:
    with pytest.raises(TargetError, match='/proc is a mount point, which stays: choose a name'):
        check_folder(Path('/proc'), KIND)


def test_names_may_be_as_long_as_the_system_lets_them(tmp_path: Path) -> None:
    write_thing(tmp_path / ('地' * 85), 'new')
    write_file(tmp_path / ('🗺' * 63), b'anything', mark=b'^any')
    assert len(list(tmp_path.iterdir())) == 2


def test_checking_leaves_no_trace(tmp_path: Path) -> None:
    check_file(tmp_path / 'a' / 'b')
    check_folder(tmp_path / 'c', KIND)
    check_working_folder(tmp_path / 'd')
    assert list(tmp_path.iterdir()) == []


def test_a_folder_of_ours_is_replaced_and_an_empty_one_filled(tmp_path: Path) -> None:
    (tmp_path / 'thing').mkdir()
    for text in ('one', 'two'):
        write_thing(tmp_path / 'thing', text)
    assert (tmp_path / 'thing' / 'data' / 'a').read_text() == 'two'
    assert [entry.name for entry in tmp_path.iterdir()] == ['thing']


@pytest.mark.parametrize(
    'foreign', ['notes.txt', 'data/b', 'sub/', 'data/sub/', 'sub/seal', '.git/HEAD', 'link ->']
)
def test_one_thing_beside_ours_is_enough_to_refuse(tmp_path: Path, foreign: str) -> None:
    path = tmp_path / 'thing'
    write_thing(path, 'old')
    name = foreign.removesuffix(' ->')
    if foreign.endswith('->'):
        (path / name).symlink_to('seal')
    elif foreign.endswith('/'):
        (path / name).mkdir()
    else:
        (path / name).parent.mkdir(exist_ok=True)
        (path / name).write_text('mine')
    before = sorted(path.rglob('*'))
    with pytest.raises(TargetError, match=r"thing holds '.*' beside a thing: choose another"):
        write_thing(path, 'new')
    assert sorted(path.rglob('*')) == before
    assert (path / 'seal').read_text() == 'old'
    assert [entry.name for entry in tmp_path.iterdir()] == ['thing']


def test_a_link_in_the_place_of_a_file_of_ours_is_foreign(tmp_path: Path) -> None:
    write_thing(tmp_path / 'thing', 'old')
    (tmp_path / 'thing' / 'data' / 'a').unlink()
    (tmp_path / 'thing' / 'data' / 'a').symlink_to(tmp_path / 'elsewhere')
    with pytest.raises(TargetError, match=r"holds 'data/a \(a link\)' beside"):
        write_thing(tmp_path / 'thing', 'new')


def test_a_folder_without_the_seal_and_a_file_are_named(tmp_path: Path) -> None:
    (tmp_path / 'thesis.tex').write_text('mine')
    for path, reason in (
        (tmp_path, 'it has no seal'),
        (tmp_path / 'thesis.tex', 'is not a thing'),
    ):
        with pytest.raises(TargetError, match=f'exists and is not a thing: .*{reason}|{reason}'):
            write_thing(path, 'new')
    assert (tmp_path / 'thesis.tex').read_text() == 'mine'


def own_bag(names: str) -> bytes:
    return (
        'rosbag2_bagfile_information:\n  custom_data: {generator: made by ssd_ros 1}\n'
        f'  relative_file_paths: {names}\n'
    ).encode()


@pytest.mark.parametrize(
    'content',
    [
        b'', b'{}', b'[1]', b'null', b'"text"', b'9' * 10_000, b'1e999', bytes(range(256)),
        b'[' * 200_000, b'{"a":' * 100_000, b'"' + b'x' * (10 << 20) + b'"',
        own_bag('null'), own_bag('5'), own_bag('{}'),
    ],
    ids=lambda content: repr(content[:20]),
)  # fmt: skip
@pytest.mark.parametrize(
    ('kind', 'name'),
    [
        (MAP_FOLDER, 'meta.json'),
        (CACHE_FOLDER, 'meta.json'),
        (BAG_FOLDER, 'metadata.yaml'),
        (HERCULES_FOLDER, 'sim_meta.json'),
        (HERCULES_FOLDER, 'generator.txt'),
    ],
)
def test_a_description_of_another_program_makes_no_folder_ours(
    tmp_path: Path, kind: FolderKind, name: str, content: bytes
) -> None:
    (tmp_path / name).write_bytes(content)
    (tmp_path / 'notes').write_text('mine')
    with pytest.raises(TargetError, match=f'{kind.what}: choose another place'):
        check_folder(tmp_path, kind)


@pytest.mark.parametrize('kind', [MAP_FOLDER, CACHE_FOLDER, BAG_FOLDER, HERCULES_FOLDER])
def test_a_pipe_in_the_place_of_a_description_is_not_waited_for(
    tmp_path: Path, kind: FolderKind
) -> None:
    for name in ('meta.json', 'metadata.yaml', 'sim_meta.json', 'generator.txt'):
        os.mkfifo(tmp_path / name)
    with pytest.raises(TargetError, match=f'exists and is not {kind.what}: choose another'):
        check_folder(tmp_path, kind)


def test_what_comes_while_a_folder_is_written_refuses_it(tmp_path: Path) -> None:
    path = tmp_path / 'thing'
    write_thing(path, 'old')

    def write() -> None:
        with folder_written(path, KIND) as folder:
            (folder / 'seal').write_text('new')
            (path / 'notes').write_text('mine')

    with pytest.raises(TargetError, match="holds 'notes' beside a thing"):
        write()
    assert (path / 'seal').read_text() == 'old'
    assert [entry.name for entry in tmp_path.iterdir()] == ['thing']


def test_what_comes_after_the_last_look_is_kept_beside(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path = tmp_path / 'thing'
    write_thing(path, 'old')
    looks = 0

    def look(place: Path) -> list[str]:
        nonlocal looks
        looks += place == path
        if looks == 2:  # the walk over the folder has been done: it sees no file that comes now
            (path / 'late').write_text('mine')
            looks = 99
            return ['seal', 'data/a', 'late']
        return own_files(place)

    with folder_written(path, FolderKind('a thing', look)) as folder:
        (folder / 'seal').write_text('new')
    assert (path / 'seal').read_text() == 'new'
    (kept,) = (entry for entry in tmp_path.iterdir() if entry != path)
    assert [(file.name, file.read_text()) for file in kept.iterdir()] == [('late', 'mine')]
    assert str(kept) in caplog.text


def test_nobody_but_targets_writes_files_or_removes_folders() -> None:
    writers = {'file_written_atomically', 'directory_written_atomically', 'rmtree', 'savefig'}
    found = set()
    for path in PACKAGE.rglob('*.py'):
        for node in ast.walk(ast.parse(path.read_text())):
            name = getattr(node, 'id', None) or getattr(node, 'attr', None)
            if name in writers:
                found.add(path.relative_to(PACKAGE).as_posix())
    assert found == {'files.py', 'targets.py', 'cli/common/pictures.py'}
