# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""A radar upside down, on its side or looking down answers as an upright one does."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from ssd_ros.recognition import candidates
from ssd_ros.recognition.candidates import Flag
from support.localizer import Localizer, running_localizer
from support.ros import Peer
from support.tilted import tilted, TILTS, yaw_for

# Ahead of the base and aside: what is not level ends up elsewhere.
PLACE_M = (1.5, 0.4, 0.5)
LOOPS = (3, 8, 12, 17, 3, 8)  # the last two are places of the running drive, too


@dataclass
class Heard:
    """What one localizer said about the loop."""

    rows: list[Any]
    pose: list[float]
    tilt_deg: str


def drive_loop(
    peer: Peer, directory: Path, roll_pitch: tuple[float, float], heading: float
) -> Heard:
    directory.mkdir()
    mounting = [*PLACE_M, *roll_pitch, yaw_for(heading, roll_pitch[1])]
    with running_localizer(
        peer,
        directory,
        radar_extrinsics=mounting,
        online_index=True,
        exclude_recent=1.0,
        allow_unknown_yaw=True,
    ) as localizer:
        rows, place = [], []
        for index in LOOPS:
            stamp_ns = send(localizer, index, roll_pitch)
            rows.append(candidates.from_msg(localizer.answer_to(stamp_ns)))
            if (rows[-1]['flags'][0] & Flag.ACCEPTED) and index == 12:
                pose = localizer.answer_to(stamp_ns, localizer.poses).pose.pose
                p, q = pose.position, pose.orientation
                place = [p.x, p.y, p.z, q.x, q.y, q.z, q.w]
        return Heard(rows, place, localizer.values('input')['tilt_deg'])


def send(localizer: Localizer, index: int, roll_pitch: tuple[float, float]) -> int:
    return localizer.send(index, 10.0 * index, lambda cloud: tilted(cloud, *roll_pitch))


@pytest.fixture(scope='module')
def upright(peer: Peer, tmp_path_factory: pytest.TempPathFactory) -> Callable[[float], Heard]:
    """Return what an upright radar of a heading says."""
    directory = tmp_path_factory.mktemp('upright')
    return cache(lambda heading: drive_loop(peer, directory / f'{heading}', (0.0, 0.0), heading))


@pytest.mark.parametrize(
    ('heading', 'roll_pitch'), [*zip([math.pi] * 2 + [0.3] * 3, TILTS, strict=True)]
)
def test_a_tilted_radar_gives_the_rows_and_the_pose_of_an_upright_one(
    peer: Peer,
    tmp_path: Path,
    upright: Callable[[float], Heard],
    heading: float,
    roll_pitch: tuple[float, float],
) -> None:
    expected = upright(heading)
    found = drive_loop(peer, tmp_path / 'b', roll_pitch, heading)
    assert expected.rows[2]['keyframe_id'][0] == 12
    assert (expected.rows[-1]['flags'] & Flag.LIVE_SESSION).any()
    for mine, theirs in zip(found.rows, expected.rows, strict=True):
        assert len(mine) == len(theirs) > 0
        # Each localizer made its own map, and takes its own time.
        for name in set(theirs.dtype.names) - {'map_id', 'map_revision', 'age'}:
            np.testing.assert_allclose(
                mine[name], theirs[name], rtol=1e-3, atol=2e-3, err_msg=name
            )
    assert len(expected.pose) == 7
    np.testing.assert_allclose(found.pose, expected.pose, atol=2e-3)
    assert (expected.tilt_deg, float(found.tilt_deg) > 5) == ('0.0', True)
