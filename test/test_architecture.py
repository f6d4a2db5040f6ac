# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Hold the house: folders import what stands below them, and are small enough to look into."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from functools import cache
from pathlib import Path
import re
from statistics import median
import subprocess
import sys

import pytest
import ssd_ros

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / 'ssd_ros'

# Lowest first; `.` is the package itself. A folder imports only what stands before it.
FOLDERS = """
. motion radar lidar confidence
datasets datasets/spinning datasets/bags datasets/formats
bev verification encoders/providers encoders/scans encoders maps maps/cells recognition
recognition/offline baselines view fleet
reports evaluation evaluation/queries evaluation/scores evaluation/judging evaluation/tables
simulator simulator/scene simulator/visits simulator/radars simulator/lidar simulator/recordings
simulator/shift
pose_graph
ros/health ros/parameters ros/messages ros/inputs ros/matching ros/adapters ros/outputs ros/node
ros/companions ros
cli/common cli/build_db cli/map cli/simulate cli/cache cli/contract cli/statistics
cli/estimate_rcs_correction cli/replay cli/view cli/serve cli/doctor cli/quickstart cli/evaluate
cli/compare cli/trust/asked cli/trust/judged cli/trust cli/demo cli/pose_graph_demo
cli/bench/against cli/bench cli/soak cli/localize cli
training training/batches training/networks training/losses training/runs training/export
training/ablation training/fourdral training/bench
""".split()  # noqa: SIM905
# Where a library may be imported, by the beginnings of paths.
ONLY_IN = {
    'aiohttp': (
        'view/server',
        'view/middleware',
        'fleet/server',
        'fleet/client',
        'cli/bench/fleet',
    ),
    'torch': ('training/',),
    'rclpy': ('ros/',),
    'sensor_msgs': ('ros/',),
    'onnxruntime': ('encoders/providers/onnx_session', 'training/'),
    'openvino': ('encoders/providers/openvino_session',),
    'faiss': ('baselines/', 'encoders/byte_rows', 'encoders/product_codes'),
    'cv2': ('baselines/', 'datasets/'),
    'numba': ('compiled', 'encoders/scans/compiled', 'verification/compiled_search'),
    'llvmlite': ('verification/compiled_search', 'encoders/scans/compiled'),
    'scipy': ('bev/outliers',),
    'gtsam': ('pose_graph/', 'ros/'),
    'map_closures': ('baselines/map_closures',),
    'argcomplete': ('cli/main',),
    'jinja2': ('reports/page',),
}
# Parts that a vehicle runs must start without what only a workstation has.
OFFLINE_ONLY = [
    'torch',
    'aiohttp',
    'numba',
    'matplotlib',
    'tqdm',
    'cv2',
    'rosbags',
    'scipy',
    'openvino',
    'argcomplete',
    'jinja2',
    'plotly',
]
MAX_MODULES = 15
MAX_MEDIAN = 8
NOT_COUNTED = {'__init__', '__main__'}
# `python -m ssd_ros` begins at the bottom of the house and calls the top.
MODULES = sorted(
    path
    for path in PACKAGE.rglob('*.py')
    if path not in (PACKAGE / '__init__.py', PACKAGE / '__main__.py')
)


def name_of(path: Path) -> str:
    return path.relative_to(PACKAGE).as_posix()


def folder_of(path: Path) -> str:
    return path.relative_to(PACKAGE).parent.as_posix()


def level_of(folder: str) -> int:
    assert folder in FOLDERS, f'{folder} has no place in FOLDERS: add it'
    return FOLDERS.index(folder)


@cache
def names_imported(path: Path) -> set[str]:
    names: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f'{path}: relative import'
            names |= {f'{node.module}.{alias.name}' for alias in node.names}
    return names


def folder_imported(name: str) -> str | None:
    """Return the folder of ours that an imported name lies in; None if it is not ours."""
    package, *parts = name.split('.')
    if package != 'ssd_ros' or parts == ['__version__']:
        return None
    while parts and not (PACKAGE.joinpath(*parts).is_dir() or module_file(parts).is_file()):
        parts.pop()  # a name within a module
    where = PACKAGE.joinpath(*parts)
    return folder_of(where / '__init__.py' if where.is_dir() else module_file(parts))


def module_file(parts: list[str]) -> Path:
    return PACKAGE.joinpath(*parts).with_suffix('.py')


