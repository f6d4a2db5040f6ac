# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What the launch file refuses and how it reads its arguments, without launch."""

from __future__ import annotations

from pathlib import Path

import pytest
from ssd_ros.ros.parameters.launch_arguments import (
    choice_of,
    file_of,
    items_of,
    refuse_unknown,
    switch_of,
)

FILE = Path(__file__).parents[3] / 'launch' / 'localize.launch.py'
KNOWN = ('index', 'encoder', 'stamp_source')
COMMAND = ['/opt/ros/jazzy/bin/ros2', 'launch', 'ssd_ros', 'localize.launch.py']


def refused(command: list[str], *configured: str) -> str:
    """Return what is said of `indexes:=map` on a command line, nothing if it passes."""
    given = [word for word in command if ':=' in word]
    try:
        refuse_unknown(given, KNOWN, command, [*configured, 'indexes'], FILE)
    except ValueError as error:
        return str(error)
    return ''


@pytest.mark.parametrize(
    ('command', 'expected'),
    [
        ([*COMMAND, 'indexes:=map'], True),
        ([*COMMAND, 'encoder:=network', 'indexes:=map', '--debug'], True),
        (['ros2', 'launch', str(FILE), 'indexes:=map'], True),
        (['/usr/bin/launch', str(FILE), 'indexes:=map'], True),
        (['ros2', 'launch', 'car', 'bringup.launch.py', 'indexes:=map'], False),
        (['ros2', 'launch', 'car', 'localize.launch.py', 'indexes:=map'], False),
        (['ros2', 'launch', '/car/localize.launch.py', 'indexes:=map'], False),
        (['python3', 'start.py', 'indexes:=map'], True),
    ],
)
def test_a_slip_is_refused_on_the_command_line_of_our_file_alone(
    command: list[str], expected: bool
) -> None:
    said = 'unknown launch argument indexes; did you mean index?'
    assert refused(command) == said * expected


def test_what_a_file_around_ours_has_configured_is_its_own() -> None:
    assert refused(['python3', 'start.py', 'indexes:=map'], 'car') == ''


def test_known_arguments_and_those_of_launch_pass() -> None:
    given = ['index:=a:=b', 'stamp_source:=header', 'launch-prefix:=gdb', 'sigterm_timeout:=9']
    refuse_unknown(given, KNOWN, [*COMMAND, *given], [], FILE)


def test_an_argument_that_is_like_none_is_refused_with_all_that_are_known() -> None:
    with pytest.raises(ValueError, match='argument q; known are index, encoder, stamp_source'):
        refuse_unknown(['q:=1'], KNOWN, [*COMMAND, 'q:=1'], [], FILE)


@pytest.mark.parametrize(
    ('text', 'items'),
    [
        ('rtabmap', ['rtabmap']),
        ('/front, /rear', ['/front', '/rear']),
        ('[\'rtabmap\', "nav2"]', ['rtabmap', 'nav2']),
        ('rtabmap,', ['rtabmap']),
        ('[]', ['']),
        ('[ ]', ['']),
        ('', ['']),
    ],
)
def test_a_list_is_written_with_or_without_brackets(text: str, items: list[str]) -> None:
    assert items_of(text) == items


def test_a_switch_is_true_or_false() -> None:
    assert [switch_of('rviz', text) for text in ('true', 'True', '1', 'on')] == [True] * 4
    assert [switch_of('rviz', text) for text in ('false', 'FALSE', '0', ' no ')] == [False] * 4
    with pytest.raises(ValueError, match='rviz:=maybe is neither true nor false'):
        switch_of('rviz', 'maybe')


def test_a_choice_is_one_of_a_few_words() -> None:
    assert choice_of('log_level', 'INFO', ['info', 'warn']) == 'info'
    with pytest.raises(ValueError, match='log_level:=loud; choose from info, warn'):
        choice_of('log_level', 'loud', ['info', 'warn'])


def test_a_file_must_be_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / 'car.yaml').touch()
    monkeypatch.setenv('HOME', str(tmp_path))
    assert file_of('params_file', '~/car.yaml') == str(tmp_path / 'car.yaml')
    for name in ('nope.yaml', str(tmp_path)):
        with pytest.raises(ValueError, match=rf'params_file:={name}: there is no such file'):
            file_of('params_file', name)
