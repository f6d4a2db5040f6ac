# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Settings of drives as plain values, from which their digests are made."""

from __future__ import annotations

from dataclasses import fields, is_dataclass
from typing import Any

# Metadata of every option that was added after drives had been written: those keep their digests,
# since an option that is left alone is no part of them.
LATER = {'is later': True}


def settings_of(record: Any) -> dict[str, Any]:
    """Return the fields of a dataclass, nested ones included, without later ones left alone."""
    return {
        each.name: settings_of(value) if is_dataclass(value) else value
        for each in fields(record)
        for value in [getattr(record, each.name)]
        if each.metadata != LATER or value != each.default
    }
