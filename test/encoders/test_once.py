# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Check that an image is encoded once."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from ssd_ros.encoders.network import OnnxEncoder
from ssd_ros.encoders.once import EncodedOnce
from support.posts import SMALL, small_encoder


def test_an_image_is_encoded_once_and_another_one_by_itself(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    encoder = small_encoder(tmp_path, '4d')
    shape = SMALL.grid.num_ranges, SMALL.grid.num_azimuths
    first, second = (
        (np.random.default_rng(seed).random(shape) > 0.9).astype(np.uint8) for seed in (0, 1)
    )
    expected = [encoder.encode(image) for image in (first, second)]
    once, encoded = EncodedOnce(encoder), []
    whole = OnnxEncoder.encode

    def counted(self: OnnxEncoder, bev: np.ndarray) -> np.ndarray:
        encoded.append(1)
        return whole(self, bev)

    monkeypatch.setattr(OnnxEncoder, 'encode', counted)
    for image, descriptor in [(first, expected[0]), (second, expected[1])] * 3:
        np.testing.assert_array_equal(once.encode(image.copy()), descriptor)
    assert len(encoded) == 2
    assert (once.kind, once.contract, once.digest) == ('network', encoder.contract, encoder.digest)
