# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Check that methods are judged as our models are, by the same rules."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from ssd_ros.baselines.method import Closure, Handcrafted, MapIndex, Matches, Method
from ssd_ros.baselines.polar_image import PolarImage
from ssd_ros.evaluation.bev_cache import cache_drive, CachedDrive, load_drive, Spacing
from ssd_ros.evaluation.judging.costs import costs_of, MAP_SIZES
from ssd_ros.evaluation.judging.encoders import evaluate
from ssd_ros.evaluation.judging.learned import LearnedMethod, LearnedTurns
from ssd_ros.evaluation.judging.methods import image_of, MethodJudge, rows_before
from ssd_ros.evaluation.queries.descriptors import Encoders, random_yaws_rad
from ssd_ros.evaluation.queries.protocol import Protocol
from support.posts import SMALL, small_encoder, straight_drive

PROTOCOL = Protocol(database='B', query_m=0.0, num_views=12)
MAPPING = straight_drive(num=12)


@pytest.fixture(scope='module')
def drives(tmp_path_factory: pytest.TempPathFactory) -> list[CachedDrive]:
    """Return two cached drives past the same posts."""
    root = tmp_path_factory.mktemp('methods')
    beside = MAPPING.xy_yaw[2:9] + np.array([0.5, 0.5, 0.1])
    made = []
    for name, poses in (('Sim_Posts/01', MAPPING.xy_yaw), ('Sim_Posts/02', beside)):
        drive = replace(MAPPING, xy_yaw=poses, name=name)
        cache_drive(drive, root / name, SMALL, Spacing(student_m=0.0, panorama_m=0.0))
        made.append(load_drive(root / name, SMALL))
    return made


class Sums(Handcrafted):
    """Describes an image by how much is in each range; counts how often it is asked."""

    def __init__(self, fits_map: bool = False) -> None:
        self.fits_map = fits_map
        self.num_described = 0
        self.num_fitted: list[int] = []

    def fit(self, images: list[PolarImage]) -> None:  # type: ignore[override]
        self.num_fitted.append(len(images))

    def describe(self, image: PolarImage) -> np.ndarray:
        self.num_described += 1
        return image.cells.sum(axis=1).astype(np.float32)


def test_what_lies_on_the_way_back_is_thinned_to_a_metre() -> None:
    # 0, 0.4, 0.8, ... 8 m ahead, then 3 m to the left.
    ahead = [(0.4 * number, 0.0) for number in range(21)]
    positions_m = np.array([*ahead, (8.0, 3.0)])
    # Of each whole metre of way back, the image that came first.
    rows = rows_before(positions_m, 6.0)
    back_m = [3 + 8 - positions_m[row, 0] for row in rows]
    np.testing.assert_allclose(back_m, [5.8, 4.6, 3.8])
    assert rows_before(positions_m[:1], 6.0) == []


def test_images_before_another_one_have_their_pose_in_its_frame(
    drives: list[CachedDrive],
) -> None:
    """The drive goes straight, 10 m a scan: what came before lies behind."""
    drive = drives[0]
    for sensor in ('4d', 'spinning'):
        passed = list(image_of(drive, sensor, 5, SMALL.grid, way_m=35.0).before())
        assert len(passed) == 3
        for row, one in zip((2, 3, 4), passed, strict=True):
            earlier = image_of(drive, sensor, row, SMALL.grid)
            assert one.image.cells.tobytes() == earlier.cells.tobytes()
            np.testing.assert_allclose(one.pose, [10 * (row - 5), 0, 0], atol=1e-6)
    assert list(image_of(drive, '4d', 5, SMALL.grid).before()) == []
    # A turned image is seen from a turned frame.
    yaw_rad = random_yaws_rad(drive, [5], 0)[0]
    turned = image_of(drive, 'spinning', 5, SMALL.grid, yaw_seed=0, way_m=15.0)
    (one,) = turned.before()
    behind = [-10 * np.cos(yaw_rad), 10 * np.sin(yaw_rad), -yaw_rad]
    np.testing.assert_allclose(one.pose, behind, atol=1e-6)


class Deciding(Handcrafted):
    """Ranks places by sums, and closes a loop with the places of even numbers."""

    def describe(self, image: PolarImage) -> np.ndarray:
        return image.cells.sum(axis=1).astype(np.float32)

    def index(self, places: np.ndarray) -> MapIndex:
        ranking = super().index(places)

        class Index:
            def search(self, queries: np.ndarray) -> Matches:
                found = ranking.search(queries)
                return replace(found, close=lambda query, place: Closure(0.25, place % 2 == 0))

        return Index()


