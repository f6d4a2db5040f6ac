# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Which radars a calibration knows: those on which it keeps what it promises."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray
from ssd_ros.cli.trust.asked.answers import PairAnswers
from ssd_ros.cli.trust.judged.acceptance import acceptance_of, by_shift
from ssd_ros.cli.trust.judged.tables import judge
from ssd_ros.confidence.model import ConfidenceModel
from ssd_ros.confidence.radar_envelope import envelope_of


def with_known_radars(
    models: Mapping[str, ConfidenceModel],
    answers: Sequence[PairAnswers],
    min_precision: float,
    max_stranger_rate: float,
) -> dict[str, ConfidenceModel]:
    """
    Return calibrations with the radars of the drives on which each keeps its limits.

    Limits that hold for all answers together may fail for a kind of radar: that one teaches the
    confidence, and remains unknown.

    :param models: by sensor of the map, fitted on these answers
    """
    known = {}
    for sensor, model in models.items():
        of_sensor = [pair for pair in answers if pair.sensor == sensor]
        groups = by_shift([judge(pair, replace(model, radars=None)) for pair in of_sensor])
        kept: list[PairAnswers] = []
        for group in groups.values():
            found = acceptance_of(group)
            is_precise = not found['accepted_precision'] < min_precision  # NaN where none is
            if is_precise and not found['stranger_rate'] > max_stranger_rate:
                kept += [item.answers for item in (*group.inside, *group.strangers)]
        known[sensor] = replace(model, radars=envelope_of(_profiles_of(kept)))
    return known


def _profiles_of(answers: Iterable[PairAnswers]) -> list[NDArray[np.float64]]:
    """Return the statistics of each radar and drive, however many maps it was asked of."""
    profiles: dict[tuple[str, str], list[NDArray[np.float64]]] = {}
    for pair in answers:
        profiles.setdefault((pair.query_drive, pair.shift), []).append(pair.profile)
    return [np.concatenate(of_drive) for of_drive in profiles.values()]
