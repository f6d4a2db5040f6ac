# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What the files of a working folder were made with, so that a later run does not mix them."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ssd_ros.reading import MAX_JSON_BYTES, read_json
from ssd_ros.targets import write_json


def settle(path: Path, settings: Mapping[str, Any], complaint: str) -> None:
    """
    Write settings, or compare them with those that are there.

    :param settings: of plain values
    :param complaint: if some differ, with `{path}` and `{changed}` for their names
    :raise ValueError: they differ
    """
    if not path.exists():
        write_json(path, settings)
        return
    before = read_settings(path)
    if changed := [name for name, value in settings.items() if before.get(name) != value]:
        raise ValueError(complaint.format(path=path, changed=', '.join(changed)))


def read_settings(path: Path) -> dict[str, Any]:
    """Return the settings in a file, whatever version wrote it; none if there are none."""
    try:
        there = read_json(path, MAX_JSON_BYTES, 'settings')
    except (FileNotFoundError, ValueError):
        return {}
    if not isinstance(there, dict):
        return {}
    return {name: value for name, value in there.items() if name != 'generator'}
