# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Whether a run still learns: its recall on the validation worlds, part by part."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

RECALLS = ('single_session', 'multi_session')
FLAT_GAIN = 0.01  # reconstructed: of R@1, which is what one seed differs from another by
MIN_VALIDATIONS = 6


def learning_report(metrics: Sequence[Mapping[str, Any]]) -> str:
    """
    Say in one line how far a run has come and whether its curve is flat.

    Flat is a curve whose last third of validations is on average less than FLAT_GAIN above the
    third before. The rate of learning falls to almost nothing at the end of a schedule: then
    flat means that this schedule is used up, and a longer one may still reach more.

    :param metrics: lines of the metrics, in the order of steps; empty if none was a validation
    """
    lines = [line for line in metrics if any(name in line for name in RECALLS)]
    if not lines:
        return ''
    name = next(name for name in reversed(RECALLS) if name in lines[-1])
    lines = [line for line in lines if name in line]
    values = [line[name] for line in lines]
    best = int(np.argmax(values))
    latest = ', '.join(
        f'{lines[-1][key]:.3f} {key.replace("_", "-")}' for key in RECALLS if key in lines[-1]
    )
    return (
        f'step {lines[-1]["step"]}: validation R@1 {latest}; '
        f'best {values[best]:.3f} at step {lines[best]["step"]}; {_trend(values)}'
    )


def _trend(values: Sequence[float]) -> str:
    if (num := len(values)) < MIN_VALIDATIONS:
        return f'{num} of {MIN_VALIDATIONS} validations that a trend takes'
    third = num // 3
    gain = float(np.mean(values[-third:]) - np.mean(values[-2 * third : -third]))
    state = 'rising' if gain >= FLAT_GAIN else 'falling' if gain <= -FLAT_GAIN else 'flat'
    return f'{state}: {100 * gain:+.1f} points from the last but one third to the last'
