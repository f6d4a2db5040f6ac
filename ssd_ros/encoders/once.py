# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Queries asked of many maps are encoded once."""

from __future__ import annotations

from collections.abc import Callable
import hashlib

import numpy as np
from numpy.typing import NDArray
from ssd_ros.encoders.place_encoder import PlaceEncoder
from ssd_ros.encoders.scan_context import ScanContextConfig


class EncodedOnce:
    """An encoder that remembers the descriptors of the images that it has seen one by one."""

    def __init__(self, encoder: PlaceEncoder) -> None:
        self._encoder = encoder
        self.contract, self.digest = encoder.contract, encoder.digest
        self._known: dict[bytes, NDArray[np.float32]] = {}

    @property
    def kind(self) -> str:
        """See PlaceEncoder, here and below."""
        return self._encoder.kind

    @property
    def provider(self) -> str:
        return self._encoder.provider

    @property
    def scan_context(self) -> ScanContextConfig | None:
        return self._encoder.scan_context

    def encode(self, bev: NDArray[np.uint8]) -> NDArray[np.float32]:
        return self._once(bev, self._encoder.encode)

    def _once(
        self, image: NDArray[np.uint8], encode: Callable[[NDArray[np.uint8]], NDArray[np.float32]]
    ) -> NDArray[np.float32]:
        key = hashlib.sha256(image.tobytes()).digest()
        if key not in self._known:
            self._known[key] = encode(image)
        return self._known[key]

    def encode_batch(self, bevs: NDArray[np.uint8]) -> NDArray[np.float32]:
        return self._encoder.encode_batch(bevs)

    def encode_panorama(self, panorama: NDArray[np.uint8]) -> NDArray[np.float32]:
        return self._once(panorama, self._encoder.encode_panorama)
