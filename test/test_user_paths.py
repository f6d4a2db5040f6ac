# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Check paths as users write them: homes, and lists whose names have colons."""

from __future__ import annotations

from pathlib import Path

import pytest
from ssd_ros.user_paths import user_path, user_paths


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv('HOME', str(tmp_path))


def test_a_home_is_expanded_at_the_beginning_alone(tmp_path: Path) -> None:
    assert user_path('~/maps/a') == tmp_path / 'maps' / 'a'
    assert user_path('~') == tmp_path
    assert user_path('a/~') == Path('a/~')
    assert user_path('~root/x') == Path('/root/x')


def test_a_home_that_nobody_has_is_named() -> None:
    with pytest.raises(ValueError, match="'~nobody_here/x' cannot be expanded"):
        user_path('~nobody_here/x')


@pytest.mark.parametrize(
    ('text', 'names'),
    [
        ('', []),
        (':', []),
        ('a', ['a']),
        ('a:b', ['a', 'b']),
        (':a::b:', ['a', 'b']),
        (r'2026-05-01T12\:30:b', ['2026-05-01T12:30', 'b']),
        (r'\::\:\:', [':', '::']),
        (r'a\b', [r'a\b']),
    ],
)
def test_lists_are_split_at_colons_without_a_backslash(text: str, names: list[str]) -> None:
    assert user_paths(text) == [Path(name) for name in names]


def test_every_item_of_a_list_is_expanded(tmp_path: Path) -> None:
    assert user_paths('~/a:~/b') == [tmp_path / 'a', tmp_path / 'b']


def test_what_exists_as_a_whole_is_one_path(tmp_path: Path) -> None:
    (tmp_path / '2026-05-01T12:30').mkdir()
    assert user_paths('~/2026-05-01T12:30') == [tmp_path / '2026-05-01T12:30']
    assert len(user_paths('~/2026-05-01T12:31')) == 2


def test_a_list_longer_than_any_name_is_a_list() -> None:
    assert len(user_paths(':'.join(['a' * 100] * 100))) == 100
