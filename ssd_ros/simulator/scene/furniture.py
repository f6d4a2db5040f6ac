# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Trees, hedges, fences, posts and signs; each adds its scatterers and what it hides."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from ssd_ros.simulator.scene.elements import ElementBuilder, Kind
from ssd_ros.simulator.scene.grid import Grid, Kerb

NUM_CANOPY_POINTS = 14


def add_trees(
    builder: ElementBuilder, xy_m: NDArray[np.float64], rng: np.random.Generator
) -> None:
    """
    Add trees: a trunk and a canopy of fluctuating scatterers.

    :param xy_m: shape (N, 2), world frame
    """
    num = len(xy_m)
    owner = builder.new_owners(num)
    radius_m, height_m = rng.uniform(1.5, 3, num), rng.uniform(5, 10, num)
    bottom_m = rng.uniform(1.6, 2.6, num)
    builder.add_scatterers(Kind.VEGETATION, xy_m, 1.2, rng.normal(2, 2, num), owner=owner)
    size = (num, NUM_CANOPY_POINTS)
    reach_m = radius_m[:, None] * np.sqrt(rng.random(size))
    angle = rng.uniform(0, 2 * np.pi, size)
    offsets = np.stack([reach_m * np.cos(angle), reach_m * np.sin(angle)], axis=-1)
    z_m = bottom_m[:, None] + (height_m - bottom_m)[:, None] * rng.random(size)
    builder.add_scatterers(
        Kind.VEGETATION,
        (xy_m[:, None] + offsets).reshape(-1, 2),
        z_m.ravel(),
        rng.normal(-8, 3, num * NUM_CANOPY_POINTS),
        fluctuates=True,
        owner=np.repeat(owner, NUM_CANOPY_POINTS),
    )
    builder.add_discs(Kind.VEGETATION, xy_m, 0.2, 0.0, bottom_m, 0.3, owner)
    builder.add_discs(Kind.VEGETATION, xy_m, 0.8 * radius_m, bottom_m, height_m, 0.55, owner)


def add_lamp_posts(
    builder: ElementBuilder, xy_m: NDArray[np.float64], rng: np.random.Generator
) -> None:
    """Add tall posts at the given world points, shape (N, 2)."""
    owner = builder.new_owners(len(xy_m))
    rcs_dbsm = rng.normal(5, 2, len(xy_m))
    builder.add_scatterers(Kind.STREET_FURNITURE, xy_m, 2.0, rcs_dbsm, owner=owner)
    builder.add_discs(Kind.STREET_FURNITURE, xy_m, 0.12, 0.0, 8.0, 0.5, owner)


def add_small_furniture(
    builder: ElementBuilder, xy_m: NDArray[np.float64], rng: np.random.Generator
) -> None:
    """Add bins, hydrants, bollards and the like at world points, shape (N, 2)."""
    num = len(xy_m)
    builder.add_scatterers(
        Kind.STREET_FURNITURE,
        xy_m,
        rng.uniform(0.3, 1.2, num),
        rng.normal(1, 4, num),
        owner=builder.new_owners(num),
    )


def add_signs(
    builder: ElementBuilder,
    xy_m: NDArray[np.float64],
    facing_rad: NDArray[np.float64],
    rng: np.random.Generator,
) -> None:
    """
    Add traffic signs that shine towards the traffic they face.

    :param xy_m: shape (N, 2), world frame
    """
    num = len(xy_m)
    builder.add_scatterers(
        Kind.STREET_FURNITURE,
        xy_m,
        2.4,
        rng.normal(6, 3, num),
        width_deg=30.0,
        specular_dbsm=rng.uniform(14, 24, num),
        specular_width_deg=5.0,
        normal_rad=facing_rad + np.deg2rad(rng.normal(0, 4, num)),
        owner=builder.new_owners(num),
    )


