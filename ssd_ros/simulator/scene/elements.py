# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""
What radars see: point scatterers with directional RCS, and the walls and discs that hide them.

Both radars observe the same elements; that is what their images have in common.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from enum import IntEnum
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

Column = NDArray[Any]

NO_OWNER = -1  # a scatterer that any occluder can hide
SILENT_DBSM = -90.0  # no specular lobe


class Kind(IntEnum):
    """What a scatterer or an occluder belongs to."""

    BUILDING = 0
    STREET_FURNITURE = 1
    VEGETATION = 2
    FENCE = 3
    VEHICLE = 4
    PEDESTRIAN = 5
    ROAD = 6
    KERB = 7
    GRASS = 8


# What can be gone at the next visit.
REMOVABLE_KINDS = (Kind.STREET_FURNITURE, Kind.VEGETATION, Kind.FENCE)


class Scatterers(NamedTuple):
    """
    Point scatterers, one per row.

    :param x: metres, world frame; so are y and z
    :param diffuse: mean RCS of the wide lobe in m^2
    :param diffuse_sharpness: 1 / width^2 in 1/rad^2 of that lobe, 0 = the same in all directions
    :param specular: RCS of the narrow lobe in m^2
    :param specular_sharpness: as above
    :param normal_x: direction of both lobes, unit length
    :param fluctuates: 1 for plants and ground, whose RCS changes entirely from turn to turn
    :param owner: object that does not hide it
    :param kind: a Kind
    """

    x: NDArray[np.float32]
    y: NDArray[np.float32]
    z: NDArray[np.float32]
    diffuse: NDArray[np.float32]
    diffuse_sharpness: NDArray[np.float32]
    specular: NDArray[np.float32]
    specular_sharpness: NDArray[np.float32]
    normal_x: NDArray[np.float32]
    normal_y: NDArray[np.float32]
    fluctuates: NDArray[np.float32]
    owner: NDArray[np.int32]
    kind: NDArray[np.int32]


class Occluders(NamedTuple):
    """
    Vertical sheets and cylinders that weaken what lies behind.

    :param ax: a sheet goes from a to b; a cylinder has its centre in a and its radius in bx
    :param z_low: height of the lower edge in metres
    :param transmission: one-way power transmission of a crossing
    :param is_disc: 1 for a cylinder
    """

    ax: NDArray[np.float32]
    ay: NDArray[np.float32]
    bx: NDArray[np.float32]
    by: NDArray[np.float32]
    z_low: NDArray[np.float32]
    z_high: NDArray[np.float32]
    transmission: NDArray[np.float32]
    is_disc: NDArray[np.int32]
    owner: NDArray[np.int32]
    kind: NDArray[np.int32]


