# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The two forms of a handcrafted method: as its code was released, and with its defects mended."""

from __future__ import annotations

from typing import Literal

Variant = Literal['released', 'repaired']

# Views into which a turn is cut for queries that see a part of it. The learned teacher has 36;
# of the 32,768 numbers of RadVLAD those would fill gigabytes. Nothing was cut as published.
NUM_VIEWS: dict[Variant, int] = {'released': 1, 'repaired': 12}


def check_variant(variant: str) -> Variant:
    """Return the variant of this name."""
    for known in NUM_VIEWS:
        if variant == known:
            return known
    raise ValueError(f"unknown variant {variant!r}: choose 'released' or 'repaired'")
