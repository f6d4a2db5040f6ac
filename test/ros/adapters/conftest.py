# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Two nodes for tests of adapters."""

from __future__ import annotations

from collections.abc import Iterator
import contextlib
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from support.adapters import Pair


@pytest.fixture
def pair(ros_domain: None) -> Iterator[Pair]:
    """Make the node that has the adapter and the back end."""
    from support.adapters import Pair

    with contextlib.ExitStack() as stack:
        yield Pair(stack)
