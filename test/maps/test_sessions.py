# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Check that drives are saved below one folder, and over nothing but their earlier states."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from ssd_ros.maps.files import MapInfo
from ssd_ros.maps.live_session import LiveSession
from ssd_ros.maps.meta import MapError
from ssd_ros.maps.place_database import Keyframe, PlaceDatabase
from ssd_ros.maps.sessions import SessionFolder


def save_drive(path: Path, sensor: str = '4d') -> str:
    """Save a drive of one keyframe and return its UUID."""
    session = LiveSession(2)
    upright = np.array([0.0, 0.0, 0.0, 1.0])
    keyframe = Keyframe(1, np.zeros(3), upright, np.zeros((1, 2), np.int16))
    session.add(np.array([1, 0], np.float32), keyframe)
    info = MapInfo('space', 'digest', 1, 2.0, sensor, uuid=session.uuid)
    PlaceDatabase(session.to_map(info)).save(path)
    return session.uuid


@pytest.mark.parametrize('name', ['drive', 'may/2026-05-01T12:00:00', './drive'])
def test_names_lie_below_the_folder(tmp_path: Path, name: str) -> None:
    assert SessionFolder(str(tmp_path)).path_of(name) == tmp_path / name


@pytest.mark.parametrize(
    'name',
    ['', '.', '/', '/tmp/drive', '..', '../drive', 'a/../../b', 'a/..', '~', '~/a', '~root'],
)
def test_names_that_lead_elsewhere_are_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(MapError, match='expected a name below session_directory'):
        SessionFolder(str(tmp_path)).path_of(name)


def test_a_null_character_and_a_link_out_are_refused(tmp_path: Path) -> None:
    (tmp_path / 'sessions').mkdir()
    (tmp_path / 'sessions' / 'out').symlink_to(tmp_path)
    (tmp_path / 'sessions' / 'here').symlink_to('.')
    folder = SessionFolder(str(tmp_path / 'sessions'))
    for name in ('a\0b', 'out', 'out/drive', 'here'):
        with pytest.raises(MapError):
            folder.path_of(name)
    assert folder.path_of('here/drive') == tmp_path / 'sessions' / 'drive'


def test_names_that_nobody_can_read_and_a_folder_without_a_name_are_refused(
    tmp_path: Path,
) -> None:
    for name in ('a\nb', 'a\x1b[2J', '\u202eevird', 'a' * 201, 'a/' * 5000):
        with pytest.raises(MapError, match='expected at most 200 characters that can be read'):
            SessionFolder(str(tmp_path)).path_of(name)
    with pytest.raises(MapError, match='session_directory is empty'):
        SessionFolder('').path_of('drive')


def test_no_drive_is_saved_within_a_map(tmp_path: Path) -> None:
    save_drive(tmp_path / 'drive')
    (tmp_path / 'set').mkdir()
    (tmp_path / 'set' / 'meta.json').write_text('{}')  # of another program
    folder = SessionFolder(str(tmp_path))
    folder.check(tmp_path / 'set' / 'drive', 'new', [])
    for name in ('drive/sub', 'drive/sub/sub'):
        with pytest.raises(MapError, match=f'lies within the map {tmp_path}/drive: choose'):
            folder.check(tmp_path / name, 'new', [])


def test_the_folder_itself_may_be_a_link_and_begin_with_a_tilde(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / 'disk').mkdir()
    (tmp_path / 'sessions').symlink_to('disk')
    monkeypatch.setenv('HOME', str(tmp_path))
    assert SessionFolder('~/sessions').path_of('drive') == tmp_path / 'disk' / 'drive'


def test_only_an_earlier_state_of_the_drive_is_replaced(tmp_path: Path) -> None:
    path, folder = tmp_path / 'drive', SessionFolder(str(tmp_path))
    folder.check(path, 'new', [])
    uuid = save_drive(path)
    folder.check(path, uuid, ['other'])
    with pytest.raises(MapError, match=f'is another drive \\({uuid}\\): choose another'):
        folder.check(path, 'new', [])
    with pytest.raises(MapError, match='is a map in use: choose another'):
        folder.check(path, uuid, [uuid])


def test_consent_covers_other_drives_but_no_map_of_spinning_radar(tmp_path: Path) -> None:
    folder = SessionFolder(str(tmp_path), may_overwrite=True)
    uuid = save_drive(tmp_path / 'drive')
    folder.check(tmp_path / 'drive', 'new', [uuid])
    save_drive(tmp_path / 'library', 'spinning')
    (tmp_path / 'notes').mkdir()
    (tmp_path / 'notes' / 'meta.json').write_text('{}')
    for name in ('library', 'notes'):
        with pytest.raises(MapError, match='choose another place'):
            folder.check(tmp_path / name, 'new', [])


def test_a_session_that_begins_anew_is_another_drive() -> None:
    session = LiveSession(2)
    before = session.uuid
    session.clear()
    assert session.uuid != before


def test_a_position_that_no_map_can_hold_is_not_remembered() -> None:
    live = LiveSession(4)
    for x in (1e308, -1e9, float('nan'), float('inf')):
        assert not live.wants(0, np.array([x, 0, 0]))
    assert live.wants(0, np.array([1e7, 0, 0]))
