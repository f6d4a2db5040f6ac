# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Tell the names of other nodes from slips, by the arguments of the process."""

from __future__ import annotations

from pathlib import Path

import pytest
from ssd_ros.ros.parameters.given import leave_out_foreign

NODE = '/front/ssd_localizer'


def left_out(tmp_path: Path, text: str, *arguments: str) -> list[str]:
    """Return the warnings about `wheel`, which the node does not have."""
    path = tmp_path / 'params.yaml'
    path.write_text(text)
    given = ['localize', '--ros-args', '--params-file', str(path), *arguments]
    said: list[str] = []
    leave_out_foreign(['wheel'], given, NODE, said.append)
    return [line.replace(str(path), 'FILE') for line in said]


@pytest.mark.parametrize('key', ['/**', '/*/*', '/front/*', '/front/**', '/**/*'])
def test_what_a_section_for_any_node_gives_is_left_out_and_said(tmp_path: Path, key: str) -> None:
    said = left_out(tmp_path, f'{key}: {{ros__parameters: {{wheel: 0.39, top_k: 3}}}}')
    assert said == [
        f'FILE gives under {key}, to nodes of any name, what this one does not have: wheel'
    ]


@pytest.mark.parametrize(
    'key', ['/front/ssd_localizer', '/*/ssd_localizer', '/**/ssd_localizer', 'front/ssd_localizer']
)
def test_what_a_section_of_the_node_gives_is_refused(tmp_path: Path, key: str) -> None:
    shared = '/**: {ros__parameters: {wheel: 0.39}}\n'
    text = f'{key}: {{ros__parameters: {{wheel: 0.39}}}}\n'
    for document in (text, text + shared, shared + text):
        with pytest.raises(ValueError, match='unknown parameter wheel'):
            left_out(tmp_path, document)


@pytest.mark.parametrize('key', ['/*', 'ssd_localizer', '/rear/*', '/*/*/*'])
def test_a_section_that_ros_gives_to_others_explains_nothing(tmp_path: Path, key: str) -> None:
    with pytest.raises(ValueError, match='unknown parameter wheel'):
        left_out(tmp_path, f'{key}: {{ros__parameters: {{wheel: 0.39}}}}')


@pytest.mark.parametrize(
    'arguments',
    [
        ['-p', 'wheel:=0.4'],
        ['--param', 'wheel:=0.4'],
        ['-p', '/front/ssd_localizer:wheel:=0.4'],
        ['--', '--ros-args', '-p', 'wheel:=0.4'],
    ],
)
def test_what_is_given_to_the_process_itself_is_refused(
    tmp_path: Path, arguments: list[str]
) -> None:
    with pytest.raises(ValueError, match='unknown parameter wheel'):
        left_out(tmp_path, '/**: {ros__parameters: {wheel: 0.39}}', *arguments)


@pytest.mark.parametrize('arguments', [['-p', 'rear:wheel:=0.4'], ['--', '-p', 'wheel:=0.4']])
def test_what_is_given_to_others_is_not(tmp_path: Path, arguments: list[str]) -> None:
    assert len(left_out(tmp_path, '/**: {ros__parameters: {wheel: 0.39}}', *arguments)) == 1


def test_without_a_file_that_explains_it_a_name_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match='unknown parameter wheel'):
        leave_out_foreign(['wheel'], [], NODE, print)
    absent = ['--ros-args', '--params-file', str(tmp_path / 'absent.yaml')]
    with pytest.raises(ValueError, match='unknown parameter wheel'):
        leave_out_foreign(['wheel'], absent, NODE, print)
