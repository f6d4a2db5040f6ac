# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What tells right candidates from wrong ones, and how the log-odds of being right see it."""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray


class Features(NamedTuple):
    """
    Figures of candidates: numbers, or arrays of one shape.

    :param distance: between the descriptors, as a share of the map's novelty distance
    :param ratio: of this distance to that of the best other place
    :param overlap: of the geometric verification, 0 = no better than by chance
    :param agreement: share of the other verified candidates that give the same pose
    :param rival: overlap of the best other place as a share of its own, NaN where nothing fits
    :param support: share of recent queries that agree, NaN where it is not known
    """

    distance: ArrayLike
    ratio: ArrayLike
    overlap: ArrayLike
    agreement: ArrayLike
    rival: ArrayLike
    support: ArrayLike

    def select(self, chosen: Any) -> Features:
        """Return the chosen candidates, of arrays of shape (N,)."""
        return Features(*(np.asarray(values)[chosen] for values in self))


class _Use(NamedTuple):
    """
    How a figure counts.

    :param sign: of its weight: 1 = more of it never makes a candidate less likely, -1 = less
    :param limits: beyond which it counts as at the limit: what lies there was hardly seen in any
        calibration, and must not be extrapolated
    :param if_nan: what an unknown one counts as
    """

    sign: int
    limits: tuple[float, float]
    is_log: bool = False
    if_nan: float = math.nan

    def seen(self, values: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return what the weight multiplies."""
        known = np.clip(np.where(np.isnan(values), self.if_nan, values), *self.limits)
        return np.log(known) if self.is_log else known


FEATURES = Features._fields
_USES = {
    'distance': _Use(-1, (0.4, 1.5)),
    # In a map of a single place, where nothing else is there to be nearer, a ratio says nothing.
    'ratio': _Use(-1, (0.7, 2.0), is_log=True),
    'overlap': _Use(1, (0.0, 1.0)),
    'agreement': _Use(1, (0.0, 1.0)),
    'rival': _Use(-1, (0.0, 1.0), if_nan=1.0),
    'support': _Use(1, (0.0, 1.0)),
}
SIGNS = tuple(use.sign for use in _USES.values())  # of their weights


def feature_matrix(features: Features) -> NDArray[np.float64]:
    """Return what the weights multiply, shape (..., 6), in the order of FEATURES."""
    columns = np.broadcast_arrays(*(np.asarray(values, np.float64) for values in features))
    return np.stack(
        [use.seen(column) for use, column in zip(_USES.values(), columns, strict=True)], axis=-1
    )
