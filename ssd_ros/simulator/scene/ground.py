# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The ground: road surface, kerb stones and grass, weak but everywhere."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from ssd_ros.simulator.scene.elements import ElementBuilder, Kind
from ssd_ros.simulator.scene.grid import Block, Grid, Kerb

STEP_M = 1.2
NUM_PER_STEP = 2


def add_kerb_and_road(
    builder: ElementBuilder, grid: Grid, kerb: Kerb, rng: np.random.Generator
) -> None:
    """Add the kerb stones and half of the street in front of them."""
    num = NUM_PER_STEP * int(kerb.length_m / STEP_M)

    def line(inward_m: NDArray[np.float64] | float) -> NDArray[np.float64]:
        return grid.to_world(kerb.points(rng.uniform(0, kerb.length_m, num), inward_m))

    builder.add_scatterers(Kind.KERB, line(0.0), 0.1, rng.normal(-11, 3, num), fluctuates=True)
    on_road = line(-rng.uniform(0.5, 8, num))
    builder.add_scatterers(Kind.ROAD, on_road, 0.05, rng.normal(-22, 3, num), fluctuates=True)


def add_grass(
    builder: ElementBuilder,
    grid: Grid,
    block: Block,
    per_m2: float,
    mean_dbsm: float,
    rng: np.random.Generator,
) -> None:
    """Scatter grass or gravel over a block."""
    num = int(per_m2 * block.area_m2)
    low, high = [block.x_low, block.y_low], [block.x_high, block.y_high]
    builder.add_scatterers(
        Kind.GRASS,
        grid.to_world(rng.uniform(low, high, (num, 2))),
        rng.uniform(0.05, 0.1, num),
        rng.normal(mean_dbsm, 3, num),
        fluctuates=True,
    )
