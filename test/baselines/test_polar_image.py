# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Check what methods are given, and the comparison of plain vectors."""

from __future__ import annotations

import math

import numpy as np
import pytest
from ssd_ros.baselines.method import DistanceIndex, Handcrafted
from ssd_ros.baselines.polar_image import PolarImage
from ssd_ros.bev.polar_bev import PolarGrid, views_of_panorama

GRID = PolarGrid(num_ranges=2, num_azimuths=4)
PANORAMA = np.arange(24, dtype=np.uint8).reshape(2, 12)


class FirstRow(Handcrafted):
    """Describes an image by its first row."""

    num_views = 6

    def describe(self, image: PolarImage) -> np.ndarray:
        return image.cells[0].astype(np.float32)


def test_a_view_lies_ahead_and_the_rest_of_the_turn_is_unknown() -> None:
    bev = np.array([[1, 2, 3, 4], [5, 6, 7, 8]], np.uint8)
    image = PolarImage.of_view(bev, GRID)
    assert image.cells[0].tolist() == [3, 4, 0, 0, 0, 0, 0, 0, 0, 0, 1, 2]
    assert np.flatnonzero(image.is_seen).tolist() == [0, 1, 10, 11]
    assert not image.is_whole
    assert image.seen_cells.tolist() == bev.tolist()


def test_views_of_a_turn_are_those_of_the_networks() -> None:
    image = PolarImage.of_panorama(PANORAMA, GRID)
    assert image.is_whole
    assert image.seen_cells is PANORAMA
    views = [view.seen_cells for view in image.views(6)]
    assert np.stack(views).tolist() == views_of_panorama(PANORAMA, GRID, 6).tolist()


def test_a_place_is_described_by_its_views_for_those_who_see_a_part() -> None:
    image = PolarImage.of_panorama(PANORAMA, GRID)
    assert FirstRow().describe_place(image, for_part=False).shape == (1, 12)
    views = FirstRow().describe_place(image, for_part=True)
    assert views.shape == (6, 12)
    assert views[1].tolist() == [2, 3, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1]  # 60 degrees to the right


def test_images_of_another_grid_are_refused() -> None:
    with pytest.raises(ValueError, match=r'shape \(4, 2\), expected \(2, 4\)'):
        PolarImage.of_view(np.zeros((4, 2), np.uint8), GRID)
    with pytest.raises(ValueError, match=r'shape \(2, 11\) and sees \(12,\) columns'):
        PolarImage.of_panorama(np.zeros((2, 11), np.uint8), GRID)
    with pytest.raises(ValueError, match='5 views do not divide the 12 azimuth columns'):
        list(PolarImage.of_panorama(PANORAMA, GRID).views(5))


def test_vectors_are_compared_as_a_plain_loop_does() -> None:
    generator = np.random.default_rng(0)
    places = generator.normal(size=(5, 4, 3)).astype(np.float32)
    queries = generator.normal(size=(6, 3)).astype(np.float32)
    matches = DistanceIndex(places).search(queries)
    yaws_deg = [0, -90, 180, 90]
    for q, query in enumerate(queries):
        for n, place in enumerate(places):
            by_view = [math.dist(query, view) for view in place]
            assert matches.distances[q, n] == pytest.approx(min(by_view), abs=1e-5)
            yaw_deg = math.degrees(matches.relative_yaws_rad[q, n])
            assert yaw_deg == pytest.approx(yaws_deg[int(np.argmin(by_view))])


def test_one_view_tells_no_heading() -> None:
    matches = DistanceIndex(np.eye(3, dtype=np.float32)[:, None]).search(np.eye(3)[1:2])
    np.testing.assert_allclose(matches.distances, [[math.sqrt(2), 0, math.sqrt(2)]], atol=1e-6)
    assert np.isnan(matches.relative_yaws_rad).all()
