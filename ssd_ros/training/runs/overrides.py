# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Options of a configuration given on the command line as `batch.num_places=16`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from ssd_ros.records import Record, record_from_mapping
import yaml


def with_settings(config: Record, settings: Sequence[str]) -> Record:
    """
    Return a configuration, a dataclass, with some options changed.

    :param settings: of the form key.sub=value, the value in YAML; later ones win
    :raise ValueError: one is not of that form, names no option or has a wrong value
    """
    values = asdict(config)  # type: ignore[call-overload]
    for setting in settings:
        name, sign, text = setting.partition('=')
        if not sign or not name:
            raise ValueError(f'{setting!r} is no setting, expected such as batch.num_places=16')
        *groups, last = name.split('.')
        place: Any = values
        for group in groups:
            place = place.setdefault(group, {}) if isinstance(place, dict) else None
        if not isinstance(place, dict):
            raise ValueError(f'{name} is no option: {".".join(groups)} has none')
        place[last] = _value(text, setting)
    return record_from_mapping(type(config), values)


def _value(text: str, setting: str) -> Any:
    try:
        value = yaml.safe_load(text)
    except yaml.YAMLError as error:
        raise ValueError(f'the value of {setting} is not YAML') from error
    if isinstance(value, str):
        try:
            return float(value)  # YAML takes 1e-3 for text
        except ValueError:
            return value
    return value
