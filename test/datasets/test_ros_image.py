# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Check the images that spinning radar players and drivers send."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np
from numpy.typing import NDArray
import pytest
from ssd_ros.datasets.ros_image import scan_from_image

POWER = np.random.default_rng(0).integers(0, 256, (500, 400), dtype=np.uint8)


def image(pixels: NDArray[np.uint8], **changes: Any) -> Any:
    height, width = pixels.shape
    attributes = {'height': height, 'width': width, 'step': width, 'encoding': 'mono8'}
    return SimpleNamespace(**{**attributes, 'data': pixels.tobytes(), **changes})


@pytest.mark.parametrize(
    'message',
    [
        image(POWER),
        image(POWER, encoding='8UC1'),
        image(np.ascontiguousarray(POWER.T)),  # rows are azimuths
        image(POWER, step=420, data=np.pad(POWER, ((0, 0), (0, 20))).tobytes()),
        # A player's fault: three equal channels under the name of one.
        image(POWER, step=1200, data=POWER.repeat(3).tobytes()),
        image(POWER, data=POWER.tobytes() + b'more'),
    ],
)
def test_every_known_form_is_the_same_scan(message: Any) -> None:
    scan = scan_from_image(message, 7, None)
    np.testing.assert_array_equal(scan.power, POWER)
    assert scan.stamp_ns == 7
    assert scan.range_resolution_m == 150 / 500
    assert np.degrees(scan.azimuths_rad[100]) == pytest.approx(90)


def test_the_range_resolution_can_be_given() -> None:
    assert scan_from_image(image(POWER), 7, 0.0596).range_resolution_m == 0.0596


@pytest.mark.parametrize(
    ('changes', 'text'),
    [
        ({'encoding': 'rgb8'}, "encoding 'rgb8', expected one of"),
        ({'encoding': '16UC1'}, "encoding '16UC1'"),
        ({'width': 399}, '500 rows x 399 columns, expected 400 azimuths'),
        ({'height': 400}, '400 rows x 400 columns'),
        ({'height': 0}, '0 rows x 400 columns'),
        ({'step': 399}, 'has 200000 bytes and step 399'),
        ({'data': b'12'}, 'has 2 bytes and step 400, expected 500 rows of at least 400 bytes'),
        ({'height': 2**32 - 1}, 'has 200000 bytes'),
    ],
)
def test_another_image_is_refused(changes: dict[str, Any], text: str) -> None:
    with pytest.raises(ValueError, match=text):
        scan_from_image(image(POWER, **changes), 7, None)
