# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Check what is said of libraries that are not installed, and what of those that do not load."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path
import sys

import pytest
from ssd_ros.packages import require, way_out


def test_what_is_installed_is_not_asked_for() -> None:
    require('numpy', 'json')


def test_a_missing_package_is_named() -> None:
    with pytest.raises(ModuleNotFoundError) as caught:
        require('numpy', 'no_such_package')
    assert caught.value.name == 'no_such_package'


@pytest.mark.parametrize(
    ('name', 'expected'),
    [
        ('cv2', 'cv2 is not installed: pip install opencv-python-headless'),
        ('rosbags.interfaces', 'rosbags is not installed: pip install rosbags'),
        ('sensor_msgs.msg', 'sensor_msgs is not installed: source ROS 2 '),
        ('std_srvs', 'std_srvs is not installed: source ROS 2 '),
    ],
)
def test_where_a_package_comes_from_goes_by_its_first_name(
    monkeypatch: pytest.MonkeyPatch, name: str, expected: str
) -> None:
    monkeypatch.setitem(sys.modules, name.partition('.')[0], None)
    assert way_out(ModuleNotFoundError(name=name)).startswith(expected)


def test_a_package_that_lacks_a_part_is_too_old() -> None:
    said = way_out(ModuleNotFoundError(name='tqdm.contrib.nothing'))
    assert said == 'tqdm is too old, it has no tqdm.contrib.nothing: pip install --upgrade tqdm'


def test_a_library_that_does_not_load_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As OpenCV 5 says of NumPy 1."""
    (tmp_path / 'cv2.py').write_text("raise ImportError('numpy.core.multiarray failed to import')")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(sys.modules, 'cv2', raising=False)
    with pytest.raises(ImportError) as caught:
        import_module('cv2')
    said = way_out(caught.value)
    assert said.startswith('cv2 does not load (numpy.core.multiarray failed to import): install ')
    assert said.endswith('-c config/constraints/DISTRO.txt opencv-python-headless')


def test_a_name_that_a_module_of_ours_lacks_keeps_its_traceback() -> None:
    with pytest.raises(ImportError) as caught:
        exec('from ssd_ros.packages import no_such_name')
    with pytest.raises(ImportError):
        way_out(caught.value)


@pytest.mark.parametrize('name', ['ssd_ros.no_such_module', 'somebody', None])
def test_a_fault_of_ours_keeps_its_traceback(name: str | None) -> None:
    fault = ModuleNotFoundError('text', name=name)
    with pytest.raises(ModuleNotFoundError) as caught:
        way_out(fault)
    assert caught.value is fault
