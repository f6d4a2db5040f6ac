# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Which acceptances the recogniser does not repeat while the vehicle stands."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from ssd_ros.cli.trust.asked.answers import PairAnswers
from ssd_ros.cli.trust.asked.queries import odometry_at
from ssd_ros.recognition.standstill import AcceptedPlaces


def repeats_of(answers: PairAnswers, accepted: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """
    Return which candidates say what was accepted since the vehicle moved last, shape (Q, K).

    :param accepted: shape (Q, K), which would be accepted otherwise
    """
    places = AcceptedPlaces()
    repeats = np.zeros(accepted.shape, bool)
    for row, are_accepted in enumerate(accepted):
        odometry = odometry_at(float(answers.travelled_m[row]), int(answers.segments[row]))
        places.arrive(odometry, bool(answers.is_standing[row]))
        poses = {
            place: np.array([answers.x_m[row, place], answers.y_m[row, place]])
            for place in np.flatnonzero(are_accepted).tolist()
        }
        # A map of this command is one frame.
        repeats[row, [place for place, pose in poses.items() if places.holds(0, pose)]] = True
        for pose in poses.values():
            places.add(0, pose)
    return repeats
