# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Vehicles and pedestrians that move while a session is recorded."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from ssd_ros.simulator.config import Conditions
from ssd_ros.simulator.random_streams import stream
from ssd_ros.simulator.scene.copies import numbered
from ssd_ros.simulator.scene.elements import ElementBuilder, Kind, Occluders, Scatterers
from ssd_ros.simulator.scene.grid import resample_loop, ROUTE_STEP_M
from ssd_ros.simulator.scene.vehicles import (
    add_vehicles,
    draw_shapes,
    NUM_POINTS,
    placed_vehicles,
    VehicleShapes,
)
from ssd_ros.simulator.visits.drive import Drive, LANE_OFFSET_M, offset_line

LEAD_TRUCK_PROBABILITY = 0.25
PAVEMENT_OFFSET_M = (8.0, 11.0)  # from the centre line, either side
CLEARANCE_M = 5.0  # a mover nearer than this would drive through the radar


class Traffic:
    """
    Everything that moves in one session, at any time.

    :param route_m: centre line in the sense of driving of the radar's vehicle
    """

    def __init__(
        self,
        seed: int,
        session: int,
        conditions: Conditions,
        route_m: NDArray[np.float64],
        drive: Drive,
        start_m: float,
    ) -> None:
        self._drive = drive
        self._lanes = [
            resample_loop(offset_line(route_m, side * LANE_OFFSET_M), ROUTE_STEP_M)
            for side in (1, -1)
        ]
        self._route_m = route_m
        self._start_m = start_m
        rng = stream(seed, 'vehicles', session)
        num = conditions.num_vehicles
        shapes = draw_shapes(rng, num, conditions.truck_probability)
        self._lane = rng.integers(2, size=num)
        self._speed_mps = rng.uniform(4, 10, num)
        self._offset_m = rng.uniform(0, 1, num) * len(route_m) * ROUTE_STEP_M
        rng = stream(seed, 'lead', session)
        lead = draw_shapes(rng, 1, LEAD_TRUCK_PROBABILITY)
        self._has_lead = bool(rng.random() < conditions.lead_probability)
        self._gap_m = rng.uniform(10, 30)
        self._gap_swing_m = min(rng.uniform(3, 12), self._gap_m - 7)
        self._gap_phase, self._gap_period_s = rng.uniform(0, 2 * np.pi), rng.uniform(20, 50)
        self._shapes = VehicleShapes(
            *(
                np.vstack([getattr(lead, name), getattr(shapes, name)])
                for name in ('size_m', 'rcs_dbsm', 'side_specular_dbsm')
            )
        )
        rng = stream(seed, 'pedestrians', session)
        num = conditions.num_pedestrians
        self._walk_mps = rng.uniform(0.5, 1.8, num) * rng.choice([-1.0, 1.0], num)
        self._walk_offset_m = rng.uniform(0, 1, num) * len(route_m) * ROUTE_STEP_M
        self._walk_side_m = rng.uniform(*PAVEMENT_OFFSET_M, num) * rng.choice([-1.0, 1.0], num)
        # All that moves; its places, directions and owners are those of a moment.
        builder, num_vehicles = ElementBuilder(), len(self._shapes.size_m)
        add_vehicles(builder, self._shapes, np.zeros((num_vehicles, 2)), np.zeros(num_vehicles))
        nowhere = np.zeros((num, 2))
        builder.add_scatterers(Kind.PEDESTRIAN, nowhere, 1.0, -3.0, fluctuates=True)
        self._anywhere = builder.scatterers(), builder.occluders()

    def at(
        self, time_s: float, first_owner: int
    ) -> tuple[Scatterers, Occluders, NDArray[np.float32]]:
        """
        Return what moves at a time and the velocity of each scatterer, shape (N, 2) in m/s.

        The rows are the same movers at all times; those in the way of the radar are far away.
        """
        half_s = 0.05
        xy_m, heading_rad = self._vehicle_poses(time_s)
        before, _ = self._vehicle_poses(time_s - half_s)
        after, _ = self._vehicle_poses(time_s + half_s)
        walkers = self._pedestrians(time_s)
        walked = self._pedestrians(time_s + half_s) - self._pedestrians(time_s - half_s)
        xy_m = self._out_of_the_way(xy_m, time_s)
        placed = placed_vehicles(self._shapes, xy_m, heading_rad)
        points_m = np.vstack([placed.points_m, self._out_of_the_way(walkers, time_s)])
        starts_m = placed.corners_m.reshape(-1, 2)
        ends_m = np.roll(placed.corners_m, -1, axis=1).reshape(-1, 2)
        normals = np.concatenate([placed.normals_rad, np.zeros(len(walkers))]).astype(np.float32)
        scatterers, occluders = self._anywhere
        scatterers = scatterers._replace(
            x=points_m[:, 0].astype(np.float32),
            y=points_m[:, 1].astype(np.float32),
            normal_x=np.cos(normals),
            normal_y=np.sin(normals),
            owner=numbered(scatterers.owner, first_owner),
        )
        occluders = occluders._replace(
            ax=starts_m[:, 0].astype(np.float32),
            ay=starts_m[:, 1].astype(np.float32),
            bx=ends_m[:, 0].astype(np.float32),
            by=ends_m[:, 1].astype(np.float32),
            owner=numbered(occluders.owner, first_owner),
        )
        velocity = np.vstack([np.repeat(after - before, NUM_POINTS, axis=0), walked])
        return scatterers, occluders, (velocity / 0.1).astype(np.float32)

    def _vehicle_poses(self, time_s: float) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Return positions and headings, the lead vehicle first."""
        driven_m = np.interp(time_s, self._drive.times_s, self._drive.along_m)
        driving_s = time_s - self._drive.stood_s(time_s)  # the vehicle ahead stands, too
        swing = np.sin(2 * np.pi * driving_s / self._gap_period_s + self._gap_phase)
        # The lane driven in differs in length from the centre line.
        driven_m *= len(self._route_m) * ROUTE_STEP_M / self._drive.lap_m
        lead_m = self._start_m + driven_m + self._gap_m + self._gap_swing_m * swing
        sense = np.where(self._lane == 0, 1.0, -1.0)
        along_m = self._offset_m + sense * self._speed_mps * time_s
        along_m = np.concatenate([[lead_m], along_m])
        lanes, senses = np.concatenate([[0], self._lane]), np.concatenate([[1.0], sense])
        xy_m, heading_rad = np.empty((len(lanes), 2)), np.empty(len(lanes))
        for lane, line_m in enumerate(self._lanes):
            chosen = lanes == lane
            scaled = along_m[chosen] * len(line_m) / len(self._route_m)
            xy_m[chosen], heading_rad[chosen] = _on_line(line_m, scaled)
        if not self._has_lead:
            xy_m[0] = 1e5
        return xy_m, heading_rad + np.where(senses > 0, 0.0, np.pi)

    def _pedestrians(self, time_s: float) -> NDArray[np.float64]:
        along_m = self._walk_offset_m + self._walk_mps * time_s
        xy_m, heading_rad = _on_line(self._route_m, along_m)
        right = np.column_stack([np.sin(heading_rad), -np.cos(heading_rad)])
        return xy_m + self._walk_side_m[:, None] * right

    def _out_of_the_way(self, xy_m: NDArray[np.float64], time_s: float) -> NDArray[np.float64]:
        ego_m, _ = self._drive.poses(np.array([time_s]))
        is_near = np.hypot(*(xy_m - ego_m).T) < CLEARANCE_M
        return np.where(is_near[:, None], 1e5, xy_m)


def _on_line(
    line_m: NDArray[np.float64], along_m: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return positions and headings at distances along a closed line."""
    place = (along_m / ROUTE_STEP_M) % len(line_m)
    index = place.astype(np.int64)
    here, there = line_m[index], line_m[(index + 1) % len(line_m)]
    step = there - here
    xy_m = here + (place - index)[:, None] * step
    # Heading over 2 m, or vehicles would turn in jumps.
    ahead = line_m[(index + 3) % len(line_m)] - line_m[index - 1]
    return xy_m, np.arctan2(ahead[:, 1], ahead[:, 0])
