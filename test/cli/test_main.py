# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Check the command that has all others: what it lists, what it refuses, what it completes."""

from __future__ import annotations

import argparse
import ast
from collections.abc import Iterator
from importlib import import_module
import os
from pathlib import Path
import pty
import re
import subprocess
import sys

import pytest
from ssd_ros import __version__
from ssd_ros.cli.main import COMMANDS, completion_parser, GROUPS, main

ROOT = Path(__file__).parents[2]
FROM_HERE = {**os.environ, 'PYTHONPATH': str(ROOT)}


def output_of(
    capsys: pytest.CaptureFixture[str], *arguments: str, code: int = 2
) -> pytest.CaptureResult[str]:
    try:
        returned = main(arguments)
    except SystemExit as end:
        returned = int(str(end.code or 0))
    assert returned == code
    return capsys.readouterr()


def options_of(parser: argparse.ArgumentParser) -> Iterator[str]:
    """Yield the options of a parser and of its subcommands."""
    for action in parser._actions:
        yield from action.option_strings
        if isinstance(action, argparse._SubParsersAction):
            for below in action.choices.values():
                yield from options_of(below)


def test_help_lists_every_command_in_its_group(capsys: pytest.CaptureFixture[str]) -> None:
    text = output_of(capsys, '--help', code=0).out
    assert list(GROUPS) == ['map', 'run', 'judge', 'train', 'look']
    listed = re.findall(r'^  ([a-z0-9_]+)  +\S', text, re.MULTILINE)
    assert [name for name in listed if name in COMMANDS] == list(COMMANDS)
    assert all(f'\n{group}:\n' in text for group in GROUPS)
    assert 'register-python-argcomplete ssd_ros' in text


def test_without_a_command_the_list_goes_to_stderr(capsys: pytest.CaptureFixture[str]) -> None:
    printed = output_of(capsys)
    assert printed.out == ''
    assert 'build_db' in printed.err


def test_the_version_is_printed(capsys: pytest.CaptureFixture[str]) -> None:
    assert output_of(capsys, '--version', code=0).out == f'ssd_ros {__version__}\n'


@pytest.mark.parametrize(
    ('typed', 'meant'),
    [('biuld_db', 'build_db'), ('localise', 'localize'), ('replays', 'replay'), ('tain', 'train')],
)
def test_a_wrong_name_is_answered_with_the_nearest_one(
    capsys: pytest.CaptureFixture[str], typed: str, meant: str
) -> None:
    text = output_of(capsys, typed, '--help').err
    assert f'there is no command {typed!r}: did you mean {meant}?' in text


def test_a_name_like_no_other_is_answered_with_all(capsys: pytest.CaptureFixture[str]) -> None:
    text = output_of(capsys, 'xyzzy').err
    assert "there is no command 'xyzzy': choose from build_db, " in text


def test_an_option_before_the_command_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    assert '--threads' in output_of(capsys, '--threads', '2', 'build_db').err


@pytest.mark.parametrize('name', COMMANDS)
def test_every_command_ends_its_help_with_examples_that_it_takes(
    capsys: pytest.CaptureFixture[str], name: str
) -> None:
    text = output_of(capsys, name, '--help', code=0).out
    examples = text.partition('examples:\n')[2].replace('\\\n', ' ')
    own = [line.split()[1:] for line in examples.splitlines() if line.split()[:1] == [name]]
    assert own
    known = set(options_of(import_module(COMMANDS[name].module).parser()))
    used = {word for words in own for word in words if word.startswith('--')}
    assert sorted(used - known - {'--ros-args', '--params-file', '--log-level'}) == []


LONG = ['ablate', 'bench', 'cache', 'compare', 'demo', 'distill_4dral', 'train', 'trust']


@pytest.mark.parametrize('name', LONG)
def test_the_help_of_what_takes_long_says_how_long(
    capsys: pytest.CaptureFixture[str], name: str
) -> None:
    text = output_of(capsys, name, '--help', code=0).out
    assert re.search(r'^takes \S.*?\n\nexamples:\n', text, re.MULTILINE | re.DOTALL)


def test_on_a_terminal_it_is_said_where_the_work_begins(tmp_path: Path) -> None:
    here, there = pty.openpty()
    command = [sys.executable, '-m', 'ssd_ros', 'trust', '--drives', 'none', '--out', 'none']
    subprocess.run(command, stderr=there, check=False, cwd=tmp_path, env=FROM_HERE)
    os.close(there)
    first, second = os.read(here, 4096).decode().splitlines()[:2]
    os.close(here)
    assert first.startswith('ssd_ros trust: takes some 30 ms of a core for each query')
    assert second == 'ssd_ros trust: none does not exist'


def test_help_and_examples_say_how_the_command_was_called() -> None:
    command = [sys.executable, '-m', 'ssd_ros', 'build_db', '--help']
    text = subprocess.run(command, capture_output=True, text=True, check=True, cwd=ROOT).stdout
    assert text.startswith('usage: ssd_ros build_db ')
    assert '\n  ssd_ros build_db --input ' in text


def test_the_old_way_to_start_a_command_goes_on_working() -> None:
    command = [sys.executable, '-m', 'ssd_ros.cli.build_db', '--help']
    text = subprocess.run(command, capture_output=True, text=True, check=True, cwd=ROOT).stdout
    assert text.startswith('usage: build_db ')


@pytest.mark.parametrize(
    ('line', 'expected'),
    [
        ('ssd_ros b', {'build_db', 'bench', 'bench_node'}),
        ('ssd_ros build_db --keyframe', {'--keyframe-distance'}),
        ('ssd_ros build_db --encoder ', {'network', 'scan_context'}),
        ('ssd_ros train --sch', {'--scheme'}),
    ],
)
def test_the_shell_completes_commands_options_and_choices(
    tmp_path: Path, line: str, expected: set[str]
) -> None:
    output = tmp_path / 'completions'
    variables = {
        '_ARGCOMPLETE': '1',
        'COMP_LINE': line,
        'COMP_POINT': str(len(line)),
    }
    # As the shell does it: completions are read from descriptor 8, 9 is for errors.
    shell = ['bash', '-c', f'exec "$@" 8>"{output}" 9>/dev/null', 'bash']
    command = [*shell, sys.executable, '-m', 'ssd_ros']
    subprocess.run(command, check=True, cwd=ROOT, env={**os.environ, **variables})
    assert {word.strip() for word in output.read_text().split('\v')} == expected


def test_a_command_without_options_yet_is_completed_from_the_list() -> None:
    assert completion_parser('').parse_args(['soak']) is not None


def test_ros_run_has_the_same_commands() -> None:
    tree = ast.parse((ROOT / 'setup.py').read_text())
    executables = next(
        ast.literal_eval(node.value)
        for node in tree.body
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == 'EXECUTABLES'
    )
    assert executables == {name: command.module for name, command in COMMANDS.items()}


@pytest.mark.parametrize('argument', ['index_path:=library.map', '-p', 'stop'])
def test_localize_refuses_arguments_that_ros_would_not_read(
    capsys: pytest.CaptureFixture[str], argument: str
) -> None:
    assert f'unrecognized arguments: {argument}' in output_of(capsys, 'localize', argument).err
