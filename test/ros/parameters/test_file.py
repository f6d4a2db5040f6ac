# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Check that parameter files are read as the node would, and that no file can do harm."""

from __future__ import annotations

from dataclasses import replace
import os
from pathlib import Path
import subprocess
import sys

import pytest
from ssd_ros.ros.parameters.file import read_parameter_files
from ssd_ros.ros.parameters.node import NodeParameters
from ssd_ros.ros.parameters.sections import MAX_BYTES

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
        ('top_k: 3', 'top_k has no ros__parameters: it has none of the keys /\\*\\*, ssd_loc'),
        ('[1, 2]', 'none of the keys'),
        ('{}', 'it has no ros__parameters'),
        ('/**: {}', r'\*\* has no ros__parameters'),
        ('/**: {top_k: 3}', '/\\*\\* has no ros__parameters'),
        ('/x: {ros__parameters: {a: 1}}', 'none of the keys /\\*\\*, ssd_localizer, but /x'),
        ('/front/*: {ros__parameters: {a: 1}}', r'ssd_localizer, but /front/\*'),
        ('/**: {ros__parameters: [1]}', 'expected names'),
        (
            'ssd_localizer: {ros__parameters: {top: 3}}',
            'unknown parameter top; did you mean top',
        ),
        ('/*/ssd_localizer: {ros__parameters: {a: {b: 1}}}', 'unknown parameter a.b'),
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


@pytest.mark.parametrize(
    'key', ['ssd_localizer', '/ssd_localizer', '/**/ssd_localizer', '/front/ssd_localizer']
)
def test_a_section_of_the_node_is_read_and_is_strict_in_any_namespace(
    tmp_path: Path, key: str
) -> None:
    text = f'{key}: {{ros__parameters: {{top_k: 4}}}}'
    assert read_parameter_files([written(tmp_path, text)]).top_k == 4
    path = written(tmp_path, text.replace('top_k', 'wheel_radius'))
    with pytest.raises(ValueError, match='unknown parameter wheel_radius'):
        read_parameter_files([path])


def test_namespaces_may_be_nested(tmp_path: Path) -> None:
    text = 'a: {ssd_localizer: {ros__parameters: {top_k: 4}}, other: {ros__parameters: {b: 1}}}'
    assert read_parameter_files([written(tmp_path, text)]).top_k == 4


@pytest.mark.parametrize('key', ['/**', '/*'])
def test_names_of_other_nodes_in_a_shared_section_are_left_out_and_said(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, key: str
) -> None:
    path = written(
        tmp_path,
        f'{key}: {{ros__parameters: {{wheel: {{radius: 0.39}}, sizes: [], top_k: 4,'
        ' map_frames: map, accept: {max_distanc: 1.0}}}',
    )
    assert read_parameter_files([path]) == replace(NodeParameters(), top_k=4)
    assert [record.getMessage() for record in caplog.records] == [
        f'{path} gives under {key}, to nodes of any name, what this one does not have: '
        'accept.max_distanc (accept.max_distance?), map_frames (map_frame?), sizes, wheel.radius'
    ]


def test_two_nodes_are_not_mixed(tmp_path: Path) -> None:
    path = written(
        tmp_path,
        '{/front/ssd_localizer: {ros__parameters: {top_k: 4}},'
        ' /rear/ssd_localizer: {ros__parameters: {top_k: 5}}}',
    )
    with pytest.raises(ValueError, match='several nodes: /front/ssd_localizer, /rear/ssd_loc'):
        read_parameter_files([path])


@pytest.mark.parametrize('name', ['adapters', 'frame_override'])
def test_an_empty_list_is_none(tmp_path: Path, name: str) -> None:
    path = written(tmp_path, f'/**: {{ros__parameters: {{{name}: []}}}}')
    assert read_parameter_files([path]) == NodeParameters()


@pytest.mark.parametrize('name', ['input_topics', 'radar_extrinsics', 'top_k', 'map_frame'])
def test_an_empty_list_where_something_must_be_is_refused(tmp_path: Path, name: str) -> None:
    path = written(tmp_path, f'/**: {{ros__parameters: {{{name}: []}}}}')
    with pytest.raises(ValueError, match=rf'parameter {name} is \[\], expected'):
        read_parameter_files([path])


# What each of two files says of top_k, by section.
ORDERS = [
    ({'/**': 2, 'ssd_localizer': 3}, {'/**': 4}),
    ({'ssd_localizer': 3}, {'/**': 4}),
    ({'/ssd_localizer': 3, '/**': 2}, {}),
    ({'/**/ssd_localizer': 3}, {'/ssd_localizer': 4, '/*': 5, '/other': 6, '/*/ssd_localizer': 7}),
    ({'/*': 5}, {'ssd_localizer': 4, '/**': 3}),
]
PROGRAM = """
import sys
import rclpy
from rclpy.node import Node
rclpy.init(args=['--ros-args', '--params-file', sys.argv[1], '--params-file', sys.argv[2]])
node = Node('ssd_localizer', automatically_declare_parameters_from_overrides=True)
print(node.get_parameter('top_k').value)
"""


@pytest.mark.parametrize('order', ORDERS)
def test_the_value_that_wins_is_that_of_ros(
    ros_domain: None, tmp_path: Path, order: tuple[dict[str, int], dict[str, int]]
) -> None:
    pytest.importorskip('rclpy')
    paths = []
    for number, sections in enumerate(order):
        text = ''.join(
            f'{key}: {{ros__parameters: {{top_k: {value}}}}}\n' for key, value in sections.items()
        )
        text += 'some_other: {ros__parameters: {top_k: 9}}\n/**: {ros__parameters: {}}\n' * (
            not sections
        )
        paths.append(written(tmp_path, text, f'{number}.yaml'))
    command = [sys.executable, '-c', PROGRAM, *map(str, paths)]
    result = subprocess.run(command, capture_output=True, text=True, check=True, env=os.environ)
    assert read_parameter_files(paths).top_k == int(result.stdout)
