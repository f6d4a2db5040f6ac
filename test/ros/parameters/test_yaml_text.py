# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Check that YAML is read as ROS reads it, by figures and by asking rclpy itself."""

from __future__ import annotations

import json
import math
import os
from pathlib import Path
import subprocess
import sys

import pytest
from ssd_ros.ros.parameters.yaml_text import parsed, value_of
import yaml

AS_ROS_READS = {
    '10': 10, '-3': -3, '+5': 5, '010': 8, '08': 8.0, '0x1F': 31, '-0x10': -16, '1_000': '1_000',
    '0o17': '0o17', '0b11': '0b11', '99999999999999999999': 1e20, '9223372036854775807': 2**63 - 1,
    '1e3': 1000.0, '5e-1': 0.5, '1.0e3': 1000.0, '.5': 0.5, '5.': 5.0, '+.5e+3': 500.0,
    '1e': '1e', '1e400': '1e400', '.': '.', '1:30': '1:30', '1,5': '1,5', '.inf': math.inf,
    '-.inf': -math.inf, '.Inf': math.inf, 'true': True, 'yes': True, 'y': True, 'on': True,
    'No': False, 'off': False, 'oFF': 'oFF', 'tRue': 'tRue', '~': '~', 'null': 'null',
    '2026-01-01': '2026-01-01', 'map': 'map', '"1e3"': '1e3', "'yes'": 'yes',
    '!!str 10': '10', '[1, 2]': [1, 2], '[1e3, 2.5]': [1000.0, 2.5], '[yes, no]': [True, False],
    '[a, "1"]': ['a', '1'],
}  # fmt: skip
# ROS from Lyrical on; before, a tag other than !!str is passed over.
OF_TAGS = {
    '!!float 10': 10.0, '!!float 1e3': 1000.0, '!!float -3': -3.0, '!!int "7"': 7,
    '!!bool "true"': True, '!!str true': 'true', '!!str 1.5': '1.5',
}  # fmt: skip
PROGRAM = """
import json, sys
import rclpy
from rclpy.node import Node
rclpy.init(args=['--ros-args', '--params-file', sys.argv[1]])
node = Node('reader', automatically_declare_parameters_from_overrides=True)
values = {name: list(v) if hasattr(v, 'tolist') else v
          for name, v in ((n, node.get_parameter(n).value) for n in json.loads(sys.argv[2]))}
print(json.dumps(values))
"""


def document(texts: dict[str, str]) -> str:
    lines = [f'    {name}: {text}\n' for name, text in texts.items()]
    return 'reader:\n  ros__parameters:\n' + ''.join(lines)


def read(text: str) -> object:
    return parsed(f'a: {text}\n')['a']


@pytest.mark.parametrize(('text', 'expected'), {**AS_ROS_READS, **OF_TAGS}.items())
def test_a_value_has_the_type_that_ros_gives_it(text: str, expected: object) -> None:
    found = read(text)
    assert (type(found), found) == (type(expected), expected)


def test_a_nan_is_one() -> None:
    assert all(math.isnan(float(value_of(text))) for text in ('.nan', '.NaN', 'nan'))


def test_ros_itself_reads_the_same(ros_domain: None, tmp_path: Path) -> None:
    pytest.importorskip('rclpy')
    texts = {f'p{number:02}': text for number, text in enumerate(AS_ROS_READS)}
    path = tmp_path / 'params.yaml'
    path.write_text(document(texts))
    command = [sys.executable, '-c', PROGRAM, str(path), json.dumps(list(texts))]
    result = subprocess.run(command, capture_output=True, text=True, check=True, env=os.environ)
    of_ros = json.loads(result.stdout)
    ours = parsed(path.read_text())['reader']['ros__parameters']
    assert [name for name in texts if (type(ours[name]), ours[name]) != (
        type(of_ros[name]), of_ros[name])] == []  # fmt: skip
    assert len(ours) == len(AS_ROS_READS)


def test_names_stay_text() -> None:
    assert parsed('{y: 1, on: 2, 3: 4, ~: 5}') == {'y': 1, 'on': 2, '3': 4, '~': 5}


@pytest.mark.parametrize(
    ('text', 'message'),
    [
        ('!!null ~', 'ROS has no parameters of type null'),
        ('!!timestamp 2026-01-01', 'of type timestamp'),
        ('!!binary aGVsbG8=', 'of type binary'),
        ('!!python/object/apply:os.system [true]', 'could not determine a constructor'),
        ('!mine 3', 'could not determine a constructor'),
        ('!!float ten', 'could not convert'),
        ('&a [*a]', 'alias in line 1'),
    ],
)
def test_what_ros_has_no_parameter_for_is_refused(text: str, message: str) -> None:
    with pytest.raises((yaml.YAMLError, ValueError), match=message):
        read(text)
