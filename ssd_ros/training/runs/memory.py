# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Memory of a training: what a step frees is there for the next one."""

from __future__ import annotations

import ctypes

# Of mallopt(3), in malloc.h of glibc.
_TRIM_THRESHOLD, _MMAP_MAX = -1, -4


def keep_freed_memory() -> None:
    """
    Keep memory that is freed in this process instead of giving it back to the system.

    Where the C library is glibc; else nothing changes. Steps allocate the same again and again,
    and getting it from the system each time took 15 % of a training.
    """
    if mallopt := getattr(ctypes.CDLL(None), 'mallopt', None):
        mallopt(_MMAP_MAX, 0)
        mallopt(_TRIM_THRESHOLD, -1)  # never trimmed