def add_hedge(
    builder: ElementBuilder,
    grid: Grid,
    start_m: NDArray[np.float64],
    end_m: NDArray[np.float64],
    rng: np.random.Generator,
) -> None:
    """Add bushes along a line in grid coordinates."""
    num = max(1, int(2.5 * np.hypot(*(end_m - start_m))))
    grid_m = start_m + rng.random((num, 1)) * (end_m - start_m) + rng.normal(0, 0.3, (num, 2))
    builder.add_scatterers(
        Kind.VEGETATION,
        grid.to_world(grid_m),
        rng.uniform(0.2, 1.4, num),
        rng.normal(-8, 3, num),
        fluctuates=True,
    )


def add_fence(
    builder: ElementBuilder,
    grid: Grid,
    start_m: NDArray[np.float64],
    end_m: NDArray[np.float64],
    rng: np.random.Generator,
    is_rail: bool = False,
) -> None:
    """Add a fence or a guard rail along a line in grid coordinates: posts and panels."""
    length_m = float(np.hypot(*(end_m - start_m)))
    direction = (end_m - start_m) / length_m
    posts_m = np.arange(0, length_m, 2.0 if is_rail else 2.5)
    panels_m = np.arange(0.25, length_m, 0.5)
    ends = grid.to_world(start_m + np.outer(np.append(posts_m, length_m), direction))
    owner = builder.new_owners(1)[0]
    low_m, high_m, transmission = (0.4, 0.8, 0.3) if is_rail else (0.0, 1.6, 0.75)
    builder.add_walls(Kind.FENCE, ends[:-1], ends[1:], low_m, high_m, transmission, owner)
    builder.add_scatterers(
        Kind.FENCE, ends[:-1], 0.7, rng.normal(5, 2.5, len(posts_m)), owner=owner
    )
    panels = start_m + np.outer(panels_m, direction)
    heading = np.full(len(panels), np.arctan2(direction[1], direction[0]))
    along_rad = grid.heading_to_world(panels, heading)
    for side in (np.pi / 2, -np.pi / 2):
        builder.add_scatterers(
            Kind.FENCE,
            grid.to_world(panels),
            0.7,
            -9.0,
            width_deg=40.0,
            specular_dbsm=rng.normal(13, 2, len(panels)),
            specular_width_deg=3.0,
            normal_rad=along_rad + side + np.deg2rad(rng.normal(0, 1.5, len(panels))),
            owner=owner,
        )


def add_kerb_furniture(
    builder: ElementBuilder, grid: Grid, kerb: Kerb, rng: np.random.Generator
) -> None:
    """Furnish one side of a street at regular distances, as towns do."""
    length_m = kerb.length_m

    def row(spacing_m: float, inward_m: float) -> NDArray[np.float64]:
        along_m = np.arange(rng.uniform(3, 3 + spacing_m), length_m - 3, spacing_m)
        return kerb.points(along_m + rng.normal(0, 0.2, len(along_m)), inward_m)

    if rng.random() < 0.6:
        add_trees(builder, grid.to_world(row(rng.choice([7.0, 8.0, 10.0]), 0.8)), rng)
    add_lamp_posts(builder, grid.to_world(row(rng.choice([22.0, 25.0, 30.0]), 0.5)), rng)
    if rng.random() < 0.25:
        posts = grid.to_world(row(rng.choice([2.0, 2.5]), 0.3))
        add_small_furniture(builder, posts, rng)
    num_small, num_signs = rng.poisson([length_m / 25, length_m / 35])
    scattered = kerb.points(rng.uniform(0, length_m, num_small), rng.uniform(0.2, 1.2, num_small))
    add_small_furniture(builder, grid.to_world(scattered), rng)
    signs = kerb.points(rng.uniform(0, length_m, num_signs), 0.4)
    # The street is on the left of a kerb, so its near traffic drives against the kerb's sense.
    facing = np.full(num_signs, np.arctan2(*kerb.direction[::-1]))
    add_signs(builder, grid.to_world(signs), grid.heading_to_world(signs, facing), rng)
