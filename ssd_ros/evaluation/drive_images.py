# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""
The images of a drive, one after the other: of the 4D radar, and of what it is to be found in.

Nothing is kept in memory; `ssd_ros.evaluation.bev_cache` writes them.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import repeat
from typing import NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray
from ssd_ros.bev.density_image import density_image_of_lidar, DensityConfig
from ssd_ros.bev.keyframe_views import local_maps, PlaceView, PosedScans
from ssd_ros.bev.preprocessing import CloudPreprocessor, PreprocessingConfig, scan_panorama
from ssd_ros.datasets.left_out import LeftOut
from ssd_ros.datasets.sequence import RadarSequence
from ssd_ros.evaluation.lidar_pairs import lidar_pairs, lidar_points, LidarPair
from ssd_ros.motion.trajectory import thin_by_distance, Trajectory
from ssd_ros.recognition.offline.drive_odometry import odometry_of
from ssd_ros.recognition.offline.submap_drive import panoramas_at

Image: TypeAlias = NDArray[np.uint8] | None  # there is none of this scan

POSE_TOLERANCE_NS = 5_000_000


class DriveImages(NamedTuple):
    """
    Images of one sensor, in order.

    :param scans: shape (N,) int64: numbers of the scans that they are made of
    :param poses: N, under the stamps of the scans
    :param images: N, each made when it is asked for
    :param left_out: counts the scans that cannot be read
    :param num_expected: about so many of the images are some; None = all
    """

    scans: NDArray[np.int64]
    poses: Trajectory
    images: Iterator[Image]
    left_out: LeftOut
    num_expected: int | None = None


def student_images(
    sequence: RadarSequence, preprocessing: PreprocessingConfig, spacing_m: float | None
) -> DriveImages:
    """
    Return the images of the 4D radar, each of shape `image_shape` of the preprocessing.

    :param spacing_m: of way between two; None = none
    """
    left_out = LeftOut(sequence.name, '4D radar scan')
    clouds, poses = _chosen(sequence.cloud_stamps_ns, sequence.cloud_poses, spacing_m)
    images = _student_bevs(sequence, clouds, preprocessing, left_out)
    return DriveImages(clouds, poses, images, left_out)


def mapped_images(
    sequence: RadarSequence,
    preprocessing: PreprocessingConfig,
    spacing_m: float | None,
    student: DriveImages,
    submap_m: float = 0.0,
    of_lidar: bool = False,
) -> DriveImages:
    """
    Return the images of turns, each of shape (num_ranges, panorama_azimuths), or of a LiDAR.

    They are of the spinning radar, or of local maps of the 4D radar or LiDAR; where the
    preprocessing has density images, of the LiDAR beside each image of the student.

    :param spacing_m: of way between two; None = none
    :param submap_m: of way in a local map of the 4D radar; 0 = none
    :param of_lidar: local maps of the LiDAR, as maps have them
    """
    if preprocessing.density is not None:
        left_out = LeftOut(sequence.name, 'LiDAR scan')
        pairs = (
            lidar_pairs(sequence, student.scans, student.poses) if spacing_m is not None else []
        )
        return _lidar_images(sequence, student, pairs, preprocessing.density, left_out)
    if submap_m and spacing_m is not None:
        return _submap_images(sequence, preprocessing, spacing_m, submap_m)
    if of_lidar and spacing_m is not None:
        return _lidar_maps(sequence, preprocessing, spacing_m)
    left_out = LeftOut(sequence.name, 'spinning radar scan')
    scans, poses = _chosen(sequence.scan_stamps_ns, sequence.scan_poses, spacing_m)
    images = _panoramas(sequence, scans, preprocessing, left_out)
    return DriveImages(scans, poses, images, left_out)


