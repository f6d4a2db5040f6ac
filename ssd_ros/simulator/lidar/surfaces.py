# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""
What a LiDAR sees of the elements: what hides something from the radars has a surface.

Bushes, signs, street furniture and pedestrians, which hide nothing from a radar, get a body of
their size. Reflectances at about 905 and 1550 nm are reconstructed.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from ssd_ros.simulator.radars.snapshot import snapshot
from ssd_ros.simulator.random_streams import stream
from ssd_ros.simulator.scene.elements import (
    ElementBuilder,
    join_occluders,
    Kind,
    NO_OWNER,
    Occluders,
    Scatterers,
)
from ssd_ros.simulator.visits.changes import removed
from ssd_ros.simulator.visits.session import Session

SOLID, LEAVES, VEHICLE = range(3)
GROUND_REFLECTANCE = 0.2

# Share of the light that comes back from a white surface, by Kind.
_REFLECTANCE = np.array([0.35, 0.3, 0.4, 0.3, 0.3, 0.35, 0.2, 0.2, 0.2])
_SPREAD = np.array([0.4, 0.4, 0.2, 0.3, 0.7, 0.3, 0.0, 0.0, 0.0])  # of its logarithm
_SIGN_REFLECTANCE = 3.0  # retroreflecting
_TRUNK_M = 0.3  # thicker discs of plants are canopies and bushes
_THROUGH_LEAVES, _THROUGH_FENCE = 0.35, 0.5  # share of the beams
_RAIL_TRANSMISSION = 0.5  # below it a fence is a rail, for a radar
_BUSH_M, _FURNITURE_M, _POLE_M, _BODY_M = 0.35, 0.15, 0.04, 0.25  # radii
_SIGN_M, _SIGN_HEIGHTS_M = 0.35, (2.1, 2.7)  # half the width, edges
_BODY_HEIGHT_M = 1.7


class Surfaces(NamedTuple):
    """
    Sheets and cylinders that send light back.

    :param shapes: their owner is the number of the row, their transmission the share of beams
        that pass
    :param reflectance: shape (N,) float32
    :param matter: SOLID, LEAVES or VEHICLE, shape (N,)
    :param velocity_mps: world frame, shape (N, 2) float32
    """

    shapes: Occluders
    reflectance: NDArray[np.float32]
    matter: NDArray[np.int32]
    velocity_mps: NDArray[np.float32]


class VisibleSession:
    """The surfaces of a session at any time."""

    def __init__(self, session: Session) -> None:
        self._session = session
        world = session.world
        gone, _ = removed(world, session.index, session.conditions)
        compact, signs = _compact(world.scatterers, world.occluders, ~gone)
        builder = ElementBuilder()
        _add_bodies(builder, compact)
        still = join_occluders([session.occluders, builder.occluders()])
        self._still = _surfaces(still, self._looks(), np.zeros((len(still.ax), 2), np.float32))
        panels = _panels(signs)
        self._still = _joined(
            self._still,
            Surfaces(
                panels,
                np.full(len(panels.ax), _SIGN_REFLECTANCE, np.float32),
                np.full(len(panels.ax), SOLID, np.int32),
                np.zeros((len(panels.ax), 2), np.float32),
            ),
        )

    def at(self, time_s: float, reach_m: float) -> Surfaces:
        """Return all surfaces, those of the traffic in reach included."""
        session = self._session
        moving = snapshot(session, time_s, reach_m)
        first = session.first_mover_owner
        num_owners = int(moving.scatterers.owner.max(initial=first)) + 1
        # One more, at the end, for NO_OWNER.
        velocity_mps: NDArray[np.float32] = np.zeros((num_owners + 1, 2), np.float32)
        velocity_mps[moving.scatterers.owner] = moving.velocity_mps
        walkers = np.flatnonzero(moving.scatterers.kind == Kind.PEDESTRIAN)
        builder = ElementBuilder()
        builder.add_discs(
            Kind.PEDESTRIAN,
            np.column_stack([moving.scatterers.x[walkers], moving.scatterers.y[walkers]]),
            _BODY_M,
            0.0,
            _BODY_HEIGHT_M,
            0.0,
        )
        looks = stream(session.world.seed, 'lidar-reflectance/movers', session.index)
        factors = looks.standard_normal(len(velocity_mps))
        vehicles = _surfaces(moving.occluders, factors, velocity_mps[moving.occluders.owner])
        people = _surfaces(builder.occluders(), factors, moving.velocity_mps[walkers])
        return _joined(_joined(self._still, vehicles), people)

    def _looks(self) -> NDArray[np.float64]:
        """Return how bright each owner is, in standard deviations, shape (num_owners + 1,)."""
        seed, session = self._session.world.seed, self._session
        of_world = stream(seed, 'lidar-reflectance').standard_normal(session.world.num_owners)
        num = session.first_mover_owner - session.world.num_owners
        later = stream(seed, 'lidar-reflectance/session', session.index).standard_normal(num)
        return np.concatenate([of_world, later, [0.0]])  # the last for NO_OWNER


