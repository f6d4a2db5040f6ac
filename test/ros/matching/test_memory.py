# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What is freed is the system's again, whatever stands behind it."""

from __future__ import annotations

import ctypes
from pathlib import Path

import numpy as np
import pytest
from ssd_ros.ros.matching.memory import give_back_memory


def anonymous_mb() -> float:
    lines = Path('/proc/self/smaps_rollup').read_text().splitlines()
    (line,) = [line for line in lines if line.startswith('Anonymous:')]
    return float(line.split()[1]) / 1024


@pytest.mark.skipif(not hasattr(ctypes.CDLL(None), 'malloc_trim'), reason='another C library')
def test_what_was_freed_before_something_that_stays_goes_back() -> None:
    give_back_memory()
    before_mb = anonymous_mb()
    arrays = [np.ones(12_000) for _ in range(1200)]  # 92 KB each: of the heap, not mapped
    assert anonymous_mb() > before_mb + 100
    last = arrays[-1]
    del arrays
    assert anonymous_mb() > before_mb + 50  # what this is about
    give_back_memory()
    assert anonymous_mb() < before_mb + 20
    assert last[0] == 1
