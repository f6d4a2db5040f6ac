# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""
Covariances, symmetric to the last bit.

Matrix products round differently above and below the diagonal, as the kernel that the processor
gets happens to sum. Solvers that factor a covariance, and readers that compare it, see a fault.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def symmetric(matrix: NDArray[np.floating]) -> NDArray[np.float64]:
    """Return the mean of a matrix and its transpose, shape (N, N)."""
    return np.asarray((matrix + matrix.T) / 2, np.float64)


def carried(
    jacobian: NDArray[np.floating], covariance: NDArray[np.floating]
) -> NDArray[np.float64]:
    """
    Return the covariance of a linear function of an uncertain vector.

    :param jacobian: shape (M, N)
    :param covariance: shape (N, N)
    :return: shape (M, M)
    """
    return symmetric(jacobian @ covariance @ jacobian.T)