def test_the_first_answer_is_laid_over_the_query(drives: list[CachedDrive]) -> None:
    judge = MethodJudge(Deciding(), 'deciding', SMALL.grid, PROTOCOL, lambda new, total: None)
    (result,) = judge.run(drives, 'spinning')
    records = result.records
    assert records.accepted is not None
    assert records.accepted.tolist() == (records.keyframes % 2 == 0).tolist()
    # The drives head 0.1 rad apart.
    np.testing.assert_allclose(records.yaw_errors_deg, np.degrees(0.15), atol=0.01)


@pytest.mark.parametrize('task', ['single', 'multi', '4d', 'spinning', 'spinning_any'])
def test_our_models_get_the_answers_that_evaluate_gives(
    drives: list[CachedDrive], tmp_path: Path, task: str
) -> None:
    student, teacher = small_encoder(tmp_path, '4d'), small_encoder(tmp_path, 'spinning')

    def thinned(panorama: np.ndarray) -> np.ndarray:
        return teacher.encode_panorama(panorama)[::3]

    expected = evaluate(drives, Encoders(student.encode_batch, thinned), PROTOCOL, [task])
    models = LearnedMethod(student, teacher, PROTOCOL.num_views)
    method: Method = LearnedTurns(models) if task == 'spinning_any' else models
    given = MethodJudge(method, 'ssd', SMALL.grid, PROTOCOL, lambda new, total: None).run(
        drives, task
    )
    assert [result.title for result in given] == [result.title for result in expected]
    for ours, theirs in zip(given, expected, strict=True):
        assert ours.records.keyframes.tolist() == theirs.records.keyframes.tolist()
        assert ours.records.ranks.tolist() == theirs.records.ranks.tolist()
        assert (ours.num_views, ours.num_keyframes) == (theirs.num_views, theirs.num_keyframes)
        np.testing.assert_allclose(ours.records.distances, theirs.records.distances, atol=1e-3)
        np.testing.assert_allclose(ours.records.yaw_errors_deg, theirs.records.yaw_errors_deg)


def test_every_image_is_described_once_and_reported(drives: list[CachedDrive]) -> None:
    reports: list[tuple[int, int]] = []
    method = Sums()
    judge = MethodJudge(method, 'sums', SMALL.grid, PROTOCOL, lambda *new: reports.append(new))
    judge.run(drives, 'single')
    assert method.num_fitted == [12, 7]
    assert method.num_described == 2 * (12 + 7)  # scans, clouds
    assert reports[0] == (0, 38)
    assert sum(new for new, _ in reports) == 38
    judge.run(drives, 'multi')  # the queries are known, the map is described again
    assert method.num_described == 38 + 12


def test_what_depends_on_the_map_is_described_for_every_map(drives: list[CachedDrive]) -> None:
    method = Sums(fits_map=True)
    judge = MethodJudge(method, 'sums', SMALL.grid, PROTOCOL, lambda new, total: None)
    judge.run(drives, 'multi')
    judge.run(drives, 'multi')
    assert method.num_described == 2 * (12 + 7)


def test_a_task_without_images_is_refused(drives: list[CachedDrive]) -> None:
    judge = MethodJudge(Sums(), 'sums', SMALL.grid, PROTOCOL, lambda new, total: None)
    with pytest.raises(ValueError, match='task multi asks for images that none of 1 drives has'):
        judge.run(drives[:1], 'multi')


def test_costs_count_every_view_and_say_what_was_reckoned(drives: list[CachedDrive]) -> None:
    queries = [image_of(drives[1], '4d', row, SMALL.grid) for row in range(3)]
    places = [image_of(drives[0], 'spinning', row, SMALL.grid) for row in range(12)]
    method = Sums()
    method.num_views = 4
    costs = costs_of(method, queries, places)
    assert costs.bytes_per_place == 4 * 64 * 4  # views, ranges, bytes of a float
    assert costs.searched_places == MAP_SIZES  # 100,000 of them take 0.1 GB
    assert 0 < costs.search_ms[0] < costs.search_ms[1]
    assert costs.describe_ms > 0
    assert costs.map_s > 0
