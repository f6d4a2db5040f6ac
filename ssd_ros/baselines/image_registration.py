# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""
Lay one image from above over another without a first guess: SIFT, RANSAC, overlap.

As the registration of Dr-PoGO (see dr_pogo.py) with its constants. Its last step climbs the
overlap by its gradient; here a grid that is halved does, on images of half the size.
"""

from __future__ import annotations

from itertools import product
import math
from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

_LOWE_RATIO, _MIN_MATCHES = 0.7, 4
_INLIER_M, _MIN_INLIERS = 0.3, 3
_MAX_SCALE_ERROR = 0.05
_MIN_OVERLAP = 0.5
_GRID_M, _GRID_RAD, _NUM_GRIDS = 2.0, math.radians(1), 3


class Registration(NamedTuple):
    """
    How an image lies in another one.

    :param pose: shape (3,): x ahead, y left in metres, yaw in radians
    :param overlap: of both at this pose, see `overlap`
    """

    pose: NDArray[np.float64]
    overlap: float

    @property
    def is_accepted(self) -> bool:
        """Whether it closes a loop."""
        return self.overlap > _MIN_OVERLAP


def register(
    query: NDArray[np.uint8], place: NDArray[np.uint8], pixel_m: float
) -> Registration | None:
    """
    Lay an image over another one.

    :param query: shape (P, P): ahead is up, the radar in the middle
    :param place: as the query
    :return: None if too few features agree
    """
    coarse = pose_by_features(query, place, pixel_m)
    return None if coarse is None else _refined(query, place, coarse, pixel_m)


def pose_by_features(
    query: NDArray[np.uint8], place: NDArray[np.uint8], pixel_m: float
) -> NDArray[np.float64] | None:
    """Return the pose on which most features agree, shape (3,); None if too few do."""
    sift = cv2.SIFT.create(contrastThreshold=0.02, edgeThreshold=20, sigma=2.5)
    of_query, query_descriptors = sift.detectAndCompute(query, None)
    of_place, place_descriptors = sift.detectAndCompute(place, None)
    if min(len(of_query), len(of_place)) < _MIN_MATCHES:
        return None
    pairs = [
        (best.trainIdx, best.queryIdx)
        for best, second in cv2.BFMatcher().knnMatch(place_descriptors, query_descriptors, k=2)
        if best.distance < _LOWE_RATIO * second.distance
    ]
    if len(pairs) < _MIN_MATCHES:
        return None
    transform, inliers = cv2.estimateAffinePartial2D(
        np.array([of_query[one].pt for one, _ in pairs]),
        np.array([of_place[other].pt for _, other in pairs]),
        method=cv2.RANSAC,
        ransacReprojThreshold=_INLIER_M / pixel_m,
    )
    if transform is None or np.count_nonzero(inliers) < _MIN_INLIERS:
        return None
    scale = math.hypot(*transform[:, 0])
    if abs(scale - 1) > _MAX_SCALE_ERROR:
        return None
    return pose_of(np.asarray(transform / scale, np.float64), len(query), pixel_m)


def _refined(
    query: NDArray[np.uint8], place: NDArray[np.uint8], pose: NDArray[np.float64], pixel_m: float
) -> Registration:
    """Return the pose near another one at which both overlap most."""
    side = len(query) // 2
    half_query, half_place = (  # by area, which leaves the radar in the middle
        cv2.resize(image, (side, side), interpolation=cv2.INTER_AREA).astype(np.float32)
        for image in (query, place)
    )
    half_m = pixel_m * len(query) / side
    steps = np.array(list(product((0, -1, 1), repeat=3)))
    best = Registration(pose, 0.0)
    for grid in range(_NUM_GRIDS):
        poses = best.pose + steps * np.array([_GRID_M, _GRID_M, _GRID_RAD]) / 2**grid
        overlaps = [overlap(half_query, half_place, one, half_m) for one in poses]
        most = int(np.argmax(overlaps))
        best = Registration(poses[most], overlaps[most])
    return best


def overlap(
    query: NDArray[np.float32],
    place: NDArray[np.float32],
    pose: NDArray[np.float64],
    pixel_m: float,
) -> float:
    """Return the product of place and moved query by that of the place with itself."""
    moved = cv2.warpAffine(query, transform_of(pose, len(query), pixel_m), query.shape)
    return float(np.vdot(moved, place) / max(np.vdot(place, place), 1e-9))


def transform_of(
    pose: NDArray[np.float64], num_pixels: int, pixel_m: float
) -> NDArray[np.float64]:
    """
    Return where pixels of an image come to lie in another one, shape (2, 3) on (column, row).

    :param pose: shape (3,) of the image in the other one: x ahead, y left, yaw
    """
    x, y, yaw = pose
    cos, sin = math.cos(yaw), math.sin(yaw)
    turn = np.array([[cos, sin], [-sin, cos]])  # rows and columns count against ahead and left
    middle = np.full(2, (num_pixels - 1) / 2)
    return np.column_stack([turn, middle - turn @ middle - np.array([y, x]) / pixel_m])


def pose_of(
    transform: NDArray[np.float64], num_pixels: int, pixel_m: float
) -> NDArray[np.float64]:
    """Return the pose whose transform_of this is, shape (3,)."""
    turn, shift = transform[:, :2], transform[:, 2]
    middle = np.full(2, (num_pixels - 1) / 2)
    y, x = (middle - turn @ middle - shift) * pixel_m
    return np.array([x, y, math.atan2(turn[0, 1], turn[0, 0])])
