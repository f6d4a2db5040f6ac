# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""
What is asked and what counts as right.

Strict protocol: a keyframe counts once, with its best view; an answer is right if the keyframe
lies within a radius (in xy) of the query; queries with no keyframe within it do not count for
recall. Tasks and databases are those of SHeRLoc (arXiv 2506.15175) and its released code.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

from ssd_ros.maps.meta import MAX_LANE_M
from ssd_ros.records import check_limits, Limits

DATABASES = {
    'A': 'for each accepted query the nearest scan, again if it is nearest to several',
    'B': 'all scans',
    'C': 'scans at least keyframe_m apart',
}


class Task(NamedTuple):
    """
    Which sensor asks, which made the map, and whether it asks in the map of its own drive.

    :param title: for tables
    :param any_heading: every query, a whole turn, is turned by an angle of its own first
    """

    query_sensor: str
    map_sensor: str
    is_multi_session: bool
    title: str
    any_heading: bool = False

    @property
    def needs_views(self) -> bool:
        """Whether a trained model describes a mapped place all around."""
        return self.any_heading or self.query_sensor != self.map_sensor


TASKS = {
    'single': Task('4d', 'spinning', False, '4D in spinning, same session'),
    'multi': Task('4d', 'spinning', True, '4D in spinning, other session'),
    '4d': Task('4d', '4d', True, '4D in 4D, other session'),
    'spinning': Task('spinning', 'spinning', True, 'spinning in spinning, other session'),
    '4d_single': Task('4d', '4d', False, '4D in 4D, same session'),
    'spinning_single': Task('spinning', 'spinning', False, 'spinning in spinning, same session'),
    'spinning_any': Task('spinning', 'spinning', True, 'spinning in spinning, any heading', True),
    'lidar': Task('4d', 'lidar', True, '4D in LiDAR, other session'),
    'lidar_single': Task('4d', 'lidar', False, '4D in LiDAR, same session'),
}


def task_of(map_sensor: str, is_same_session: bool) -> str:
    """Return the name of the task of a 4D radar that asks in a map."""
    wanted = '4d', map_sensor, not is_same_session
    return next(name for name, task in TASKS.items() if task[:3] == wanted)


_LIMITS = {
    **dict.fromkeys(('keyframe_m', 'query_m', 'ambiguity_radius_m'), Limits(0, 1e6)),
    **{'radius_m': Limits(0, 1e6, is_above=True), 'exclude_s': Limits(0, 1e9)},
    'opposite_lane_m': Limits(-MAX_LANE_M, MAX_LANE_M),
    **{'num_views': Limits(1, 1 << 16), 'search_rows': Limits(1, 1 << 40)},
}


@dataclass(frozen=True, slots=True)
class Protocol:
    """
    How to test.

    :param database: which scans of the map drive are searched, one of DATABASES
    :param search_rows: rows that bound the ratio, as the recogniser looks at
    :param exclude_s: where one sensor is looked up in its own drive, scans nearer in time are
        not searched, nor do they count as places to find: only returns to a place are asked for
    :param random_yaw_seed: turn every scan of the map by a random angle before its views are
        cut; None leaves them as driven
    :param opposite_lane_m: to the left, of the lane from which each scan of the map is described,
        too, for queries that show what is ahead; 0 = none
    """

    database: str = 'C'
    keyframe_m: float = 2.0
    query_m: float = 4.0
    num_views: int = 36
    radius_m: float = 5.0
    ambiguity_radius_m: float = 25.0  # a rival must be farther than this from the best
    search_rows: int = 1024
    exclude_s: float = 30.0  # reconstructed
    random_yaw_seed: int | None = None
    opposite_lane_m: float = 0.0

    def __post_init__(self) -> None:
        check_limits(self, _LIMITS)
        if self.database not in DATABASES:
            raise ValueError(f'database is {self.database!r}; choose from {", ".join(DATABASES)}')


# For watching a run: an eighth of the map.
QUICK = Protocol(keyframe_m=4.0, query_m=8.0, num_views=4)
