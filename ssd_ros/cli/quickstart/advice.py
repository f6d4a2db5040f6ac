# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What to do where no pose was accepted, by the reasons that the node gave."""

from __future__ import annotations

from collections.abc import Iterable
import re

# What a reason contains, and what to do; the first that fits counts.
_ADVICE = (
    (
        'unlike those the calibration knows',
        'first look whether the driver sends all points and the preset is the right one; then '
        'drive in the mapped place with odometry, record it, and run `trust --unlabelled` with '
        '--store-in; to see candidates all the same: accept.risk_unknown_radar',
    ),
    (
        'disagree with its returns',
        'the map has wrong poses: `map repose` with better ones, or `build_db` anew',
    ),
    (
        'too few|fewer than|points in the window|low points',
        'let the driver send weak returns, too, or drive where there is more to see',
    ),
    (
        'confidence|verified|distance|ratio|gave no candidate',
        'be on a mapped road, looking as the mapping drive did, and drive on: 100 m say more than '
        'a stand. If the vehicle is there: look at ~/bev (walls left and right as they are?), at '
        '`map info` and at the mounting',
    ),
    (
        'support',
        'drive on: the last 16 queries, 2 m apart, have to agree; if they never do, compare the '
        'odometry with the way driven',
    ),
    (
        'fits|fit two places',
        'the surroundings look alike in two places of the map: drive on until they do not',
    ),
    ('submap', 'drive as far as the reason says, or leave aggregation.submap at 0.0'),
    ('no usable scan|no message', 'no scan arrives: `ros2 topic hz` on the topic above'),
    ('heading is not known', 'drive on, or set allow_unknown_yaw to true'),
)
ELSE = 'see Troubleshooting in the documentation, by the text above'


def advice_on(reasons: Iterable[str]) -> list[str]:
    """Return what to do about the reasons, most common first, each once."""
    found = [
        next((what for pattern, what in _ADVICE if re.search(pattern, reason)), ELSE)
        for reason in reasons
    ]
    return list(dict.fromkeys(found))
