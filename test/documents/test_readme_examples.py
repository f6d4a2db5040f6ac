# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Run the examples of README and documentation on candidates as the node publishes them."""

from __future__ import annotations

import contextlib
import io
import json
from pathlib import Path
import re
import shutil
import subprocess
import sys

import numpy as np
from numpy.typing import NDArray
import pytest
from ssd_ros.cli.build_db.command import main as build_db
from ssd_ros.datasets.formats.hercules import write_hercules
from ssd_ros.recognition import candidates
from ssd_ros.recognition.candidates import DTYPE, FIELDS, Flag
from support.posts import straight_drive

ROOT = Path(__file__).parents[2]
DOCUMENTS = 'README.md', 'resource/docs/reference/candidates.md'
TEXT = '\n'.join((ROOT / name).read_text() for name in DOCUMENTS)
PREFIX = Path(sys.prefix)
# The message and those that it consists of.
MESSAGES = {
    'builtin_interfaces': ['Time'],
    'std_msgs': ['Header'],
    'sensor_msgs': ['PointField', 'PointCloud2'],
}
# Fills a message from a file, in the order of Python's to_msg().
PROGRAM = """
#include <fstream>
#include <iostream>
#include <iterator>
%(example)s
int main(int, char ** argv)
{
  sensor_msgs::msg::PointCloud2 msg;
  std::ifstream file(argv[1], std::ios::binary);
  msg.data.assign(std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>());
  msg.height = 1;
  msg.point_step = %(step)d;
  msg.width = msg.data.size() / msg.point_step;
  msg.row_step = msg.data.size();
  %(fields)s
  for_each_accepted(msg, [](uint32_t id, float x, float y, float yaw) {
      std::cout << id << ' ' << x << ' ' << y << ' ' << yaw << std::endl;
    });
}
"""


def example(language: str, beginning: str = '') -> str:
    found = re.findall(rf'^```{language}\n({beginning}.*?)^```', TEXT, re.MULTILINE | re.DOTALL)
    assert len(found) == 1
    return str(found[0])


def three_rows() -> NDArray[np.void]:
    """Return two accepted candidates with a rejected one between them."""
    rows = np.zeros(3, DTYPE)
    rows['keyframe_id'] = 7, 8, 4_000_000_000
    rows['flags'] = Flag.ACCEPTED | Flag.YAW_VALID, Flag.AMBIGUOUS, Flag.ACCEPTED
    rows['relative_x'] = 1.5, 9.0, np.nan
    rows['relative_y'] = -0.25, 9.0, np.nan
    rows['relative_yaw'] = 0.125, 9.0, -3.0
    return rows


def generated_headers(folder: Path) -> None:
    """Write the C++ headers of the messages, which the wheels of ROS lack."""
    from rosidl_generator_cpp import generate_cpp  # type: ignore[import-untyped]

    resource = PREFIX / 'share' / 'rosidl_generator_cpp' / 'resource'
    visibility = 'rosidl_generator_cpp__visibility_control.hpp'
    for package, names in MESSAGES.items():
        share = PREFIX / 'share' / package
        arguments = {
            'package_name': package,
            'output_dir': str(folder / package),
            'template_dir': str(resource),
            'idl_tuples': [f'{share}:msg/{name}.idl' for name in names],
            'type_description_tuples': [
                f'msg/{name}.idl:{share / "msg" / name}.json' for name in names
            ],
            'include_paths': [],
            'ros_interface_dependencies': [],
            'ros_interface_files': [],
            'target_dependencies': [],
        }
        path = folder / f'{package}.json'
        path.write_text(json.dumps(arguments))
        with contextlib.redirect_stdout(io.StringIO()):  # it reports every file
            generate_cpp(str(path))
        text = (resource / f'{visibility}.in').read_text()
        text = text.replace('@PROJECT_NAME@', package)
        text = text.replace('@PROJECT_NAME_UPPER@', package.upper())
        (folder / package / 'msg' / visibility).write_text(text)


@pytest.fixture(scope='module')
def compiled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Compile the example with the headers of ROS, every warning an error."""
    if shutil.which('g++') is None:
        pytest.skip('g++ is not installed')
    pytest.importorskip('rosidl_generator_cpp', reason='needs the ROS wheels')
    folder = tmp_path_factory.mktemp('cpp')
    generated_headers(folder)
    fields = [
        f'msg.fields.emplace_back(); msg.fields.back().name = "{name}"; '
        f'msg.fields.back().offset = {offset}; msg.fields.back().datatype = {datatype}; '
        'msg.fields.back().count = 1;'
        for name, offset, datatype in FIELDS
    ]
    program = PROGRAM % {
        'example': example('cpp'),
        'step': DTYPE.itemsize,
        'fields': '\n  '.join(fields),
    }
    source = folder / 'example.cpp'
    source.write_text(program)
    installed = [path for path in (PREFIX / 'include').iterdir() if path.is_dir()]
    command = ['g++', '-std=c++17', '-Wall', '-Wextra', '-Werror', str(source)]
    for include in (folder, *installed):
        command += ['-isystem', str(include)]
    done = subprocess.run(
        [*command, '-o', str(folder / 'example')], capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    return folder / 'example'


@pytest.mark.slow
def test_the_cpp_example_finds_the_accepted_candidates(compiled: Path, tmp_path: Path) -> None:
    data = tmp_path / 'data'
    data.write_bytes(three_rows().tobytes())
    lines = subprocess.check_output([compiled, data], text=True).splitlines()
    assert lines == ['7 1.5 -0.25 0.125', '4000000000 nan nan -3']


@pytest.mark.slow
def test_the_cpp_example_takes_an_answer_without_candidates(
    compiled: Path, tmp_path: Path
) -> None:
    data = tmp_path / 'data'
    data.write_bytes(b'')
    assert subprocess.check_output([compiled, data], text=True) == ''


def test_the_cpp_example_fits_on_a_screen() -> None:
    assert example('cpp').count('\n') <= 16


def test_the_python_example_prints_the_accepted_candidates(
    capsys: pytest.CaptureFixture[str],
) -> None:
    messages = pytest.importorskip('sensor_msgs.msg', reason='needs ROS messages')
    namespace: dict[str, object] = {}
    exec(example('python', 'from ssd_ros.recognition'), namespace)
    on_candidates = namespace['on_candidates']
    assert callable(on_candidates)
    on_candidates(candidates.to_msg(three_rows(), messages.PointCloud2(), messages.PointField))
    assert capsys.readouterr().out.splitlines() == [
        '7 1.5 -0.25 0.125',
        '4000000000 nan nan -3.0',
    ]


def test_the_eight_lines_find_the_places_of_a_drive(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    write_hercules(tmp_path / 'HeRCULES', 'Library', '02', straight_drive(num=5))
    monkeypatch.chdir(tmp_path)
    drive = ['--input', 'HeRCULES/Library/02']
    assert build_db([*drive, '--output', 'library.map', '--views', '12']) == 0
    capsys.readouterr()
    code = example('python', 'import ssd_ros\n')
    assert len([line for line in code.splitlines() if line]) == 8
    exec(code, {})
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 5
    found = [re.fullmatch(r'(\d+) \[(.*)\] (\w+) .*', line) for line in lines]
    assert [match and int(match[1]) for match in found] == [0, 1, 2, 3, 4]
