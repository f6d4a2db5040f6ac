# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Calibrations that were invented, not fitted, and radars that they know."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from ssd_ros.confidence.features import FEATURES
from ssd_ros.confidence.model import ConfidenceModel, Judgement, LogOdds
from ssd_ros.confidence.radar_envelope import envelope_of
from ssd_ros.encoders.place_encoder import PlaceEncoder
from ssd_ros.radar.types import RadarPointCloud
from ssd_ros.recognition.place_recognizer import PlaceRecognizer
from support.posts import PostDrive


def invented_calibration(threshold: float, bias: float, **weights: float) -> ConfidenceModel:
    """Return a calibration by the weights of some features, the same with and without support."""
    of_all = tuple(weights.get(name, 0.0) for name in FEATURES)
    return ConfidenceModel(
        supported=LogOdds(of_all, bias),
        unsupported=LogOdds(of_all[:-1], bias),
        threshold=threshold,
        tolerance_m=2.0,
        novelty_distance=0.85,
        data='invented',
        fitted=Judgement(1, 0, 0, 0.0, 0.0, 0.0, 0.0),
    )


EASY = invented_calibration(0.5, 4.0)  # all that was verified is accepted


def calibration_of(drive: PostDrive, student: PlaceEncoder) -> ConfidenceModel:
    """Return the easy calibration, which knows the radar of a drive."""
    recognizer = PlaceRecognizer(student, [])
    clouds = [drive.cloud(index) for index in range(len(drive.cloud_stamps_ns))]
    profiles = np.stack([recognizer.prepare(cloud).profile for cloud in clouds])
    return replace(EASY, radars=envelope_of([profiles]))


def thinned(cloud: RadarPointCloud, share: float = 0.2) -> RadarPointCloud:
    """Return a cloud with a share of its points, at random but the same each time."""
    rng = np.random.default_rng(len(cloud))
    return cloud.select(rng.random(len(cloud)) < share)
