# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Check when scans that cannot be read end the work."""

from __future__ import annotations

import pytest
from ssd_ros.datasets.left_out import LeftOut


def test_a_few_among_many_are_counted() -> None:
    left_out = LeftOut('Library/01')
    for index in range(40):
        left_out.add(index, ValueError('blank'), num_read=40)
    left_out.require_few(40)
    assert left_out.count == 40


def test_a_bad_beginning_ends_the_work_after_ten() -> None:
    left_out = LeftOut('Library/01')
    for index in range(9):
        left_out.add(index, ValueError('blank'), num_read=1)
    message = '10 of the first 11 scans cannot be used, the last because: transposed'
    with pytest.raises(ValueError, match=f'Library/01: {message}'):
        left_out.add(9, ValueError('transposed'), num_read=1)


def test_the_most_of_a_few_end_it_at_the_end() -> None:
    left_out = LeftOut('Library/01', 'cloud')
    left_out.add(0, ValueError('cut off'), num_read=0)
    left_out.require_few(1)
    with pytest.raises(ValueError, match='1 of the first 1 clouds cannot be used'):
        left_out.require_few(0)