def _student_bevs(
    sequence: RadarSequence,
    clouds: NDArray[np.int64],
    preprocessing: PreprocessingConfig,
    left_out: LeftOut,
) -> Iterator[Image]:
    """
    Yield the image of each cloud with those before it; a cloud is read once.

    What cannot be read is no part of an image, and where it is the newest there is none.
    """
    preprocessor = CloudPreprocessor(preprocessing)
    poses = odometry_of(sequence) if preprocessing.window_m else {}
    following = 0  # the first cloud that the preprocessor has not seen
    for index in clouds.tolist():
        first = preprocessing.first_scan(index)
        if first > following:
            preprocessor.clear()
        for newer in range(max(first, following), index + 1):
            cloud = left_out.read(sequence.cloud, newer)
            pose, segment = poses.get(newer, (None, 0))
            planar = None if pose is None else pose.planar
            image = None if cloud is None else preprocessor.process(cloud, planar, segment)
        following = index + 1
        yield None if image is None else image.bev


def _panoramas(
    sequence: RadarSequence,
    scans: NDArray[np.int64],
    preprocessing: PreprocessingConfig,
    left_out: LeftOut,
) -> Iterator[Image]:
    for index in scans.tolist():
        scan = left_out.read(sequence.scan, index)
        yield None if scan is None else scan_panorama(scan, preprocessing)


def _submap_images(
    sequence: RadarSequence,
    preprocessing: PreprocessingConfig,
    spacing_m: float,
    submap_m: float,
) -> DriveImages:
    """Return the images of local maps: one at most for each scan, since the way tells which."""
    left_out = LeftOut(sequence.name, '4D radar scan')
    scans, poses = _chosen(sequence.cloud_stamps_ns, sequence.cloud_poses, 0.0)
    images = panoramas_at(sequence, scans, preprocessing, submap_m, spacing_m, left_out)
    num_expected = len(thin_by_distance(poses.positions_m, spacing_m))
    return DriveImages(scans, poses, images, left_out, num_expected)


def _lidar_maps(
    sequence: RadarSequence, preprocessing: PreprocessingConfig, spacing_m: float
) -> DriveImages:
    """Return the images of local maps of the LiDAR: one at most for each scan."""
    left_out = LeftOut(sequence.name, 'LiDAR scan')
    scans, poses = _chosen(sequence.lidar_stamps_ns, sequence.lidar_poses, 0.0)
    posed = PosedScans(sequence, scans, poses)
    images = _at_rows(local_maps(posed, preprocessing, spacing_m, left_out), len(poses))
    num_expected = len(thin_by_distance(poses.positions_m, spacing_m))
    return DriveImages(scans, poses, images, left_out, num_expected)


def _at_rows(views: Iterable[PlaceView], num: int) -> Iterator[Image]:
    """Yield the image of each row, of which few have one."""
    following = 0
    for view in views:
        yield from repeat(None, view.row - following)
        yield view.panorama
        following = view.row + 1
    yield from repeat(None, num - following)


def _lidar_images(
    sequence: RadarSequence,
    student: DriveImages,
    pairs: Sequence[LidarPair],
    density: DensityConfig,
    left_out: LeftOut,
) -> DriveImages:
    """Return the images of the LiDAR beside those of the 4D radar, and the poses of the latter."""

    def image(number: int) -> NDArray[np.uint8]:
        return density_image_of_lidar(lidar_points(sequence, pairs[number]), density)

    images = (left_out.read(image, number) for number in range(len(pairs)))
    is_paired = np.isin(student.scans, [pair.cloud for pair in pairs])
    poses = student.poses.select(is_paired)
    return DriveImages(student.scans[is_paired], poses, images, left_out)


def _chosen(
    stamps_ns: NDArray[np.int64], poses: Trajectory, spacing_m: float | None
) -> tuple[NDArray[np.int64], Trajectory]:
    """Return the scans to keep, and their poses under their own stamps."""
    if spacing_m is None:
        return np.zeros(0, np.int64), poses.select(np.zeros(0, np.int64))
    posed, at = poses.at(stamps_ns, POSE_TOLERANCE_NS)
    kept = thin_by_distance(at.positions_m, spacing_m)
    return posed[kept], at.select(kept)