class ElementBuilder:
    """Collects scatterers and occluders array by array and numbers their owners."""

    def __init__(self, first_owner: int = 0) -> None:
        self.num_owners = first_owner
        self._scatterers: list[Scatterers] = []
        self._occluders: list[Occluders] = []

    def new_owners(self, num: int) -> NDArray[np.int32]:
        """Return numbers for new objects, shape (num,)."""
        first, self.num_owners = self.num_owners, self.num_owners + num
        return np.arange(first, self.num_owners, dtype=np.int32)

    def add_scatterers(
        self,
        kind: Kind,
        xy_m: NDArray[np.float64],
        z_m: ArrayLike,
        diffuse_dbsm: ArrayLike,
        *,
        width_deg: ArrayLike = 0.0,
        specular_dbsm: ArrayLike = SILENT_DBSM,
        specular_width_deg: ArrayLike = 4.0,
        normal_rad: ArrayLike = 0.0,
        fluctuates: bool = False,
        owner: ArrayLike = NO_OWNER,
    ) -> None:
        """
        Add scatterers; scalars hold for all of them.

        :param xy_m: shape (N, 2), world frame
        :param width_deg: of the diffuse lobe, 0 = the same in all directions
        """

        def column(values: ArrayLike) -> NDArray[np.float32]:
            return np.broadcast_to(np.asarray(values, np.float32), (len(xy_m),))

        self._scatterers.append(
            Scatterers(
                x=xy_m[:, 0].astype(np.float32),
                y=xy_m[:, 1].astype(np.float32),
                z=column(z_m),
                diffuse=_linear(column(diffuse_dbsm)),
                diffuse_sharpness=_sharpness(column(width_deg)),
                specular=_linear(column(specular_dbsm)),
                specular_sharpness=_sharpness(column(specular_width_deg)),
                normal_x=np.cos(column(normal_rad)),
                normal_y=np.sin(column(normal_rad)),
                fluctuates=column(float(fluctuates)),
                owner=column(owner).astype(np.int32),
                kind=column(kind).astype(np.int32),
            )
        )

    def add_walls(
        self,
        kind: Kind,
        from_m: NDArray[np.float64],
        to_m: NDArray[np.float64],
        z_low_m: ArrayLike,
        z_high_m: ArrayLike,
        transmission: float,
        owner: ArrayLike = NO_OWNER,
    ) -> None:
        """
        Add vertical sheets.

        :param from_m: ends of the sheets, shape (N, 2), world frame
        """
        self._add_occluders(kind, from_m, to_m, z_low_m, z_high_m, transmission, 0, owner)

    def add_discs(
        self,
        kind: Kind,
        xy_m: NDArray[np.float64],
        radius_m: ArrayLike,
        z_low_m: ArrayLike,
        z_high_m: ArrayLike,
        transmission: float,
        owner: ArrayLike = NO_OWNER,
    ) -> None:
        """
        Add vertical cylinders.

        :param xy_m: centres, shape (N, 2), world frame
        """
        radius_m = np.broadcast_to(np.asarray(radius_m, np.float64), (len(xy_m),))
        radii = np.column_stack([radius_m, np.zeros(len(xy_m))])
        self._add_occluders(kind, xy_m, radii, z_low_m, z_high_m, transmission, 1, owner)

    def _add_occluders(
        self,
        kind: Kind,
        a: NDArray[np.float64],
        b: NDArray[np.float64],
        z_low_m: ArrayLike,
        z_high_m: ArrayLike,
        transmission: float,
        is_disc: int,
        owner: ArrayLike,
    ) -> None:
        def column(values: ArrayLike) -> NDArray[np.float32]:
            return np.broadcast_to(np.asarray(values, np.float32), (len(a),))

        self._occluders.append(
            Occluders(
                a[:, 0].astype(np.float32),
                a[:, 1].astype(np.float32),
                b[:, 0].astype(np.float32),
                b[:, 1].astype(np.float32),
                column(z_low_m),
                column(z_high_m),
                column(transmission),
                column(is_disc).astype(np.int32),
                column(owner).astype(np.int32),
                column(kind).astype(np.int32),
            )
        )

    def scatterers(self) -> Scatterers:
        """Return all scatterers in the order they were added."""
        return join_scatterers(self._scatterers)

    def occluders(self) -> Occluders:
        """Return all occluders in the order they were added."""
        return join_occluders(self._occluders)


def join_scatterers(parts: list[Scatterers]) -> Scatterers:
    """Return the rows of all parts one after the other."""
    return Scatterers._make(_joined([_NO_SCATTERERS, *parts]))


def join_occluders(parts: list[Occluders]) -> Occluders:
    """Return the rows of all parts one after the other."""
    return Occluders._make(_joined([_NO_OCCLUDERS, *parts]))


def select_occluders(occluders: Occluders, keep: NDArray[np.bool_]) -> Occluders:
    """Return the chosen rows."""
    return Occluders._make(column[keep] for column in occluders)


def _joined(parts: Sequence[Iterable[Column]]) -> Iterator[Column]:
    return (np.concatenate(columns) for columns in zip(*parts, strict=True))


def _linear(decibels: NDArray[np.float32]) -> NDArray[np.float32]:
    return np.asarray(10 ** (decibels / 10), np.float32)


def _sharpness(width_deg: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return 1 / width^2 in 1/rad^2, 0 for no lobe at all."""
    width_rad = np.deg2rad(width_deg)
    return np.where(width_rad > 0, 1 / np.maximum(width_rad, 1e-3) ** 2, 0.0).astype(np.float32)


_NO_SCATTERERS = Scatterers(*(np.zeros(0, np.float32),) * 10, *(np.zeros(0, np.int32),) * 2)
_NO_OCCLUDERS = Occluders(*(np.zeros(0, np.float32),) * 7, *(np.zeros(0, np.int32),) * 3)