@pytest.mark.parametrize('path', MODULES, ids=name_of)
def test_imports_point_down(path: Path) -> None:
    here = folder_of(path)
    for name in names_imported(path):
        places = ONLY_IN.get(name.partition('.')[0], ('',))
        assert name_of(path).startswith(places), f'{name_of(path)} must not import {name}'
        there = folder_imported(name)
        if there not in (None, here):
            assert level_of(there) < level_of(here), f'{here} must not import {there}'


@pytest.mark.parametrize('path', MODULES, ids=name_of)
def test_nothing_of_ours_asks_the_package_for_what_a_module_has(path: Path) -> None:
    """`import ssd_ros` offers it to programs; from within it would be an import upwards."""
    asked = {name for name in names_imported(path) if folder_imported(name) == '.'}
    offered = {f'ssd_ros.{name}' for name in ssd_ros.__all__}
    assert asked & offered == set()
    assert 'ssd_ros' not in asked


def test_every_folder_of_the_list_is_there_and_says_what_it_is() -> None:
    inits = [PACKAGE / folder / '__init__.py' for folder in FOLDERS]
    assert [
        str(path) for path in inits if not ast.get_docstring(ast.parse(path.read_text()))
    ] == []
    assert len(set(FOLDERS)) == len(FOLDERS)


def test_contributing_tells_of_the_folders_in_this_order() -> None:
    table = (ROOT / 'CONTRIBUTING.md').read_text().split('```')[1]
    named = [line.split()[0] for line in table.strip().splitlines()]
    tops = dict.fromkeys(folder.partition('/')[0] for folder in FOLDERS)
    assert named[::-1] == list(tops)


def modules_by_folder(*tops: Path) -> Iterator[tuple[Path, list[str]]]:
    for top in tops:
        for folder in sorted({path.parent for path in top.rglob('*.py')}):
            names = [path.stem for path in folder.glob('*.py') if path.stem not in NOT_COUNTED]
            if names:
                yield folder, names


def test_no_folder_holds_more_than_a_glance_takes_in() -> None:
    counts = {folder: len(names) for folder, names in modules_by_folder(PACKAGE, ROOT / 'test')}
    assert {str(folder): num for folder, num in counts.items() if num > MAX_MODULES} == {}
    assert median(counts.values()) <= MAX_MEDIAN


def test_no_module_repeats_the_name_of_its_folder() -> None:
    repeating = [
        f'{folder.relative_to(ROOT)}/{name}.py'
        for folder, names in modules_by_folder(PACKAGE)
        for name in names
        if re.match(rf'{re.escape(folder.name.removesuffix("s"))}s?(_|$)', name)
    ]
    assert repeating == []


def test_no_module_only_passes_on_what_another_one_has() -> None:
    shims = []
    for path in MODULES:
        body = ast.parse(path.read_text()).body
        rest = [
            node for node in body if not isinstance(node, ast.Import | ast.ImportFrom | ast.Expr)
        ]
        if path.stem not in NOT_COUNTED and not rest:
            shims.append(name_of(path))
    assert shims == []


def test_every_folder_of_a_command_runs_with_python_m() -> None:
    folders = {path.parent for path in (PACKAGE / 'cli').glob('*/command.py')}
    assert len(folders) >= 12
    assert [str(folder) for folder in folders if not (folder / '__main__.py').is_file()] == []


def test_the_real_time_path_runs_without_torch_and_offline_libraries() -> None:
    program = (
        'import sys\n'
        f'for name in {OFFLINE_ONLY!r}: sys.modules[name] = None\n'
        'import ssd_ros.recognition.place_recognizer, ssd_ros.cli.localize.command\n'
        'try: import rclpy\n'
        'except ImportError: pass\n'
        'else: import ssd_ros.ros.node.localize_node\n'
    )
    subprocess.run([sys.executable, '-c', program], check=True, cwd=ROOT)


def test_every_source_file_starts_with_its_licence() -> None:
    header = ['# Copyright 2026 The ssd_ros authors', '# SPDX-License-Identifier: Apache-2.0']
    sources = [*ROOT.glob('*.py'), *MODULES, *ROOT.glob('launch/*.py'), *ROOT.glob('test/**/*.py')]
    bare = [str(path) for path in sources if path.read_text().splitlines()[:2] != header]
    assert bare == []


@pytest.mark.parametrize('path', MODULES, ids=name_of)
def test_nothing_is_unpickled(path: Path) -> None:
    """An untrusted model, map, bag or YAML must not be able to run code."""
    text = path.read_text()
    for word in ('import pickle', 'allow_pickle=True', 'yaml.load(', 'weights_only=False'):
        assert word not in text, f'{path} contains {word}'
