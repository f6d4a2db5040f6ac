# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Message packages that the wheels lack."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from support import message_packages


@pytest.fixture(scope='module')
def built_messages(ros_domain: None) -> Iterator[None]:
    """
    Make the packages of test/interfaces importable, here and in child processes.

    After the domain, which puts the whole environment back when it ends.
    """
    try:
        folder = message_packages.built_packages()
    except message_packages.CannotBuildError as error:
        pytest.skip(f'message packages cannot be made: {error}')
    with message_packages.importable(folder):
        yield
