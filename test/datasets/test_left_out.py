# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Check when scans that cannot be read end the work."""

from __future__ import annotations

import pytest
from ssd_ros.datasets.left_out import LeftOut


def read(left_out: LeftOut, good: range, bad: range) -> list[int | None]:
    """Read the scans of both ranges, the good ones first."""

    def scan(index: int) -> int:
        if index in bad:
            raise ValueError('transposed')
        return index

    return [left_out.read(scan, index) for index in (*good, *bad)]


def test_a_few_among_many_are_counted() -> None:
    left_out = LeftOut('Library/01')
    found = read(left_out, range(40), range(40, 80))
    assert found == [*range(40), *[None] * 40]
    left_out.require_few()
    assert left_out.count == 40


def test_a_bad_beginning_ends_the_work_after_ten() -> None:
    left_out = LeftOut('Library/01')
    read(left_out, range(1), range(1, 10))
    message = '10 of the first 11 scans cannot be used, the last because: transposed'
    with pytest.raises(ValueError, match=f'Library/01: {message}'):
        read(left_out, range(0), range(10, 11))


def test_the_most_of_a_few_end_it_at_the_end() -> None:
    left_out = LeftOut('Library/01', 'cloud')
    read(left_out, range(1), range(1, 2))
    left_out.require_few()
    read(left_out, range(0), range(2, 3))
    with pytest.raises(ValueError, match='2 of the first 3 clouds cannot be used'):
        left_out.require_few()
