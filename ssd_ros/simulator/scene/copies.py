# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What a place is made of, and the same built several times: exactly, or with differences."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from ssd_ros.simulator.random_streams import stream
from ssd_ros.simulator.scene.elements import (
    ElementBuilder,
    join_occluders,
    join_scatterers,
    Kind,
    NO_OWNER,
    Occluders,
    Scatterers,
    select_occluders,
)

COMPACT_KINDS = (Kind.STREET_FURNITURE, Kind.VEGETATION)
DIFFERENCE_DB = 1.5  # of the RCS of copies that are not exact


class ParkingSlots(NamedTuple):
    """
    Where cars can be parked.

    :param xy_m: shape (N, 2), world frame
    :param heading_rad: shape (N,), world frame
    """

    xy_m: NDArray[np.float64]
    heading_rad: NDArray[np.float64]


NO_SLOTS = ParkingSlots(np.zeros((0, 2)), np.zeros(0))


class Scene(NamedTuple):
    """
    Everything that stands in a place.

    :param looks: number of the look that each scatterer has for both radars, shape (N,): what is
        drawn for a radar and a scatterer is the same where these numbers are
    """

    scatterers: Scatterers
    occluders: Occluders
    num_owners: int
    slots: ParkingSlots
    looks: NDArray[np.int64]


def scene_of(builder: ElementBuilder, slots: ParkingSlots = NO_SLOTS) -> Scene:
    """Return what was built, every scatterer with a look of its own."""
    scatterers = builder.scatterers()
    looks = np.arange(len(scatterers.x))
    return Scene(scatterers, builder.occluders(), builder.num_owners, slots, looks)


def joined(scenes: Sequence[Scene]) -> Scene:
    """Return one scene with what stands in all of them, none of which shares a look."""
    num_owners = np.cumsum([0, *(scene.num_owners for scene in scenes)]).tolist()
    num_looks = np.cumsum([0, *(scene.looks.max(initial=-1) + 1 for scene in scenes)]).tolist()
    scatterers = [
        scene.scatterers._replace(owner=numbered(scene.scatterers.owner, first))
        for scene, first in zip(scenes, num_owners, strict=False)
    ]
    occluders = [
        scene.occluders._replace(owner=numbered(scene.occluders.owner, first))
        for scene, first in zip(scenes, num_owners, strict=False)
    ]
    slots = zip(*(scene.slots for scene in scenes), strict=True)
    return Scene(
        join_scatterers(scatterers),
        join_occluders(occluders),
        num_owners[-1],
        ParkingSlots._make(np.concatenate(columns) for columns in slots),
        np.concatenate(
            [scene.looks + first for scene, first in zip(scenes, num_looks, strict=False)]
        ),
    )


def repeated(
    scene: Scene, shifts_m: NDArray[np.float64], seed: int, change_fraction: float = 0.0
) -> Scene:
    """
    Return the scene at several places; its scatterers look the same to the radars in all of them.

    :param shifts_m: world frame, shape (K, 2)
    :param change_fraction: share of the furniture and plants that each copy lacks; above 0 the RCS
        of all others differ as well
    """
    copies = [_shifted(scene, shift_m) for shift_m in shifts_m]
    if change_fraction > 0:
        copies = [
            _changed(copy, stream(seed, 'copies', frame=number), change_fraction)
            for number, copy in enumerate(copies)
        ]
    return joined(copies)._replace(looks=np.concatenate([copy.looks for copy in copies]))


def _shifted(scene: Scene, shift_m: NDArray[np.float64]) -> Scene:
    x_m, y_m = shift_m
    scatterers, occluders = scene.scatterers, scene.occluders
    is_sheet = occluders.is_disc == 0  # a disc has its radius where a sheet has its second end
    return scene._replace(
        scatterers=scatterers._replace(x=_added(scatterers.x, x_m), y=_added(scatterers.y, y_m)),
        occluders=occluders._replace(
            ax=_added(occluders.ax, x_m),
            ay=_added(occluders.ay, y_m),
            bx=_added(occluders.bx, x_m * is_sheet),
            by=_added(occluders.by, y_m * is_sheet),
        ),
        slots=scene.slots._replace(xy_m=scene.slots.xy_m + shift_m),
    )


def _changed(scene: Scene, rng: np.random.Generator, change_fraction: float) -> Scene:
    """Return the scene without some of its compact objects, all others brighter or darker."""
    scatterers, occluders = scene.scatterers, scene.occluders
    is_gone = rng.random(scene.num_owners + 1) < change_fraction
    is_gone[NO_OWNER] = False
    alone = (scatterers.owner == NO_OWNER) & (rng.random(len(scatterers.x)) < change_fraction)
    gone = (is_gone[scatterers.owner] | alone) & np.isin(scatterers.kind, COMPACT_KINDS)
    gone_occluders = is_gone[occluders.owner] & np.isin(occluders.kind, COMPACT_KINDS)
    gain = 10 ** (DIFFERENCE_DB / 10 * rng.standard_normal(len(scatterers.x), np.float32))
    brighter = scatterers._replace(
        diffuse=scatterers.diffuse * gain, specular=scatterers.specular * gain
    )
    return scene._replace(
        scatterers=Scatterers._make(column[~gone] for column in brighter),
        occluders=select_occluders(occluders, ~gone_occluders),
        looks=scene.looks[~gone],
    )


def numbered(owner: NDArray[np.int32], first: int) -> NDArray[np.int32]:
    """Return the numbers of owners, the first of which gets a number, shape (N,)."""
    return np.where(owner == NO_OWNER, NO_OWNER, owner + first).astype(np.int32)


def _added(
    column: NDArray[np.float32], shift_m: float | NDArray[np.float64]
) -> NDArray[np.float32]:
    return (column.astype(np.float64) + shift_m).astype(np.float32)
