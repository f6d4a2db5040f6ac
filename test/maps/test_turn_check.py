# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Check that mirrored images and clockwise headings are told from right ones."""

from __future__ import annotations

from dataclasses import replace
import logging
from pathlib import Path

import numpy as np
import pytest
from ssd_ros.maps.builder import build_database
from ssd_ros.radar.types import SpinningRadarScan
from support.posts import PostDrive, random_posts, small_encoder


class MirroredDrive(PostDrive):
    """The same drive, its azimuths stored counter-clockwise."""

    def scan(self, index: int) -> SpinningRadarScan:
        scan = super().scan(index)
        return replace(scan, power=np.roll(scan.power[:, ::-1], 1, axis=1))


def curve(turn_deg: float) -> np.ndarray:
    """Return ten poses 3 m apart, each turned by that from the one before."""
    yaws = np.radians(turn_deg) * np.arange(10)
    steps = 3 * np.stack([np.cos(yaws), np.sin(yaws)], axis=1)
    return np.column_stack([np.cumsum(steps, axis=0), yaws])


@pytest.mark.parametrize('turn_deg', [12.0, -12.0, 25.0])
def test_only_a_mirrored_drive_is_warned_of(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, turn_deg: float
) -> None:
    teacher = small_encoder(tmp_path, 'spinning')
    posts, poses = random_posts(), curve(turn_deg)
    clockwise = poses * np.array([1, 1, -1])
    drives = {
        'right': PostDrive(posts, poses),
        'mirrored': MirroredDrive(posts, poses),
    }
    for name, drive in drives.items():
        caplog.clear()
        with caplog.at_level(logging.WARNING):
            build_database(drive, teacher, num_views=4)
        assert ('in 9 of 9 turns the images turn against' in caplog.text) == (name == 'mirrored')

    class ClockwiseHeadings(PostDrive):
        @property
        def scan_poses(self):  # type: ignore[no-untyped-def]
            return PostDrive(posts, clockwise).scan_poses

    caplog.clear()
    with caplog.at_level(logging.WARNING):
        build_database(ClockwiseHeadings(posts, poses), teacher, num_views=4)
    assert 'are the headings of the poses clockwise?' in caplog.text


def test_a_drive_straight_on_says_nothing(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    build_database(MirroredDrive(random_posts(), curve(0.0)), small_encoder(tmp_path, 'spinning'))
    assert 'mirrored' not in caplog.text
