# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Check which radars a calibration takes for known."""

from dataclasses import asdict
import json
from typing import Any

import numpy as np
from numpy.typing import NDArray
import pytest
from ssd_ros.confidence.radar_envelope import envelope_of, MAX_DRIVES, RadarEnvelope
from ssd_ros.confidence.radar_profile import NAMES, STATISTICS
from ssd_ros.records import record_from_mapping

USUAL = dict(zip(NAMES, (300, 50, 0.7, 30, 90, 90, 23, 0.15, 20, 0.2), strict=True))


def profile(**values: float) -> NDArray[np.float64]:
    return np.array(list((USUAL | values).values()), np.float64)


def drive(**values: float) -> NDArray[np.float64]:
    """Return the statistics of a drive that vary by 5 % about these."""
    ends = np.linspace(0.95, 1.05, 101)[:, None]
    return np.clip(profile(**values) * ends, *np.array([s.limits for s in STATISTICS.values()]).T)


ENVELOPE = envelope_of([drive(), drive(points=60, directions=35, cells=0.9)])
assert ENVELOPE is not None


@pytest.mark.parametrize(
    ('values', 'is_known'),
    [
        ({}, True),
        ({'points': 620}, True),  # twice the most, 314
        ({'points': 640}, False),
        ({'points': 60, 'directions': 35, 'cells': 0.9}, True),
        ({'points': 29, 'directions': 35, 'cells': 0.9}, True),  # half of the least, 57
        ({'points': 28, 'directions': 35, 'cells': 0.9}, False),
        # Each is within what one of the two had, but not all of them with one.
        ({'points': 60, 'directions': 50, 'cells': 0.7}, False),
        ({'width_deg': 111}, True),  # 20 degrees more than 94
        ({'width_deg': 116}, False),
        ({'rcs_db': 0}, False),
        ({'moving': 0.4}, False),
        ({'rate_hz': 5}, True),
        ({'rate_hz': float('nan')}, True),  # not known yet
        ({'yaw_deg': 1.7}, True),  # 1.5 degrees more than 0.21
        ({'yaw_deg': 1.8}, False),
    ],
)
def test_what_is_known(values: dict[str, float], is_known: bool) -> None:
    assert ENVELOPE is not None
    assert bool(ENVELOPE.is_unlike(profile(**values))) != is_known
    assert (ENVELOPE.difference(profile(**values)) == '') == is_known


def test_no_drive_teaches_that_a_radar_may_point_elsewhere_than_its_mounting_says() -> None:
    assert envelope_of([drive(yaw_deg=6)]) is None
    envelope = envelope_of([drive(), drive(yaw_deg=6)])
    assert envelope is not None
    assert envelope.is_unlike(profile(yaw_deg=5))
    assert not envelope.is_unlike(profile())


def test_the_difference_is_said_in_words_to_the_most_similar_drive() -> None:
    assert ENVELOPE is not None
    text = ENVELOPE.difference(profile(points=12, directions=9, cells=1.0))
    assert text == (
        '9 directions with static points (known: 33 to 37), '
        '12 static points a scan (known: 57 to 63)'
    )


def test_many_profiles_are_judged_at_once() -> None:
    assert ENVELOPE is not None
    found = ENVELOPE.is_unlike(np.stack([profile(), profile(points=12), profile(points=5000)]))
    assert found.tolist() == [False, True, True]


def test_a_drive_within_another_adds_nothing_and_an_odd_scan_in_fifty_neither() -> None:
    few = drive()
    few[0] = profile(points=3)
    envelope = envelope_of([drive(), drive()[40:60], few])
    assert envelope is not None
    assert len(envelope.drives) == 1
    assert envelope.drives[0].low[0] == pytest.approx(300 * 0.952)


def test_what_no_drive_told_is_not_judged() -> None:
    assert envelope_of([np.full((20, len(NAMES)), np.nan), np.zeros((0, len(NAMES)))]) is None
    unknown = drive()
    unknown[:, NAMES.index('rate_hz')] = np.nan
    envelope = envelope_of([unknown])
    assert envelope is not None
    assert not envelope.is_unlike(profile(rate_hz=0.01))


def test_a_mounting_that_no_drive_tells_of_is_taken_for_right() -> None:
    unknown = drive()
    unknown[:, NAMES.index('yaw_deg')] = np.nan
    envelope = envelope_of([unknown])
    assert envelope is not None
    assert envelope.difference(profile(yaw_deg=3.2)) == (
        'at least 3.2 degrees off its mounting (known: 0 to 0)'
    )
    assert not envelope.is_unlike(profile(yaw_deg=float('nan')))


def test_an_earlier_envelope_of_fewer_statistics_judges_by_those() -> None:
    early = record_from_mapping(
        RadarEnvelope, {'statistics': ['points'], 'drives': [{'low': [40], 'high': [700]}]}
    )
    found = early.is_unlike(np.stack([profile(width_deg=10), profile(points=12)]))
    assert found.tolist() == [False, True]
    assert early.difference(profile(points=12)) == '12 static points a scan (known: 40 to 700)'


def test_an_envelope_goes_through_json() -> None:
    assert ENVELOPE is not None
    again = record_from_mapping(RadarEnvelope, json.loads(json.dumps(asdict(ENVELOPE))))
    assert again == ENVELOPE


@pytest.mark.parametrize(
    ('content', 'problem'),
    [
        ({'statistics': []}, 'statistics are'),
        ({'statistics': ['points', 'points']}, 'statistics are'),
        ({'statistics': ['points', 'colour']}, 'colour'),
        ({'drives': []}, '0 drives, expected 1'),
        ({'drives': [{'low': [1, 1], 'high': [2, 2]}] * (MAX_DRIVES + 1)}, '501 drives'),
        ({'drives': [{'low': [1], 'high': [2, 2]}]}, '1 and 2 limits, expected 2 each'),
        ({'drives': [{'low': [9, 1], 'high': [2, 2]}]}, 'points: low is 9.0 and high 2.0'),
        (
            {'drives': [{'low': [0, 1], 'high': [2, 2]}]},
            'points: low is 0.0 and high 2.0, expected 0.5',
        ),
        ({'drives': [{'low': [1, 1], 'high': [2, 1e300]}]}, 'rate_hz: low is 1.0 and high 1e'),
        ({'drives': [{'low': [float('nan'), 1], 'high': [2, 2]}]}, 'finite'),
        ({'drives': [{'low': ['1', 1], 'high': [2, 2]}]}, 'expected float'),
        ({'drives': 7}, 'expected a list'),
    ],
)
def test_a_damaged_envelope_is_refused(content: dict[str, Any], problem: str) -> None:
    sound = {'statistics': ['points', 'rate_hz'], 'drives': [{'low': [1, 1], 'high': [2, 2]}]}
    assert record_from_mapping(RadarEnvelope, sound).drives
    with pytest.raises(ValueError, match=problem):
        record_from_mapping(RadarEnvelope, sound | content)
