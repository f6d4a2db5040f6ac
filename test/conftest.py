# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""ROS for tests: a domain of its own, a peer to talk with, processes that leave nothing behind."""

from __future__ import annotations

from collections.abc import Iterator
from importlib.util import find_spec
import os
from pathlib import Path
import tempfile
from typing import TYPE_CHECKING

import pytest
from ssd_ros.ros.companions.dds_environment import isolated_dds

if TYPE_CHECKING:
    from support.ros import Peer, Processes

HAS_TORCH = find_spec('torch') is not None
# Its modules import PyTorch.
collect_ignore = [] if HAS_TORCH else ['training']
TRAINING = Path(__file__).parent / 'training'
PROFILE = Path(__file__).parents[1] / 'config' / 'fastdds_profile.xml'


def pytest_configure(config: pytest.Config) -> None:
    """Give this run, and all that it starts, a cache of its own beside what others keep there."""
    if hasattr(config, 'workerinput'):  # of pytest-xdist: its parent has done so
        return
    folder = tempfile.TemporaryDirectory(prefix='ssd_ros_cache.')
    config.add_cleanup(folder.cleanup)
    before = Path(os.environ.get('XDG_CACHE_HOME') or Path.home() / '.cache')
    for entry in before.iterdir() if before.is_dir() else ():
        if entry.name != 'ssd_ros':
            Path(folder.name, entry.name).symlink_to(entry)
    os.environ['XDG_CACHE_HOME'] = folder.name


def pytest_report_header() -> str:
    """Say at the start what will be left out."""
    return f'PyTorch: {"installed" if HAS_TORCH else "missing, tests of training are left out"}'


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark the tests of training, and skip those elsewhere that need it."""
    missing = pytest.mark.skip(reason='PyTorch is not installed (make test-training)')
    for item in items:
        if TRAINING in item.path.parents:
            item.add_marker(pytest.mark.training)
        if item.get_closest_marker('training') and not HAS_TORCH:
            item.add_marker(missing)


@pytest.fixture(scope='module')
def ros_domain(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Put this process and its children into a domain that no other test run has."""
    before = dict(os.environ)
    with isolated_dds(PROFILE) as variables:
        os.environ.update(variables, ROS_LOG_DIR=str(tmp_path_factory.mktemp('ros_log')))
        yield
        os.environ.clear()
        os.environ.update(before)


@pytest.fixture
def processes(ros_domain: None, tmp_path: Path) -> Iterator[Processes]:
    """Start processes; a test that leaves one running fails."""
    from support.ros import Processes

    with Processes(tmp_path) as started:
        yield started


@pytest.fixture(scope='module')
def peer(ros_domain: None) -> Iterator[Peer]:
    """Make a node in this process that publishes, listens and calls services."""
    from support.ros import Peer

    with Peer() as node:
        yield node
