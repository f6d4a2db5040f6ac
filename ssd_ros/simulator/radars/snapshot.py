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
    """

    scatterers: Scatterers
    velocity_mps: NDArray[np.float32]
    occluders: Occluders


def snapshot(session: Session, time_s: float, reach_m: float) -> Snapshot:
    """Return the traffic at a time of the session."""
    scatterers, occluders, velocity_mps = session.traffic.at(time_s, session.first_mover_owner)
    (ego,), _ = session.drive.poses(np.array([time_s]))
    x_m, y_m = (corners.reshape(-1, 4).mean(axis=1) for corners in (occluders.ax, occluders.ay))
    is_near = np.hypot(x_m - ego[0], y_m - ego[1]) < reach_m
    near_occluders = select_occluders(occluders, np.repeat(is_near, 4))
    return Snapshot(scatterers, velocity_mps, near_occluders)
