# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""LZF, in which the Point Cloud Library compresses; no package of distributions decodes it."""

from __future__ import annotations

_MAX_GROWTH = 88  # 3 bytes stand for at most 264


def decompressed(content: bytes | memoryview, size: int) -> bytearray:
    """
    Return what was compressed.

    :param size: bytes that it has
    :raise ValueError: the content is damaged, or is of another size
    """
    if not 0 <= size <= _MAX_GROWTH * len(content):
        raise ValueError(f'{len(content)} compressed bytes are not {size} decompressed ones')
    found, data = bytearray(), bytes(content)
    place, end = 0, len(data)
    while place < end and len(found) <= size:
        control = data[place]
        place += 1
        if control < 32:  # so many bytes as they are
            found += data[place : place + control + 1]
            place += control + 1
            continue
        length = control >> 5
        if length == 7 and place < end:
            length += data[place]
            place += 1
        low = data[place] if place < end else 0
        first = len(found) - ((control & 31) << 8) - low - 1
        place += 1
        if first < 0:
            raise ValueError('its compressed data refer to bytes before the first one')
        again = found[first : first + length + 2]
        # What is copied may be what was copied just now.
        found += (again * -(-(length + 2) // len(again)))[: length + 2]
    if len(found) != size or place != end:
        raise ValueError(f'its compressed data are damaged: expected {size} bytes of them')
    return found
