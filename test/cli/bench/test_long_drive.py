# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""A drive is driven, asked and saved in its build, and the table says what came of it."""

from __future__ import annotations

import pytest
from ssd_ros.cli.bench.against.builds import beside, NOW, THEN
from ssd_ros.cli.bench.against.long_drive import measured_drive


def test_all_keyframes_are_remembered_asked_for_and_saved() -> None:
    lines = list(measured_drive(0.1, None))
    assert lines[0].startswith('0.1 h at 10 m/s, 3.6 km, a place every 2 m: ')
    remembered = [line.split() for line in lines if line.startswith('keyframes')]
    assert remembered == [['keyframes', '180'], ['keyframes', '900'], ['keyframes', '1800']]
    figures = {
        line[:46].strip(): float(line[46:]) for line in lines if line[46:57].strip()[-1:].isdigit()
    }
    # At least what a descriptor, its bytes and 600 returns take; unused rows of returns, which
    # are 1400, would take 2.8 MB more.
    assert 500 * (5 * 256 + 4 * 600) / 1e6 < figures['MB a kilometre'] < 3.5
    assert 'saved then, beside a query every 30 ms' in {line[:46].strip() for line in lines}
    assert figures['saving, s by the clock'] > 0


def test_shares_are_of_the_build_of_then() -> None:
    title, row, none = beside(
        'a drive', {THEN: {'a query': 4.0, 'lost': 0}, NOW: {'a query': 1.0, 'lost': 0}}
    )
    assert title.split() == ['a', 'drive', 'then', 'now', 'share']
    assert row.split() == ['a', 'query', '4', '1', '0.25']
    assert none.split() == ['lost', '0', '0']
    assert [line.split() for line in beside('alone', {NOW: {'rows': 123456.0}})] == [
        ['alone', 'now'],
        ['rows', '123456'],
    ]


def test_a_revision_that_is_not_there_is_one_line() -> None:
    with pytest.raises(ValueError, match=r'that has the revision: .*nowhere'):
        list(measured_drive(0.01, 'nowhere'))
