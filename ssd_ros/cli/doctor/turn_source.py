# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Which source sent the turns of a spinning radar, by topic, type and what can be read."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from ssd_ros.cli.doctor.contents import first_message
from ssd_ros.datasets.bags.reader import BagReader
from ssd_ros.datasets.spinning.messages import DECODERS, MESSAGE_TYPES
from ssd_ros.datasets.spinning.preset import (
    FFT_DATA,
    POINTS,
    PRESETS,
    SpinningPreset,
)
from ssd_ros.datasets.spinning.preset import (
    MESSAGE_TYPES as TURNS,
)

# An image of MulRan's player reaches so far; that of HeRCULES, which has its topic, 150 m.
_MULRAN_M = (180.0, 220.0)


def source_of(reader: BagReader, topic: str, message_type: str) -> str | None:
    """Return the preset that turns are read with, None if they are none or of no known source."""
    message = first_message(reader, topic, TURNS)
    found = list(_readable(topic, message_type, message))
    if 'mulran' in found and 'hercules' in found:
        reach_m = int(message.height) * (PRESETS['mulran'].range_resolution_m or 0)
        found.remove('hercules' if _MULRAN_M[0] < reach_m < _MULRAN_M[1] else 'mulran')
    named = [name for name in found if PRESETS[name].topic == topic]
    return next(iter([*named, *found]), None)


def input_type_of(message_type: str) -> str:
    """Return the value of the parameter input_type for messages of a spinning radar."""
    return next(kind for kind, name in MESSAGE_TYPES.items() if name == message_type)


def _readable(topic: str, message_type: str, message: Any) -> Iterator[str]:
    for name, preset in PRESETS.items():
        if preset.message_type != message_type or preset.topic not in ('', topic):
            continue
        if message_type == POINTS and preset.topic != topic:
            continue
        if message is not None and (message_type == FFT_DATA or _can_read(message, preset)):
            yield name


def _can_read(message: Any, preset: SpinningPreset) -> bool:
    try:
        DECODERS[preset.message_type](message, 1, preset)
    except ValueError:
        return False
    return True
