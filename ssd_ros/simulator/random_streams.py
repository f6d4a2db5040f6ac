# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""
Reproducible randomness: one named stream for each component, session and frame.

A component never draws from the stream of another, so changing one knob (the parked cars, say)
leaves everything else as it was, and any frame can be made alone, in any order.
"""

from __future__ import annotations

import zlib

import numpy as np


def stream(seed: int, component: str, session: int = 0, frame: int = 0) -> np.random.Generator:
    """Return the generator of one component of a world, session and frame."""
    key = (zlib.crc32(component.encode()), session, frame)
    sequence = np.random.SeedSequence(entropy=seed, spawn_key=key)
    return np.random.Generator(np.random.SFC64(sequence))
