# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""
Reproducible randomness: one named stream for each component, session and frame.

A component never draws from the stream of another, so changing one knob (the parked cars, say)
leaves everything else as it was, and any frame can be made alone, in any order.
"""

from __future__ import annotations

from functools import cache
import math
import zlib

import numpy as np
from numpy.typing import NDArray

_POOL_SIZE = 1 << 22


def stream(seed: int, component: str, session: int = 0, frame: int = 0) -> np.random.Generator:
    """Return the generator of one component of a world, session and frame."""
    key = (zlib.crc32(component.encode()), session, frame)
    sequence = np.random.SeedSequence(entropy=seed, spawn_key=key)
    return np.random.Generator(np.random.SFC64(sequence))


def drawn(rng: np.random.Generator, kind: str, shape: tuple[int, ...]) -> NDArray[np.float32]:
    """
    Draw independent numbers.

    :param kind: random, standard_normal or standard_exponential
    """
    numbers: NDArray[np.float32] = getattr(rng, kind)(shape, np.float32)
    return numbers


def from_pool(rng: np.random.Generator, kind: str, shape: tuple[int, ...]) -> NDArray[np.float32]:
    """
    Return numbers that were drawn once for all, from anywhere among them; do not change them.

    They cost nothing and lack nothing but independence: two calls may return parts that overlap.
    """
    num, pool = math.prod(shape), _pool(kind)
    if 2 * num > len(pool):
        return drawn(rng, kind, shape)
    first = int(rng.integers(len(pool) - num))
    return pool[first : first + num].reshape(shape)


@cache
def _pool(kind: str) -> NDArray[np.float32]:
    return drawn(stream(0, f'pool/{kind}'), kind, (_POOL_SIZE,))
