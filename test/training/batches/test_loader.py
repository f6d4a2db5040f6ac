# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Check the batches drawn in the background: in order, ahead of time, errors included."""

from pathlib import Path
import queue

import numpy as np
import pytest
from ssd_ros.evaluation.bev_cache import load_drives
from ssd_ros.training.batches.loader import drawn_ahead
from ssd_ros.training.batches.pairs import Batch, PlaceSampler
from ssd_ros.training.config import TrainingConfig


def test_batches_are_those_that_the_sampler_draws_one_by_one(
    tiny_cache: Path, tiny_config: TrainingConfig
) -> None:
    sampler = PlaceSampler(
        load_drives(tiny_cache / 'train', tiny_config.preprocessing), tiny_config
    )
    with drawn_ahead(sampler.draw, first=3) as batches:
        for step in range(3, 9):
            expected, batch = sampler.draw(step), next(batches)
            np.testing.assert_array_equal(batch.student, expected.student)
            np.testing.assert_array_equal(batch.teacher, expected.teacher)


def test_batches_are_drawn_while_nobody_asks_for_them() -> None:
    drawn: queue.Queue[int] = queue.Queue()
    with drawn_ahead(drawn.put, first=0) as batches:  # type: ignore[arg-type]
        next(batches)  # from here on a step of training, which asks for nothing
        assert [drawn.get(timeout=60) for _ in range(3)] == [0, 1, 2]
        next(batches)
        assert drawn.get(timeout=60) == 3


def test_an_error_in_drawing_reaches_the_one_who_waits() -> None:
    def fail(step: int) -> Batch:
        raise OSError(f'no batch {step}')

    with drawn_ahead(fail, first=7) as batches, pytest.raises(OSError, match='no batch 7'):
        next(batches)
