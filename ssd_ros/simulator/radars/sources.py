# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Everything that may return an echo to one scan: what stands still and what moves."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from ssd_ros.simulator.radars.snapshot import snapshot
from ssd_ros.simulator.random_streams import stream
from ssd_ros.simulator.scene.elements import Scatterers
from ssd_ros.simulator.visits.session import Session


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
    view: NamedTuple,
    budget: NamedTuple,
    max_range_m: float,
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
    movers = snapshot(session, time_s, max_range_m)
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
    parts, draws = [], []
    for sources_of_kind, velocity, exponential, uniform in sources:
        index, found = kernel(
            sources_of_kind,
            velocity,
            exponential,
            session.occluders,
            session.grid,
            movers.occluders,
            movers.discs,
            view,
            budget,
        )
        parts.append(found)
        draws.append(uniform[index])
    is_mover = np.repeat([False, True], [part.shape[1] for part in parts])
    return Echoes(np.concatenate(parts, axis=1), np.concatenate(draws), is_mover)
