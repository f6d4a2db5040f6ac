# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""
Rows for a map of any size: a simulated street as the teacher sees it, and streets like it.

Further streets are the first one with the signs of its principal components drawn anew, so that
places differ between streets as they do within one and rows spread alike. Their keyframes lie at
random between two neighbours, with noise of the size by which a keyframe differs from the mean of
its neighbours, as measured.
"""

from __future__ import annotations

from dataclasses import dataclass
import math
from typing import Any

import numpy as np
from numpy.typing import NDArray
from ssd_ros.encoders.place_encoder import PlaceEncoder
from ssd_ros.maps.arrays import KEYFRAME
from ssd_ros.maps.builder import build_database
from ssd_ros.maps.cells.blocks import Layout, Square
from ssd_ros.maps.cells.grid import cells_of
from ssd_ros.maps.cells.sources import Cell, Plan, Source
from ssd_ros.maps.cells.store import Session
from ssd_ros.maps.files import MapInfo
from ssd_ros.recognition.offline.drive_map import map_of_clouds
from ssd_ros.simulator.recordings.sequence import SimulatedSequence
from ssd_ros.simulator.scene.world import World
from ssd_ros.simulator.visits.session import Session as Visit

STEP_M = 2.0  # between two keyframes of a street
STREETS_M = 100.0  # between two streets: 10 km of them in a square kilometre
_SEED = 90_001  # of a world that no split has
_PART = 0.0, 0.25  # of its route
_NUM_RETURNS = 200  # kept of a keyframe: nothing reads them here, and disks are small


@dataclass(frozen=True, slots=True)
class Street:
    """
    The first street, and what the student saw in it on another day.

    :param rings: shape (N, V, D), turned into principal components
    :param axes: shape (D, D), by which they are turned back
    :param mean: shape (D,), turned as they are
    :param noise: by which a keyframe differs from the mean of its neighbours
    :param returns_cm: shape (N, M, 2)
    :param queries: shape (Q, D), not turned
    :param true_keyframes: shape (Q,), nearest to each of them
    """

    info: MapInfo
    rings: NDArray[np.float32]
    axes: NDArray[np.float32]
    mean: NDArray[np.float32]
    noise: float
    returns_cm: NDArray[np.int16]
    queries: NDArray[np.float32]
    true_keyframes: NDArray[np.int64]


def simulated_street(student: PlaceEncoder, teacher: PlaceEncoder) -> Street:
    """Simulate two drives along a street, encode both."""
    world = World(_SEED)
    drives = [SimulatedSequence(Visit(world, number, from_start=True), part=_PART)
              for number in (0, 1)]  # fmt: skip
    mapped = build_database(drives[0], teacher, keyframe_distance_m=STEP_M)
    asked = map_of_clouds(drives[1], student, keyframe_distance_m=STEP_M)
    rows = mapped.descriptors()
    _, _, axes = np.linalg.svd(rows - rows.mean(axis=0), full_matrices=False)
    rings = (rows @ axes.T).reshape(len(mapped), -1, rows.shape[1])
    middle = unit(rings[:-2] + rings[2:])
    noise = float(np.median(np.linalg.norm(rings[1:-1] - middle, axis=2)))
    offsets_m = asked.keyframes.positions_m[:, None, :2] - mapped.keyframes.positions_m[:, :2]
    apart_m = np.linalg.norm(offsets_m, axis=2)
    is_known = apart_m.min(axis=1) <= STEP_M
    return Street(
        mapped.info,
        rings,
        axes,
        rings.mean(axis=(0, 1)),
        noise,
        mapped.returns_cm[:, :_NUM_RETURNS],
        asked.descriptors()[is_known],
        apart_m.argmin(axis=1)[is_known],
    )


def unit(rows: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return rows of unit length."""
    return np.asarray(rows / np.linalg.norm(rows, axis=-1, keepdims=True))


def city_of(street: Street, num_rows: int) -> Plan:
    """Return a city of parallel streets in a square, of which the first one is the first."""
    num_keyframes = num_rows // street.rings.shape[1]
    side_m = math.sqrt(num_keyframes * STEP_M * STREETS_M)
    a_street = max(1, round(side_m / STEP_M))
    numbers = np.arange(num_keyframes)
    positions_m = np.zeros((num_keyframes, 3))
    positions_m[:, 0] = numbers % a_street * STEP_M
    positions_m[:, 1] = numbers // a_street * STREETS_M
    squares = cells_of(positions_m)
    order = np.lexsort(squares.T[::-1])
    ends = np.flatnonzero((np.diff(squares[order], axis=0) != 0).any(axis=1)) + 1
    cells: dict[Cell, list[Source]] = {}
    for chosen in np.split(order, ends):
        column, row = squares[chosen[0]].tolist()
        chosen = np.sort(chosen)
        cells[column, row] = [_SimulatedSource(street, chosen, positions_m[chosen])]
    layout = Layout(
        street.rings.shape[1], street.rings.shape[2], street.returns_cm.shape[1], is_coded=False
    )
    return Plan(street.info, None, [Session('simulated')], layout, cells)


@dataclass(frozen=True, slots=True)
class _SimulatedSource:
    """
    Keyframes of a square.

    :param numbers: shape (N,), of keyframes of the city
    :param positions_m: shape (N, 3)
    """

    street: Street
    numbers: NDArray[np.int64]
    positions_m: NDArray[np.float64]

    @property
    def records(self) -> NDArray[Any]:
        records = np.zeros(len(self.numbers), KEYFRAME)
        records['stamp_ns'] = self.numbers + 1
        records['position_m'] = self.positions_m
        records['quaternion_xyzw'] = [0, 0, 0, 1]
        return records

    @property
    def session_of(self) -> NDArray[np.uint16]:
        return np.zeros(len(self.numbers), np.uint16)

    def read(self) -> Square:
        street = self.street
        copies, places = np.divmod(self.numbers, len(street.rings))
        rings = np.empty((len(copies), *street.rings.shape[1:]), np.float16)
        for copy in np.unique(copies):
            like = self._like(int(copy), places[copies == copy])
            rings[copies == copy] = like @ street.axes
        return Square(rings, street.returns_cm[places])

    def _like(self, copy: int, places: NDArray[np.int64]) -> NDArray[np.float32]:
        street = self.street
        if copy == 0:
            return street.rings[places]
        size = street.rings.shape[2]
        signs = np.random.default_rng(copy).choice(np.array([-1, 1], np.float32), size)
        generator = np.random.default_rng([copy, int(places[0])])
        between = generator.random((len(places), 1, 1), np.float32)
        after = np.minimum(places + 1, len(street.rings) - 1)
        rings = (1 - between) * street.rings[places] + between * street.rings[after]
        spread = (street.rings - street.mean).std(axis=(0, 1))
        blur = generator.standard_normal(rings.shape, np.float32) * spread
        blur *= street.noise / np.linalg.norm(spread)
        return unit(street.mean + signs * (rings - street.mean) + blur)
