# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Check that images are laid over each other where they were moved to."""

from __future__ import annotations

import math

import cv2
import numpy as np
from numpy.typing import NDArray
import pytest
from ssd_ros.baselines.image_registration import (
    overlap,
    pose_by_features,
    pose_of,
    register,
    transform_of,
)

NUM_PIXELS, PIXEL_M = 400, 0.5


def blobs(seed: int) -> NDArray[np.uint8]:
    """Return an image of 60 discs, each of its own size and brightness."""
    generator = np.random.default_rng(seed)
    image = np.zeros((NUM_PIXELS, NUM_PIXELS), np.uint8)
    for column, row in generator.integers(80, 320, (60, 2)).tolist():
        radius, brightness = generator.integers([2, 80], [9, 250]).tolist()
        cv2.circle(image, (column, row), radius, brightness, -1)
    return np.asarray(cv2.GaussianBlur(image, (5, 5), 0))


def moved(image: NDArray[np.uint8], pose: tuple[float, float, float]) -> NDArray[np.uint8]:
    """Return what is seen of the same scene from a pose in the image."""
    transform = transform_of(np.array(pose), NUM_PIXELS, PIXEL_M)
    return np.asarray(
        cv2.warpAffine(
            image, transform, image.shape, flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
        )
    )


def test_ahead_is_up_and_left_is_left() -> None:
    """From 5 m ahead and 10 m to the left, what is there lies in the middle."""
    transform = transform_of(np.array([5.0, 10.0, 0.0]), NUM_PIXELS, PIXEL_M)
    np.testing.assert_allclose(transform @ [199.5, 199.5, 1], [199.5 - 20, 199.5 - 10])
    # Turned to the left by a right angle, what is ahead of it lies to the left: 3 m, 6 pixels.
    turned = transform_of(np.array([0.0, 0.0, math.pi / 2]), NUM_PIXELS, PIXEL_M)
    np.testing.assert_allclose(turned @ [199.5, 199.5 - 6, 1], [199.5 - 6, 199.5])


@pytest.mark.parametrize('pose', [(0.0, 0.0, 0.0), (3.0, -7.0, 0.4), (-12.0, 1.0, -2.5)])
def test_a_transform_is_that_of_its_pose(pose: tuple[float, float, float]) -> None:
    transform = transform_of(np.array(pose), NUM_PIXELS, PIXEL_M)
    np.testing.assert_allclose(pose_of(transform, NUM_PIXELS, PIXEL_M), pose, atol=1e-9)


@pytest.mark.parametrize(
    'pose', [(0.0, 0.0, 0.0), (6.0, -9.0, 0.3), (-8.0, 4.0, math.radians(150))]
)
def test_the_pose_is_found_without_a_first_guess(pose: tuple[float, float, float]) -> None:
    place = blobs(1)
    query = moved(place, pose)
    coarse = pose_by_features(query, place, PIXEL_M)
    assert coarse is not None
    np.testing.assert_allclose(coarse[:2], pose[:2], atol=0.3)
    assert coarse[2] == pytest.approx(pose[2], abs=math.radians(0.5))
    found = register(query, place, PIXEL_M)
    assert found is not None
    np.testing.assert_allclose(found.pose[:2], pose[:2], atol=0.3)
    assert found.is_accepted
    assert found.overlap > 0.9


def test_outliers_do_not_pull() -> None:
    """A third of the scene is another one: what is left still gives the pose."""
    place, pose = blobs(1), (6.0, -9.0, 0.3)
    query = moved(place, pose)
    query[:130] = blobs(2)[:130]
    coarse = pose_by_features(query, place, PIXEL_M)
    assert coarse is not None
    np.testing.assert_allclose(coarse[:2], pose[:2], atol=0.3)
    assert coarse[2] == pytest.approx(pose[2], abs=math.radians(0.5))


def test_another_scene_is_refused() -> None:
    found = register(blobs(1), blobs(2), PIXEL_M)
    assert found is None or not found.is_accepted


def test_an_image_without_features_has_no_pose() -> None:
    assert register(np.zeros((NUM_PIXELS, NUM_PIXELS), np.uint8), blobs(1), PIXEL_M) is None


def test_the_overlap_is_that_of_the_products() -> None:
    """Half of what the place shows is seen, as bright: half of its square."""
    place = np.zeros((4, 4), np.float32)
    place[1, 1] = place[2, 2] = 3
    query = np.zeros((4, 4), np.float32)
    query[2, 2] = 3
    assert overlap(query, place, np.zeros(3), 1.0) == pytest.approx(0.5)
