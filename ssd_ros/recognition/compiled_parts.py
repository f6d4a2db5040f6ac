# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The parts of a query for which there is compiled code."""

from __future__ import annotations

from ssd_ros import verification
from ssd_ros.encoders import byte_rows


def use_compiled() -> None:
    """
    Verify and search with compiled code from then on, where numba is installed.

    It takes .4 s, at the first start of an installation 8 s, and is for a thread of its own.
    """
    verification.use_compiled()
    byte_rows.use_compiled()
