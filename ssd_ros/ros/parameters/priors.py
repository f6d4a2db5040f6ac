# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Parameters of what is known of the place before it is searched for."""

from __future__ import annotations

from dataclasses import dataclass

from ssd_ros.maps.neighbours import Prior
from ssd_ros.ros.parameters.options import option


@dataclass(frozen=True, slots=True)
class PriorParameters:
    """Where the vehicle may be: maps of squares are searched there."""

    source: str = option(
        'none',
        'what says roughly where the vehicle is, so that maps of squares are searched there: '
        'pose = poses in map_frame on `prior`, fix = GNSS on `fix`, for maps whose origin names a '
        'zone of UTM; neither is believed beyond the search',
        choices=('none', 'pose', 'fix'),
        read_only=True,
    )
    max_age: float = option(
        5.0,
        'longest time between such a message and the scan that it is used for (s)',
        low=0.1,
        high=3600.0,
    )
    circle: tuple[float, ...] = option(
        (0.0, 0.0, 0.0),
        'x, y, radius (m) in map_frame: where ~/query and ~/relocalize search maps of squares, in '
        'place of what the source says; radius 0 = no such circle',
    )

    def __post_init__(self) -> None:
        if self.circle[2] < 0:
            raise ValueError(
                f'parameter prior.circle is {list(self.circle)}, expected a radius of 0 or more'
            )

    @property
    def asked(self) -> Prior | None:
        """The circle that services search, None if there is none."""
        return Prior(*self.circle) if self.circle[2] else None
