# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""One visit to a place: what has changed, what is parked, the weather, the drive."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from ssd_ros.simulator.config import Conditions
from ssd_ros.simulator.random_streams import drawn, from_pool, stream
from ssd_ros.simulator.scene.elements import (
    ElementBuilder,
    join_occluders,
    join_scatterers,
    Kind,
    Occluders,
    Scatterers,
    select_occluders,
)
from ssd_ros.simulator.scene.grid import ROUTE_STEP_M
from ssd_ros.simulator.scene.world import World
from ssd_ros.simulator.visits.changes import barriers, parked_vehicles, removed
from ssd_ros.simulator.visits.drive import Drive
from ssd_ros.simulator.visits.traffic import Traffic

DRIFT_DB = 1.5  # of all RCS between session 0 and any other
WET_GROUND_DB = -5.0
SNOW_TO_RAIN = 3.0  # loss in melting flakes over that in rain of as much water; reconstructed
FOG_DB_PER_KM = 4.9  # one way, for 1 g of water in a cubic metre
_GROUND = (Kind.ROAD, Kind.KERB, Kind.GRASS)


class Session:
    """
    One drive through a world.

    Session 0 is the world as built; the others differ by `Conditions.change_fraction`. Parked
    cars and traffic are drawn anew for each.

    :param from_start: start where session 0 starts instead of anywhere on the route
    :param num_laps: rounds of the route, one after the other without a stop
    """

    def __init__(
        self,
        world: World,
        index: int,
        conditions: Conditions | None = None,
        from_start: bool = False,
        num_laps: int = 1,
    ) -> None:
        if index < 0:
            raise ValueError(f'the session index is {index}, expected 0 or more')
        self.world = world
        self.index = index
        self.conditions = conditions = conditions or Conditions()
        route_m = world.route_m[::-1] if conditions.opposite_direction else world.route_m
        start_m = 0.0
        if index > 0 and not from_start:
            start_share = stream(world.seed, 'start', index).random()
            start_m = start_share * len(route_m) * ROUTE_STEP_M
        rng = stream(world.seed, 'drive', index)
        self.drive = Drive(
            rng, route_m, start_m, conditions.lateral_std_m, num_laps, conditions.driving
        )
        self.traffic = Traffic(world.seed, index, conditions, route_m, self.drive, start_m)
        self._assemble()

    @property
    def attenuation_db_per_m(self) -> float:
        """Two-way loss of a radar: rain by ITU-R P.838-3 at about 80 GHz, wet snow, fog."""
        rain, snow = self.conditions.rain_mm_per_h, self.conditions.snow_mm_per_h
        fog_m = self.conditions.fog_visibility_m
        # Water by visibility (Eldridge, 1966), loss by water (ITU-R P.840 at about 80 GHz).
        fog = FOG_DB_PER_KM * (24 / fog_m) ** 1.54 if fog_m > 0 else 0.0
        return float(2 * 1.17 * (rain**0.711 + SNOW_TO_RAIN * snow**0.711) / 1000 + fog / 500)

    def exponentials(self, component: str, frame: int) -> NDArray[np.float32]:
        """Return the fluctuation of every static scatterer in one frame: mean 1, shape (N,)."""
        return self._draws('standard_exponential', component, frame)

    def phases(self, component: str, frame: int) -> NDArray[np.float32]:
        """Return a random phase of every static scatterer in turns, shape (N,)."""
        return self._draws('random', component, frame)

    def _draws(self, kind: str, component: str, frame: int) -> NDArray[np.float32]:
        seed = self.world.seed
        if self.conditions.is_quick:
            rng = stream(seed, component, self.index, frame)
            return from_pool(rng, kind, (len(self.still),))
        # Each part of the session has its own stream, so that parked cars do not change walls.
        return np.concatenate(
            [
                drawn(stream(seed, f'{component}/{part}', self.index, frame), kind, (num,))
                for part, num in self._num_of_part.items()
            ]
        )

    def _assemble(self) -> None:
        world, conditions = self.world, self.conditions
        changes = barriers(world, self.index, conditions, ElementBuilder(world.num_owners))
        parked = parked_vehicles(world, self.index, conditions, ElementBuilder(changes.num_owners))
        self.first_mover_owner = parked.num_owners
        parts = {
            'world': world.scatterers,
            'barriers': changes.scatterers(),
            'parked': parked.scatterers(),
        }
        self._num_of_part = {part: len(rows.x) for part, rows in parts.items()}
        gone, gone_occluders = removed(world, self.index, conditions)
        gain_db = np.where(gone, -np.inf, self._weather_db(world.scatterers))
        if self.index > 0:
            drift = stream(world.seed, 'changes/drift', self.index)
            gain_db = gain_db + DRIFT_DB * drift.standard_normal(len(gain_db))
        views: list[list[Scatterers]] = [[], []]
        for part, rows in parts.items():
            session = 0 if part == 'world' else self.index
            looks = world.looks if part == 'world' else np.arange(len(rows.x))
            for view, sensor_db in zip(views, self._sensor_db(part, session, looks), strict=True):
                total_db = sensor_db + (gain_db if part == 'world' else 0.0)
                view.append(_amplified(rows, total_db))
        self.spinning_scatterers, self.cloud_scatterers = map(join_scatterers, views)
        self.occluders: Occluders = join_occluders(
            [
                select_occluders(world.occluders, ~gone_occluders),
                changes.occluders(),
                parked.occluders(),
            ]
        )
        self.still = np.zeros((len(self.spinning_scatterers.x), 2), np.float32)

    def _weather_db(self, rows: Scatterers) -> NDArray[np.float64]:
        is_wet = self.conditions.rain_mm_per_h > 0 or self.conditions.snow_mm_per_h > 0
        wet_db = WET_GROUND_DB if is_wet else 0.0
        return np.where(np.isin(rows.kind, _GROUND), wet_db, 0.0) + np.where(
            rows.kind == Kind.VEGETATION, self.conditions.leaf_db, 0.0
        )

    def _sensor_db(
        self, part: str, session: int, looks: NDArray[np.int64]
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """
        Return what makes the spinning and the 4D radar see a scatterer differently.

        :param looks: number of the draw for each scatterer, shape (N,)
        """
        config = self.world.config
        rng = stream(self.world.seed, f'sensor-rcs/{part}', session)
        num = int(looks.max(initial=-1)) + 1
        only = rng.random(num)[looks]
        # Independent for each radar, so that the difference has the configured deviation.
        offset_db = (
            config.sensor_specific_db / np.sqrt(2) * rng.standard_normal((2, num))[:, looks]
        )
        share = config.single_sensor_share / 2
        return (
            np.where(only < share, -np.inf, offset_db[0]),
            np.where(only > 1 - share, -np.inf, offset_db[1]),
        )


def _amplified(rows: Scatterers, gain_db: NDArray[np.float64]) -> Scatterers:
    gain = (10 ** (gain_db / 10)).astype(np.float32)
    return rows._replace(diffuse=rows.diffuse * gain, specular=rows.specular * gain)
