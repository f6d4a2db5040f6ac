# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Compiled functions, kept for the next start where there is a place for them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from numba import njit

Function = TypeVar('Function', bound=Callable[..., Any])


def compiled(signature: Any = None, **options: Any) -> Callable[[Function], Function]:
    """
    Return a decorator that compiles a function.

    A read-only installation without a writable home has no place for a cache: there it is
    compiled anew at each start.

    :param signature: of numba.njit; None = compile at the first call
    :param options: of numba.njit
    """

    def decorate(function: Function) -> Function:
        try:
            result: Function = njit(signature, cache=True, **options)(function)
        except RuntimeError:  # "cannot cache function ...: no locator available"
            result = njit(signature, **options)(function)
        return result

    return decorate


def _leave_out_scipy() -> None:
    """
    Have numba not import SciPy's linear algebra, for a sixth of a second, where it is installed.

    Numba looks for it when arrays are first compiled or read from a cache, to correlate and
    convolve floats. Products of matrices are compiled as before.
    """
    try:
        from numba.np import linalg

        ensure_blas = linalg.ensure_blas
    except (ImportError, AttributeError):  # of another release
        return

    def refuse() -> None:
        raise ImportError

    linalg.ensure_blas = refuse
    try:
        import numba.np.arraymath  # noqa: F401
    finally:
        linalg.ensure_blas = ensure_blas


_leave_out_scipy()
