# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""
Which of the two searches for a pose is used: the compiled one where numba is installed.

Nothing waits for it: NumPy searches until the other is ready, and finds the same.
"""

from __future__ import annotations

import numpy as np
from ssd_ros.verification import numpy_search
from ssd_ros.verification.likelihood import KeyframeGrids, REACH_M
from ssd_ros.verification.pose_search import Fit, Headings, PoseSearch

NOT_INSTALLED = 'numba is not installed'

_chosen: PoseSearch = numpy_search
_why_numpy = 'not asked for'


def pose_search() -> PoseSearch:
    """Return the search to use now."""
    return _chosen


def why_numpy() -> str:
    """Return why NumPy searches, '' if compiled code does."""
    return _why_numpy


def use_compiled() -> None:
    """
    Load the compiled search and use it from then on, if it can be had and finds the same.

    It takes .4 s, at the first start of an installation 8 s. Whatever fails leaves NumPy.
    """
    global _chosen, _why_numpy
    try:
        from ssd_ros.verification import compiled_search

        if _found(compiled_search) != _found(numpy_search):
            raise ArithmeticError(
                'compiled code finds another pose than NumPy: remove __pycache__'
            )
    except ModuleNotFoundError:
        _why_numpy = NOT_INSTALLED
    except Exception as error:  # of a compiler, on a machine that nobody tried
        _why_numpy = f'{type(error).__name__}: {error}'
    else:
        _chosen, _why_numpy = compiled_search, ''


def _found(search: PoseSearch) -> tuple[object, ...]:
    """Return what a search finds of made-up points in a made-up keyframe."""
    generator = np.random.default_rng(0)
    seen_m = generator.uniform(-REACH_M / 2, REACH_M / 2, (800, 2))
    grids = KeyframeGrids()
    search.draw((seen_m * 100).astype(np.int16), grids)
    points_m = (seen_m + generator.normal((2, -1), 0.2, seen_m.shape)).astype(np.float32)
    found: Fit = search.fit(points_m, Headings.about(0.05), grids)
    rest = (grids.fine, grids.coarse, found.sums, found.explained)
    return (*found[:4], *(array.tobytes() for array in rest))
