# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""A calibration that accepts all that was verified, of radars that it knows."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from ssd_ros.confidence.model import ConfidenceModel
from ssd_ros.confidence.radar_envelope import envelope_of
from ssd_ros.encoders.place_encoder import PlaceEncoder
from ssd_ros.radar.types import RadarPointCloud
from ssd_ros.recognition.place_recognizer import PlaceRecognizer
from support.calibrations import EASY
from support.posts import PostDrive


def calibration_of(drive: PostDrive, student: PlaceEncoder) -> ConfidenceModel:
    """Return one that knows the radar of a drive."""
    recognizer = PlaceRecognizer(student, [])
    clouds = [drive.cloud(index) for index in range(len(drive.cloud_stamps_ns))]
    profiles = np.stack([recognizer.prepare(cloud).profile for cloud in clouds])
    return replace(EASY, radars=envelope_of([profiles]))


def thinned(cloud: RadarPointCloud, share: float = 0.2) -> RadarPointCloud:
    """Return a cloud with a share of its points, at random but the same each time."""
    rng = np.random.default_rng(len(cloud))
    return cloud.select(rng.random(len(cloud)) < share)
