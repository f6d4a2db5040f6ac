# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What differs between the sessions of a world: things gone, barriers, parked vehicles."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray
from ssd_ros.simulator.config import Conditions
from ssd_ros.simulator.random_streams import stream
from ssd_ros.simulator.scene.copies import COMPACT_KINDS
from ssd_ros.simulator.scene.elements import ElementBuilder, Kind, REMOVABLE_KINDS, SILENT_DBSM
from ssd_ros.simulator.scene.vehicles import add_vehicles, draw_shapes
from ssd_ros.simulator.scene.world import World

# How many clearings and barriers a change fraction of 1 would mean.
CLEARINGS = 60
BARRIERS = 40


def removed(
    world: World, session: int, conditions: Conditions
) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Return which scatterers and which occluders of the world are gone in a session."""
    scatterers, occluders = world.scatterers, world.occluders
    if session == 0:
        return np.zeros(len(scatterers.x), bool), np.zeros(len(occluders.ax), bool)
    rng = stream(world.seed, 'changes/clearings', session)
    num = round(CLEARINGS * conditions.change_fraction)
    centres = rng.integers(len(scatterers.x), size=num)
    radii_m = rng.uniform(4, 10, num)
    rng = stream(world.seed, 'changes/single', session)
    object_is_gone = rng.random(world.num_owners + 1) < conditions.change_fraction
    object_is_gone[-1] = False  # what has no owner

    def is_gone(
        x: NDArray[np.float32],
        y: NDArray[np.float32],
        kind: NDArray[np.int32],
        owner: NDArray[np.int32],
    ) -> NDArray[np.bool_]:
        cleared = np.zeros(len(x), bool)
        for centre, radius_m in zip(centres, radii_m, strict=True):
            cleared |= np.hypot(x - scatterers.x[centre], y - scatterers.y[centre]) < radius_m
        single = object_is_gone[owner] & np.isin(kind, COMPACT_KINDS)
        return (cleared & np.isin(kind, REMOVABLE_KINDS)) | single

    middle_x = np.where(occluders.is_disc, occluders.ax, (occluders.ax + occluders.bx) / 2)
    middle_y = np.where(occluders.is_disc, occluders.ay, (occluders.ay + occluders.by) / 2)
    return (
        is_gone(scatterers.x, scatterers.y, scatterers.kind, scatterers.owner),
        is_gone(middle_x, middle_y, occluders.kind, occluders.owner),
    )


def barriers(
    world: World, session: int, conditions: Conditions, builder: ElementBuilder
) -> ElementBuilder:
    """Add construction barriers beside the route of a session after the first."""
    if session == 0:
        return builder
    rng = stream(world.seed, 'changes/barriers', session)
    route_m = world.route_m
    for _ in range(round(BARRIERS * conditions.change_fraction)):
        at = int(rng.integers(len(route_m)))
        ahead = route_m[(at + 1) % len(route_m)] - route_m[at]
        ahead = ahead / np.hypot(*ahead)
        side_m = rng.uniform(4.5, 7.5) * rng.choice([-1.0, 1.0])
        along_m = np.arange(0, rng.uniform(6, 18), 1.5)
        first = route_m[at] + side_m * np.array([ahead[1], -ahead[0]])
        posts = first + np.outer(along_m, ahead)
        owner = builder.new_owners(1)[0]
        rcs_dbsm = rng.normal(3, 3, len(posts))
        builder.add_scatterers(Kind.STREET_FURNITURE, posts, 0.7, rcs_dbsm, owner=owner)
        builder.add_walls(Kind.STREET_FURNITURE, posts[:-1], posts[1:], 0.3, 1.1, 0.5, owner)
    return builder


def parked_vehicles(
    world: World, session: int, conditions: Conditions, builder: ElementBuilder
) -> ElementBuilder:
    """
    Park vehicles on part of the slots.

    Every slot has its vehicle, whose echo is silent and which hides nothing where the slot is
    empty; so the draws of one slot do not depend on the others.
    """
    rng = stream(world.seed, 'parked', session)
    num = len(world.slots.xy_m)
    is_taken = rng.random(num) < conditions.parked_occupancy
    flip = rng.random(num) < 0.5
    xy_m = world.slots.xy_m + rng.normal(0, 0.18, (num, 2))
    heading_rad = world.slots.heading_rad + np.deg2rad(rng.normal(0, 2, num)) + np.pi * flip
    shapes = draw_shapes(rng, num, conditions.truck_probability)
    taken = is_taken[:, None]
    shapes = replace(
        shapes,
        rcs_dbsm=np.where(taken, shapes.rcs_dbsm, SILENT_DBSM),
        side_specular_dbsm=np.where(taken, shapes.side_specular_dbsm, SILENT_DBSM),
    )
    add_vehicles(builder, shapes, xy_m, heading_rad, hides=is_taken)
    return builder
