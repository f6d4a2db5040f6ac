# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What every method is given: a turn of a radar, of which perhaps only a part is seen."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from ssd_ros.bev.polar_bev import PolarGrid
from ssd_ros.encoders.scan_context import panorama_of_view


@dataclass(frozen=True, slots=True, eq=False)
class PolarImage:
    """
    A polar BEV around the whole turn.

    :param cells: shape (num_ranges, panorama_azimuths) uint8, 0 where there is no return or
        nothing is seen; columns run clockwise from forward
    :param is_seen: shape (panorama_azimuths,) bool; what the others hold is not known, which is
        something else than empty
    :param before: yields what was seen on the way to here, the oldest first, for methods that ask
        for some way
    """

    cells: NDArray[np.uint8]
    is_seen: NDArray[np.bool_]
    grid: PolarGrid
    before: Callable[[], Iterable[Passed]] = tuple

    def __post_init__(self) -> None:
        shape = (self.grid.num_ranges, self.grid.panorama_azimuths)
        if self.cells.shape != shape or self.is_seen.shape != shape[1:]:
            raise ValueError(
                f'image has shape {self.cells.shape} and sees {self.is_seen.shape} columns, '
                f'expected {shape} and {shape[1:]}'
            )

    @classmethod
    def of_panorama(cls, panorama: NDArray[np.uint8], grid: PolarGrid) -> PolarImage:
        """Return a whole turn of a spinning radar, shape (num_ranges, panorama_azimuths)."""
        return cls(panorama, np.ones(grid.panorama_azimuths, bool), grid)

    @classmethod
    def of_view(cls, bev: NDArray[np.uint8], grid: PolarGrid) -> PolarImage:
        """Return what a 4D radar sees, shape (num_ranges, num_azimuths), ahead."""
        cells = panorama_of_view(bev, grid)
        columns = np.arange(grid.num_azimuths) - grid.num_azimuths // 2
        is_seen = np.zeros(grid.panorama_azimuths, bool)
        is_seen[columns] = True
        return cls(cells, is_seen, grid)

    @property
    def is_whole(self) -> bool:
        """Whether all directions are seen."""
        return bool(self.is_seen.all())

    @property
    def seen_cells(self) -> NDArray[np.uint8]:
        """What is seen, from left to right where it is a part: shape (num_ranges, columns)."""
        if self.is_whole:
            return self.cells
        half = self.grid.num_azimuths // 2
        return np.concatenate([self.cells[:, -half:], self.cells[:, :half]], axis=1)

    def views(self, num_views: int) -> Iterator[PolarImage]:
        """
        Yield what a 4D radar would see of a whole turn, as views_of_panorama does.

        :param num_views: a divisor of the number of columns
        """
        num_columns = len(self.is_seen)
        if num_views < 1 or num_columns % num_views:
            raise ValueError(f'{num_views} views do not divide the {num_columns} azimuth columns')
        half = self.grid.num_azimuths // 2
        is_seen = np.zeros(num_columns, bool)
        is_seen[:half] = is_seen[-half:] = True
        for view in range(num_views):
            ahead = np.roll(self.cells, -view * (num_columns // num_views), axis=1)
            yield PolarImage(np.where(is_seen, ahead, np.uint8(0)), is_seen, self.grid)


class Passed(NamedTuple):
    """
    An image that was seen before another one.

    :param pose: shape (3,): x ahead, y left in metres, yaw in radians, in the frame of that one
    """

    image: PolarImage
    pose: NDArray[np.float64]