def _compact(
    rows: Scatterers, occluders: Occluders, stays: NDArray[np.bool_]
) -> tuple[Scatterers, Scatterers]:
    """Return scatterers of small things that hide nothing from a radar, and those of signs."""
    hiding = np.isin(rows.owner, occluders.owner[occluders.owner != NO_OWNER])
    is_small = np.isin(rows.kind, (Kind.STREET_FURNITURE, Kind.VEGETATION)) & ~hiding & stays
    is_sign = is_small & (rows.specular_sharpness > 0) & (rows.specular > 1e-6)
    return (
        Scatterers._make(column[is_small & ~is_sign] for column in rows),
        Scatterers._make(column[is_sign] for column in rows),
    )


def _add_bodies(builder: ElementBuilder, rows: Scatterers) -> None:
    """Add a cylinder for each bush and piece of street furniture."""
    for kind, radius_m in ((Kind.VEGETATION, _BUSH_M), (Kind.STREET_FURNITURE, _FURNITURE_M)):
        chosen = rows.kind == kind
        xy_m = np.column_stack([rows.x[chosen], rows.y[chosen]])
        builder.add_discs(kind, xy_m, radius_m, 0.0, rows.z[chosen] + 0.2, 0.0, rows.owner[chosen])


def _panels(signs: Scatterers) -> Occluders:
    """Return panel and pole of each sign."""
    builder = ElementBuilder()
    xy_m = np.column_stack([signs.x, signs.y]).astype(np.float64)
    across = _SIGN_M * np.column_stack([-signs.normal_y, signs.normal_x])
    kind = Kind.STREET_FURNITURE
    builder.add_walls(kind, xy_m - across, xy_m + across, *_SIGN_HEIGHTS_M, 0.0)
    builder.add_discs(kind, xy_m, _POLE_M, 0.0, _SIGN_HEIGHTS_M[0], 0.0)
    return builder.occluders()


def _surfaces(
    rows: Occluders, looks: NDArray[np.float64], velocity_mps: NDArray[np.float32]
) -> Surfaces:
    """
    Return what elements are to light.

    :param looks: by owner, see `VisibleSession`
    """
    is_leaves = (rows.kind == Kind.VEGETATION) & (rows.is_disc == 1) & (rows.bx > _TRUNK_M)
    is_fence = (rows.kind == Kind.FENCE) & (rows.transmission > _RAIL_TRANSMISSION)
    passing = _THROUGH_LEAVES * is_leaves + _THROUGH_FENCE * is_fence
    matter = np.where(rows.kind == Kind.VEHICLE, VEHICLE, SOLID)
    factor = np.exp(_SPREAD[rows.kind] * looks[rows.owner])
    return Surfaces(
        rows._replace(transmission=passing.astype(np.float32)),
        (_REFLECTANCE[rows.kind] * factor).astype(np.float32),
        np.where(is_leaves, LEAVES, matter).astype(np.int32),
        velocity_mps,
    )


def _joined(first: Surfaces, second: Surfaces) -> Surfaces:
    shapes = join_occluders([first.shapes, second.shapes])
    numbers = np.arange(len(shapes.ax), dtype=np.int32)
    return Surfaces(
        shapes._replace(owner=numbers),
        *(np.concatenate(columns) for columns in zip(first[1:], second[1:], strict=True)),
    )
