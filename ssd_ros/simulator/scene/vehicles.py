# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Cars, vans and trucks: their scatterers, their sides and where they are parked."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from ssd_ros.simulator.scene.elements import ElementBuilder, Kind, SILENT_DBSM

SIDE_TRANSMISSION = 0.28  # one way through one side; glass and the gap under the car


@dataclass(frozen=True, slots=True)
class VehicleShapes:
    """
    Sizes and RCS of vehicles, one per row.

    :param size_m: length, width, height, shape (N, 3)
    :param rcs_dbsm: shape (N, 14): 4 corners, 4 sides, 4 wheels, 2 points on the roof
    :param side_specular_dbsm: shape (N, 4)
    """

    size_m: NDArray[np.float64]
    rcs_dbsm: NDArray[np.float64]
    side_specular_dbsm: NDArray[np.float64]


NUM_POINTS = 14
_CORNERS = np.array([[1, 1], [1, -1], [-1, -1], [-1, 1]]) * 0.5
_SIDES = np.array([[1, 0], [0, -1], [-1, 0], [0, 1]]) * 0.5
_WHEELS = np.array([[0.62, 0.95], [0.62, -0.95], [-0.62, -0.95], [-0.62, 0.95]]) * 0.5
_ROOF = np.array([[0.5, 0], [-0.5, 0]]) * 0.5
_PLAN = np.vstack([_CORNERS, _SIDES, _WHEELS, _ROOF])  # in lengths and widths
# Wheels look sideways.
_OUTWARD_RAD = np.concatenate(
    [np.arctan2(*_PLAN[:8].T[::-1]), np.sign(_WHEELS[:, 1]) * np.pi / 2, [0.0, 0.0]]
)
_WIDTH_DEG = np.array([50.0] * 4 + [45.0] * 4 + [40.0] * 4 + [0.0] * 2)


def draw_shapes(rng: np.random.Generator, num: int, truck_probability: float) -> VehicleShapes:
    """Draw vehicles; the draws of one do not depend on the probability."""
    is_truck = rng.random(num) < truck_probability
    u = rng.random((num, 3))
    car = np.column_stack([3.9 + u[:, 0], 1.7 + 0.2 * u[:, 1], 1.4 + 0.25 * u[:, 2]])
    truck = np.column_stack([5 + 2.5 * u[:, 0], np.full(num, 2.1), 2.2 + 1.2 * u[:, 2]])
    mean = np.array([6.0] * 4 + [2.0] * 4 + [2.0] * 4 + [-2.0] * 2)
    spread = np.array([3.0] * 4 + [0.0] * 4 + [3.0] * 4 + [3.0] * 2)
    rcs_dbsm = mean + spread * rng.standard_normal((num, NUM_POINTS))
    rcs_dbsm += 2 * rng.standard_normal((num, 1)) + 3 * is_truck[:, None]
    specular_dbsm = rng.uniform(12, 20, (num, 4)) + 3 * is_truck[:, None]
    return VehicleShapes(np.where(is_truck[:, None], truck, car), rcs_dbsm, specular_dbsm)


class PlacedVehicles(NamedTuple):
    """
    Where the parts of vehicles are, world frame.

    :param points_m: of the scatterers, shape (N * NUM_POINTS, 2)
    :param normals_rad: shape (N * NUM_POINTS,)
    :param corners_m: shape (N, 4, 2); the sides lie between them
    """

    points_m: NDArray[np.float64]
    normals_rad: NDArray[np.float64]
    corners_m: NDArray[np.float64]


def placed_vehicles(
    shapes: VehicleShapes, xy_m: NDArray[np.float64], heading_rad: NDArray[np.float64]
) -> PlacedVehicles:
    """
    Return vehicles at places in the world.

    :param xy_m: centres, shape (N, 2)
    """
    forward = np.column_stack([np.cos(heading_rad), np.sin(heading_rad)])[:, None]
    left = np.column_stack([-np.sin(heading_rad), np.cos(heading_rad)])[:, None]

    def place(plan: NDArray[np.float64]) -> NDArray[np.float64]:
        offset = plan * shapes.size_m[:, None, :2]
        return np.asarray(xy_m[:, None] + offset[..., :1] * forward + offset[..., 1:] * left)

    normals_rad = (heading_rad[:, None] + _OUTWARD_RAD).ravel()
    return PlacedVehicles(place(_PLAN).reshape(-1, 2), normals_rad, place(_CORNERS))


def add_vehicles(
    builder: ElementBuilder,
    shapes: VehicleShapes,
    xy_m: NDArray[np.float64],
    heading_rad: NDArray[np.float64],
    hides: NDArray[np.bool_] | None = None,
) -> None:
    """
    Place vehicles in the world.

    :param xy_m: centres, shape (N, 2)
    :param hides: which of them hide what is behind, shape (N,); None = all
    """
    num = len(xy_m)
    hides = np.ones(num, bool) if hides is None else hides
    owner = builder.new_owners(num)
    placed = placed_vehicles(shapes, xy_m, heading_rad)
    height = shapes.size_m[:, 2:]
    z = np.hstack([np.full((num, 4), 0.6), np.full((num, 4), 0.7), np.full((num, 4), 0.4)])
    specular = np.full((num, NUM_POINTS), SILENT_DBSM)
    specular[:, 4:8] = shapes.side_specular_dbsm
    builder.add_scatterers(
        Kind.VEHICLE,
        placed.points_m,
        np.hstack([z, height, height]).ravel(),
        shapes.rcs_dbsm.ravel(),
        width_deg=np.tile(_WIDTH_DEG, num),
        specular_dbsm=specular.ravel(),
        specular_width_deg=5.0,
        normal_rad=placed.normals_rad,
        owner=np.repeat(owner, NUM_POINTS),
    )
    corners = placed.corners_m[hides]
    builder.add_walls(
        Kind.VEHICLE,
        corners.reshape(-1, 2),
        np.roll(corners, -1, axis=1).reshape(-1, 2),
        0.25,
        np.repeat(height[hides], 4),
        SIDE_TRANSMISSION,
        np.repeat(owner[hides], 4),
    )
