# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Two nodes for tests of adapters, and the message packages of back ends."""

from __future__ import annotations

from collections.abc import Iterator
import contextlib
from typing import TYPE_CHECKING

import message_packages
import pytest

if TYPE_CHECKING:
    from adapter_helpers import Pair


@pytest.fixture
def pair(ros_domain: None) -> Iterator[Pair]:
    """Make the node that has the adapter and the back end."""
    from adapter_helpers import Pair

    with contextlib.ExitStack() as stack:
        yield Pair(stack)


@pytest.fixture(scope='module')
def back_end_messages() -> Iterator[None]:
    """Make rtabmap_msgs and the others importable, here and in child processes."""
    try:
        folder = message_packages.built_packages()
    except message_packages.CannotBuildError as error:
        pytest.skip(f'message packages cannot be made: {error}')
    with message_packages.importable(folder):
        yield
