# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""
Message packages of back ends, made from test/interfaces for a machine without them.

PyPI has rclpy, the rosidl generators and the headers of the common messages, but no rtabmap_msgs.
The generators of the wheels write C, and one call of the compiler per source makes a package that
rclpy sends over DDS like any other. What is made is kept under build/ until a definition changes.
"""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
import contextlib
import hashlib
from importlib.metadata import version
import io
import json
import os
from pathlib import Path
import shutil
import subprocess
import sys
import sysconfig
import tempfile

import numpy as np

DEFINITIONS = Path(__file__).parents[1] / 'interfaces'
BUILT = Path(__file__).parents[2] / 'build' / 'message_packages'
_PREFIX = Path(sys.prefix)
_DEPENDENCIES = (
    *('builtin_interfaces', 'geometry_msgs', 'sensor_msgs', 'std_msgs', 'service_msgs'),
)
_TYPE_HASHES = 'rosidl_generator_type_description'
# Those that rmw_fastrtps_cpp, the one rmw of the wheels, asks for.
_TYPESUPPORTS = ('rosidl_typesupport_fastrtps_c', 'rosidl_typesupport_introspection_c')
_CPP_GENERATORS = ('rosidl_typesupport_c', 'rosidl_typesupport_fastrtps_c')


class CannotBuildError(RuntimeError):
    """The machine lacks something that making message packages needs."""


def built_packages() -> Path:
    """
    Return the folder with the packages of test/interfaces, made now if need be.

    :raise CannotBuildError: a compiler or the generators are missing
    """
    _check_machine()
    sources = sorted(path for path in DEFINITIONS.rglob('*') if path.suffix in ('.msg', '.srv'))
    digest = hashlib.sha256(f'{sys.prefix} {sys.version} {version("ros-rclpy")}'.encode())
    for path in [Path(__file__), *sources]:
        digest.update(path.relative_to(DEFINITIONS.parent).as_posix().encode() + path.read_bytes())
    target = BUILT / digest.hexdigest()[:16]
    if not target.exists():
        target.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=target.parent) as folder:
            for name in sorted({path.relative_to(DEFINITIONS).parts[0] for path in sources}):
                _Package(name, Path(folder)).build()
            with contextlib.suppress(OSError):  # another test run was faster
                Path(folder).rename(target)
                Path(folder).mkdir()  # for TemporaryDirectory to remove
    return target


def _check_machine() -> None:
    for program in ('gcc', 'g++'):
        if shutil.which(program) is None:
            raise CannotBuildError(f'{program} is not installed')
    if not (_PREFIX / 'share' / 'rosidl_generator_py').exists():
        raise CannotBuildError(f'{_PREFIX} has no rosidl generators (the ROS wheels have)')


class _Package:
    """One package on its way from definitions to something Python imports."""

    def __init__(self, name: str, folder: Path) -> None:
        self._name = name
        self._output = folder / name
        self._work = folder / f'.{name}'
        self._files = [
            path.relative_to(DEFINITIONS / name)
            for path in sorted((DEFINITIONS / name).rglob('*.*'))
        ]

    def build(self) -> None:
        with contextlib.redirect_stdout(io.StringIO()):  # the generators report every file
            sources = self._generated()
        with ThreadPoolExecutor(2) as pool:
            objects = list(pool.map(self._compiled, sources))
        self._link(objects)
        shutil.rmtree(self._work)

    def _generated(self) -> list[Path]:
        from rosidl_adapter.msg import convert_msg_to_idl
        from rosidl_adapter.srv import convert_srv_to_idl
        from rosidl_generator_c import generate_c
        from rosidl_generator_py import generate_py
        from rosidl_generator_type_description import generate_type_hash
        from rosidl_typesupport_c import generate_c as generate_typesupport_c
        from rosidl_typesupport_fastrtps_c import generate_typesupport_fastrtps_c
        from rosidl_typesupport_introspection_c import generate_c as generate_introspection_c

        for file in self._files:
            convert = convert_msg_to_idl if file.suffix == '.msg' else convert_srv_to_idl
            folder = self._work / 'idl' / file.parent
            convert(DEFINITIONS / self._name, self._name, file, folder)
        generate_type_hash(self._arguments(_TYPE_HASHES))
        generate_c(self._arguments('rosidl_generator_c'))
        generate_typesupport_fastrtps_c(self._arguments(_TYPESUPPORTS[0]))
        generate_introspection_c(self._arguments(_TYPESUPPORTS[1]))
        generate_typesupport_c(self._arguments('rosidl_typesupport_c'), list(_TYPESUPPORTS))
        generate_py(self._arguments('rosidl_generator_py'), ['rosidl_typesupport_c'])
        for generator in ('rosidl_generator_c', *_TYPESUPPORTS):
            self._write_visibility(generator)
        shutil.copytree(
            self._folder('rosidl_generator_py'),
            self._output,
            ignore=shutil.ignore_patterns('*.c'),
        )
        (self._output / '__init__.py').touch()
        return [*sorted(self._work.rglob('*.c')), *map(self._joined, _CPP_GENERATORS)]

    def _joined(self, generator: str) -> Path:
        """Include all sources of a generator in one: the headers of DDS take long to compile."""
        joined = self._work / f'{generator}.cpp'
        sources = sorted(self._folder(generator).rglob('*.cpp'))
        joined.write_text(''.join(f'#include "{source}"\n' for source in sources))
        return joined

    def _folder(self, generator: str) -> Path:
        """Return where a generator writes: two of them use the same names."""
        return self._work / generator / self._name

    def _arguments(self, generator: str) -> str:
        """Write what a generator wants to know, and return the path as it takes it."""
        idl_files = [file.with_suffix('.idl').as_posix() for file in self._files]
        arguments = {
            'package_name': self._name,
            'output_dir': str(self._folder(generator)),
            'template_dir': str(_PREFIX / 'share' / generator / 'resource'),
            'idl_tuples': [f'{self._work / "idl"}:{file}' for file in idl_files],
            'include_paths': [f'{name}:{_PREFIX / "share" / name}' for name in _DEPENDENCIES],
            'ros_interface_dependencies': [],
            'ros_interface_files': [str(DEFINITIONS / self._name / file) for file in self._files],
            'target_dependencies': [],
        }
        if generator == 'rosidl_generator_c':
            arguments['type_description_tuples'] = [
                f'{file}:{(self._folder(_TYPE_HASHES) / file).with_suffix(".json")}'
                for file in idl_files
            ]
        path = self._work / f'{generator}.json'
        path.write_text(json.dumps(arguments))
        return str(path)

    def _write_visibility(self, generator: str) -> None:
        name = f'{generator}__visibility_control.h'
        text = (_PREFIX / 'share' / generator / 'resource' / f'{name}.in').read_text()
        for key, value in (
            ('PROJECT_NAME', self._name),
            ('PROJECT_NAME_UPPER', self._name.upper()),
        ):
            text = text.replace(f'@{key}@', value)
        folder = self._folder(generator) / 'msg'
        folder.mkdir(exist_ok=True)
        (folder / name).write_text(text)

    def _compiled(self, source: Path) -> Path:
        result = self._work / f'{hashlib.sha1(str(source).encode()).hexdigest()}.o'
        includes = [path for path in self._work.iterdir() if path.is_dir()]
        includes += [sysconfig.get_paths()['include'], np.get_include()]
        includes += [path for path in (_PREFIX / 'include').iterdir() if path.is_dir()]
        command = ['g++' if source.suffix == '.cpp' else 'gcc', '-O0', '-fPIC', '-w']
        command += [f'-I{folder}' for folder in [*includes, _PREFIX / 'include']]
        _run([*command, '-c', str(source), '-o', str(result)])
        return result

    def _link(self, objects: list[Path]) -> None:
        """
        Put all of the package into the library that Python loads.

        rosidl_typesupport_c opens the library of a type support by its name. Python has loaded
        libraries of these names by then; they are empty and lead to the one with everything.
        """
        libraries = [
            _PREFIX / 'lib' / f'lib{package}__{part}.so'
            for package in _DEPENDENCIES
            for part in (
                'rosidl_generator_c',
                'rosidl_generator_py',
                'rosidl_typesupport_c',
                *_TYPESUPPORTS,
            )
        ]
        for name in ('rosidl_runtime_c', 'rosidl_typesupport_c', *_TYPESUPPORTS, 'fastcdr'):
            libraries.append(_PREFIX / 'lib' / f'lib{name}.so')
        everything = self._linked(f'lib{self._name}__all.so', [*objects, *libraries])
        stubs = [
            self._linked(f'lib{self._name}__{typesupport}.so', [everything])
            for typesupport in _TYPESUPPORTS
        ]
        suffix = sysconfig.get_config_var('EXT_SUFFIX')
        self._linked(f'{self._name}_s__rosidl_typesupport_c{suffix}', [everything, *stubs])

    def _linked(self, name: str, parts: list[Path]) -> Path:
        command = ['g++', '-shared', f'-Wl,-soname,{name}', '-Wl,--no-as-needed']
        command += ['-Wl,-rpath,$ORIGIN', f'-Wl,-rpath,{_PREFIX / "lib"}']
        output = self._output / name
        _run([*command, '-o', str(output), *map(str, parts)])
        return output


def _run(command: list[str]) -> None:
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode:
        raise RuntimeError(f'{" ".join(command)}\n{done.stderr}')


@contextlib.contextmanager
def importable(folder: Path) -> Iterator[None]:
    """Let this process and its children import what is in a folder."""
    before = os.environ.get('PYTHONPATH')
    os.environ['PYTHONPATH'] = os.pathsep.join([str(folder), *filter(None, [before])])
    sys.path.insert(0, str(folder))
    yield
    sys.path.remove(str(folder))
    if before is None:
        del os.environ['PYTHONPATH']
    else:
        os.environ['PYTHONPATH'] = before
