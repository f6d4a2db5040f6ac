# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Everything that may return an echo to one scan: what stands still and what moves."""

from __future__ import annotations

from collections.abc import Callable
import math
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from ssd_ros.simulator.radars.echoes import (
    CloudBudget,
    RANGE_MARGIN_M,
    SpinningBudget,
    Viewpoint,
)
from ssd_ros.simulator.radars.snapshot import snapshot
from ssd_ros.simulator.random_streams import stream
from ssd_ros.simulator.scene.elements import join_occluders, Scatterers
from ssd_ros.simulator.scene.sight_lines import line_directions, shared_lines
from ssd_ros.simulator.scene.visibility import panorama, Place
from ssd_ros.simulator.visits.session import Session

_FASTEST_MPS = 80.0  # of what moves while the radar turns
_DIRECTIONS = line_directions()
_NO_STARTS = np.zeros((0, 2))


class Streams(NamedTuple):
    """Names of the random streams of one radar."""

    movers: str
    fluctuation: str
    draw: str


class Echoes(NamedTuple):
    """
    What came back in one scan.

    :param values: shape (rows of the radar's kernel, N) float32
    :param draws: shape (N,) float32, one uniform number for each
    :param is_mover: shape (N,) bool
    """

    values: NDArray[np.float32]
    draws: NDArray[np.float32]
    is_mover: NDArray[np.bool_]


def echoes_of_scene(
    kernel: Callable[..., Any],
    session: Session,
    scatterers: Scatterers,
    streams: Streams,
    view: Viewpoint,
    budget: SpinningBudget | CloudBudget,
    time_s: float,
    frame: int,
) -> Echoes:
    """
    Run a radar's echo kernel over the session's scatterers and the movers of the moment.

    :param kernel: `spinning_echoes` or `cloud_echoes`
    :param scatterers: of the session, as this radar sees them
    :param view: where the radar is
    :param budget: its radar equation
    """
    movers = snapshot(session, time_s, budget.max_range_m)
    rng = stream(session.world.seed, streams.movers, session.index, frame)
    num_moving = len(movers.scatterers.x)
    sources = (
        (
            scatterers,
            session.still,
            session.exponentials(streams.fluctuation, frame),
            session.phases(streams.draw, frame),
        ),
        (
            movers.scatterers,
            movers.velocity_mps,
            rng.standard_exponential(num_moving, np.float32),
            rng.random(num_moving, np.float32),
        ),
    )
    place = _place(view, budget)
    around = panorama(join_occluders([session.occluders, movers.occluders]), place)
    starts = _starts(view) if session.conditions.is_quick else _NO_STARTS
    lines = shared_lines(around, starts, _DIRECTIONS, place.reach_m)
    parts, draws = [], []
    for sources_of_kind, velocity, exponential, uniform in sources:
        index, found = kernel(
            sources_of_kind,
            velocity,
            exponential,
            around,
            lines,
            view,
            budget,
        )
        parts.append(found)
        draws.append(uniform[index])
    is_mover = np.repeat([False, True], [part.shape[1] for part in parts])
    return Echoes(np.concatenate(parts, axis=1), np.concatenate(draws), is_mover)


def _place(view: Viewpoint, budget: SpinningBudget | CloudBudget) -> Place:
    """Return from where the radar looks; one that does not turn looks ahead."""
    half_s = view.sweep_s / 2
    shift_m = half_s * math.hypot(view.vx, view.vy)
    reach_m = budget.max_range_m + RANGE_MARGIN_M + shift_m + half_s * _FASTEST_MPS
    if view.sweep_s > 0:
        return Place(view.x, view.y, shift_m, reach_m)
    ahead = math.cos(view.yaw_rad), math.sin(view.yaw_rad)
    return Place(view.x, view.y, shift_m, reach_m, *ahead)


def _starts(view: Viewpoint) -> NDArray[np.float64]:
    """Return where the radar is when it looks along each shared line, shape (NUM_LINES, 2)."""
    x, y = _DIRECTIONS.T
    clockwise = (view.yaw_rad - np.arctan2(y, x)) % (2 * np.pi)
    time_s = (clockwise / (2 * np.pi) - 0.5) * view.sweep_s
    return np.column_stack([view.x + view.vx * time_s, view.y + view.vy * time_s])
