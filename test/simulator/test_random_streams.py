# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Check numbers that are drawn anew, and those that are drawn once for all."""

from __future__ import annotations

import numpy as np
import pytest
from ssd_ros.simulator.random_streams import from_pool, stream


@pytest.mark.parametrize(
    ('kind', 'mean', 'deviation'),
    [('standard_normal', 0.0, 1.0), ('standard_exponential', 1.0, 1.0), ('random', 0.5, 0.2887)],
)
def test_numbers_of_the_pool_are_distributed_as_they_should(
    kind: str, mean: float, deviation: float
) -> None:
    numbers = from_pool(stream(7, 'noise'), kind, (2, 100, 1000))
    assert numbers.shape == (2, 100, 1000)
    assert numbers.mean() == pytest.approx(mean, abs=0.01)
    assert numbers.std() == pytest.approx(deviation, abs=0.01)


def test_the_pool_gives_other_numbers_to_another_stream_and_the_same_to_the_same() -> None:
    first, again, other = (
        from_pool(stream(7, 'noise', frame=frame), 'random', (1000,)) for frame in (0, 0, 1)
    )
    np.testing.assert_array_equal(first, again)
    assert abs(np.corrcoef(first, other)[0, 1]) < 0.1


def test_more_numbers_than_the_pool_can_give_are_drawn_anew() -> None:
    many = from_pool(stream(7, 'noise'), 'random', (1 << 22,))
    np.testing.assert_array_equal(many[:9], stream(7, 'noise').random(9, np.float32))
