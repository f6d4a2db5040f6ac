# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The street that servers serve."""

from __future__ import annotations

from pathlib import Path

import pytest
from support.fleet.served import write_street


@pytest.fixture(scope='module')
def directory(tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = tmp_path_factory.mktemp('served')
    write_street(directory)
    return directory
