# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Check what is advised, by what the model takes for granted."""

from __future__ import annotations

import pytest
from ssd_ros.cli.doctor.findings import brightness_of, GOOD, MEND


@pytest.mark.parametrize(('filled', 'side'), [(0.01, 'darker'), (0.41, 'brighter')])
def test_gain_is_blamed_where_it_shows_in_the_images_alone(filled: float, side: str) -> None:
    fixed, by_content = (brightness_of(filled, 900, each) for each in (False, True))
    assert fixed.level == by_content.level == MEND
    assert f'{side} than the model takes for granted: ' in fixed.words
    assert f'{side} than the model takes for granted: ' in by_content.words
    assert 'set the threshold' in fixed.words
    assert 'threshold' not in by_content.words
    assert 'normalisation' not in by_content.words


@pytest.mark.parametrize('is_by_content', [False, True])
def test_as_many_returns_as_usual_are_good(is_by_content: bool) -> None:
    finding = brightness_of(0.13, 1000, is_by_content)
    assert (finding.level, finding.words) == (
        GOOD,
        '13% of the image of a turn are returns, 1000 of them kept',
    )
