# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What describes an image without returns, where the formula of a method says nothing useful."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def unlike_all(size: int) -> NDArray[np.float32]:
    """
    Return a descriptor that is farther from each in [-1, 1] than those are from each other.

    Zeros would be nearer to a descriptor of unit length than another place is. Published code
    divides by zero here or does not ask, so it is the same in both variants.
    """
    return np.full(size, 3, np.float32)
