# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The traffic near the radar at one moment, in the form that the kernels take."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from ssd_ros.simulator.scene.elements import Occluders, Scatterers, select_occluders
from ssd_ros.simulator.visits.session import Session


class Snapshot(NamedTuple):
    """
    Moving scatterers and the vehicles that hide things.

    :param velocity_mps: shape (N, 2)
    :param occluders: four sides for each vehicle in reach
    :param discs: x, y and radius of a circle around each of them, shape (V, 3)
    """

    scatterers: Scatterers
    velocity_mps: NDArray[np.float32]
    occluders: Occluders
    discs: NDArray[np.float32]


def snapshot(session: Session, time_s: float, reach_m: float) -> Snapshot:
    """Return the traffic at a time of the session."""
    scatterers, occluders, velocity_mps = session.traffic.at(time_s, session.first_mover_owner)
    discs = vehicle_discs(occluders)
    (ego,), _ = session.drive.poses(np.array([time_s]))
    is_near = np.hypot(discs[:, 0] - ego[0], discs[:, 1] - ego[1]) < reach_m
    near_occluders = select_occluders(occluders, np.repeat(is_near, 4))
    return Snapshot(scatterers, velocity_mps, near_occluders, discs[is_near])


def vehicle_discs(occluders: Occluders) -> NDArray[np.float32]:
    """
    Return x, y and radius of a circle around each vehicle, shape (V, 3).

    :param occluders: four sides for each vehicle
    """
    corners_x, corners_y = occluders.ax.reshape(-1, 4), occluders.ay.reshape(-1, 4)
    x, y = corners_x.mean(axis=1), corners_y.mean(axis=1)
    radius = np.hypot(corners_x[:, 0] - x, corners_y[:, 0] - y) + 0.1
    return np.column_stack([x, y, radius])
