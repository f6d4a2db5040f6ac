# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Check MapClosures on local maps of posts, and on two simulated visits to a street."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from ssd_ros.baselines.map_closures import MapClosures
from ssd_ros.baselines.polar_image import Passed, PolarImage
from ssd_ros.bev.preprocessing import PreprocessingConfig
from ssd_ros.evaluation.bev_cache import cache_drive, CachedDrive, load_drive, Spacing
from ssd_ros.evaluation.judging.methods import MethodJudge
from ssd_ros.evaluation.queries.protocol import Protocol
from support.posts import GRID, image_of, posts, seen_from

pytest.importorskip('map_closures')
CELL_M = 0.5


def test_the_local_map_counts_the_returns_of_all_images_where_they_were() -> None:
    """A disc of 3 m, seen from three places, is three times as dense."""
    post = np.array([[30.0, 12.0]])
    alone = MapClosures().describe(image_of(post))
    poses = [np.array([-8.0, 1.0, 0.3]), np.array([-4.0, 0.0, -0.1])]
    passed = tuple(Passed(image_of(seen_from(post, pose)), pose) for pose in poses)
    together = MapClosures().describe(replace(image_of(post), before=lambda: passed))
    assert alone.shape == together.shape == (400, 400)
    assert together.sum() == pytest.approx(3 * alone.sum(), rel=0.1)
    for counts in (alone, together):
        ahead_m, left_m = (np.argwhere(counts).mean(axis=0) + 0.5) * CELL_M - 100
        assert (ahead_m, left_m) == (pytest.approx(30, abs=0.3), pytest.approx(12, abs=0.3))


def test_a_place_without_returns_closes_no_loop() -> None:
    nothing = np.zeros((GRID.num_ranges, GRID.panorama_azimuths), np.uint8)
    method = MapClosures()
    empty = method.describe(PolarImage.of_panorama(nothing, GRID))
    index = method.index(np.stack([empty[None], method.describe(image_of(posts(0)))[None]]))
    matches = index.search(empty[None])
    assert matches.distances.tolist() == [[1, 1]]
    assert matches.close is not None
    assert not matches.close(0, 0).is_accepted


@pytest.fixture(scope='module')
def drives(tmp_path_factory: pytest.TempPathFactory) -> list[CachedDrive]:
    """Return the 4D radar's images of two visits to 140 m of a simulated street."""
    pytest.importorskip('numba')
    from ssd_ros.simulator.config import Conditions, WorldConfig
    from ssd_ros.simulator.recordings.sequence import SimulatedSequence
    from ssd_ros.simulator.scene.world import World
    from ssd_ros.simulator.visits.session import Session

    root, preprocessing = tmp_path_factory.mktemp('street'), PreprocessingConfig()
    world, made = World(1000, WorldConfig(size_m=230.0, route_length_m=400.0)), []
    for visit in range(2):
        drive = SimulatedSequence(Session(world, visit, Conditions(), True), part=(0.0, 0.35))
        cache_drive(drive, root / str(visit), preprocessing, Spacing(1.0, None))
        made.append(load_drive(root / str(visit), preprocessing))
    return made


@pytest.mark.slow
def test_a_simulated_loop_is_closed(drives: list[CachedDrive]) -> None:
    protocol = Protocol(keyframe_m=4.0, query_m=8.0)
    judge = MethodJudge(MapClosures(), 'map_closures', GRID, protocol, lambda new, total: None)
    (result,) = judge.run(drives, '4d')
    records = result.records
    assert records.accepted is not None
    later = records.answerable & (np.arange(len(records)) >= 3)  # with 20 m of way behind them
    assert records.hits()[later].mean() > 0.4  # by chance .1; its RANSAC draws anew each time
    assert np.count_nonzero(records.accepted & later) >= 3
    assert records.hits()[records.accepted].mean() > 0.7
    assert np.median(records.yaw_errors_deg[records.accepted]) < 2
