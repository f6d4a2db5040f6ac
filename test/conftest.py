# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""ROS for tests: a domain of its own, a peer to talk with, processes that leave nothing behind."""

from __future__ import annotations

from collections.abc import Iterator
import os
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from ssd_ros.ros.companions.dds_environment import isolated_dds

if TYPE_CHECKING:
    from support.ros import Peer, Processes

PROFILE = Path(__file__).parents[1] / 'config' / 'fastdds_profile.xml'


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
