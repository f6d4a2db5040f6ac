# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""A place: everything that stays the same from one session to the next."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import numpy as np
from numpy.typing import NDArray
from ssd_ros.simulator.config import WORLD_STYLES, WorldConfig
from ssd_ros.simulator.scene.copies import Scene
from ssd_ros.simulator.scene.districts import make_doubled, make_equal_blocks
from ssd_ros.simulator.scene.roads import make_road
from ssd_ros.simulator.scene.town import make_town, STYLES

_MAKERS: dict[str, Callable[[int, WorldConfig], tuple[Scene, NDArray[np.float64]]]] = dict(
    zip(
        WORLD_STYLES,
        (
            partial(make_town, kind='town'),
            partial(make_equal_blocks, kind='urban'),
            partial(make_equal_blocks, kind='parking lot'),
            make_doubled,
            *(partial(make_road, kind=kind) for kind in ('avenue', 'motorway', 'tunnel')),
            *(partial(make_town, kind=kind) for kind in STYLES if kind != 'town'),
        ),
        strict=True,
    )
)


class World:
    """
    A procedural place with a closed route through it.

    :param seed: 0 or more; see config.py for which seeds serve which purpose
    """

    def __init__(self, seed: int, config: WorldConfig | None = None) -> None:
        if seed < 0:
            raise ValueError(f'the world seed is {seed}, expected 0 or more')
        self.seed = seed
        self.config = config or WorldConfig()
        scene, self.route_m = _MAKERS[self.config.style](seed, self.config)
        self.scatterers, self.occluders, self.num_owners, self.slots, self.looks = scene
