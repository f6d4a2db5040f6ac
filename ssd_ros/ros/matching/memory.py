# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Memory that is free, and that the C library keeps from the system all the same."""

from __future__ import annotations

import ctypes


def give_back_memory() -> None:
    """
    Give the system what is free; it takes some 10 ms.

    The C library of GNU keeps arrays of up to 32 MB for later, after a map was replaced most of
    it. Others have no such call.
    """
    trim = getattr(ctypes.CDLL(None), 'malloc_trim', None)
    if trim is not None:
        trim(0)
