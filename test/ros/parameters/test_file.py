# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Check that parameter files are read as the node would, and that no file can do harm."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from ssd_ros.ros.parameters.file import MAX_BYTES, read_parameter_files
from ssd_ros.ros.parameters.node import NodeParameters

ROOT = Path(__file__).parents[3]


def written(tmp_path: Path, text: str, name: str = 'params.yaml') -> Path:
    path = tmp_path / name
    path.write_text(text)
    return path


def test_no_file_and_the_shipped_file_give_the_defaults() -> None:
    assert read_parameter_files([]) == NodeParameters()
    assert read_parameter_files([ROOT / 'config' / 'localize.yaml']) == NodeParameters()


def test_a_later_file_wins_and_leaves_the_rest(tmp_path: Path) -> None:
    first = written(tmp_path, '/**: {ros__parameters: {top_k: 3, query_rate: 5.0}}', 'a.yaml')
    second = written(
        tmp_path,
        '/ns/other: {ros__parameters: {nonsense: 1}}\n'
        'ssd_localizer: {ros__parameters: {use_sim_time: true, top_k: 4}}',
        'b.yaml',
    )
    expected = replace(NodeParameters(), top_k=4, query_rate=5.0)
    assert read_parameter_files([first, second]) == expected


def test_what_rclpy_declares_itself_is_no_parameter_of_ours(tmp_path: Path) -> None:
    path = written(
        tmp_path,
        '/**: {ros__parameters: {start_type_description_service: false, top_k: 4,'
        ' qos_overrides: {/points: {subscription: {depth: 50}}},'
        ' qos_overrides./ssd_localizer/pose.publisher.reliability: best_effort}}',
    )
    assert read_parameter_files([path]) == replace(NodeParameters(), top_k=4)


@pytest.mark.parametrize(
    ('text', 'reason'),
    [
        ('top_k: 3', 'none of the keys /\\*\\*, ssd_localizer'),
        ('[1, 2]', 'none of the keys'),
        ('/**: {top_k: 3}', '/\\*\\* has no ros__parameters'),
        ('/**: {ros__parameters: [1]}', 'expected names'),
        ('/**: {ros__parameters: {top: 3}}', 'unknown parameter top; did you mean top_k'),
        ('/**: {ros__parameters: {a: {b: {c: 1}}}}', 'unknown parameter a'),
        ('/**: {ros__parameters: {accept: 3}}', 'accept. is of type int, expected names'),
        ('/**: {ros__parameters: {top_k: 3.5}}', 'top_k is 3.5, expected int'),
        ('/**: {ros__parameters: {top_k: 300}}', 'top_k is 300, expected 1'),
        ('/**: {ros__parameters: {map_frame: !!python/name:os.system }}', 'could not determine'),
        ('/**: {ros__parameters: {top_k: &a 3, x: *a}}', 'it has a YAML alias'),
        pytest.param('{' * 5000, 'maximum recursion depth', id='braces'),
        ('/**: \t', 'while scanning'),
    ],
)
def test_what_is_wrong_with_a_file_is_said_with_its_name(
    tmp_path: Path, text: str, reason: str
) -> None:
    path = written(tmp_path, text)
    with pytest.raises(
        ValueError, match=rf'{path} is not a parameter file of the node: .*{reason}'
    ):
        read_parameter_files([path])


def test_a_huge_file_is_not_read(tmp_path: Path) -> None:
    path = tmp_path / 'huge.yaml'
    with path.open('wb') as file:
        file.truncate(MAX_BYTES + 1)
    with pytest.raises(ValueError, match=f'has {MAX_BYTES + 1} bytes, at most {MAX_BYTES}'):
        read_parameter_files([path])
