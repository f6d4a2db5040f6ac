# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Dataclasses from untrusted mappings (YAML, JSON), strict about names and types; JSON back."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields, is_dataclass
import json
import math
import reprlib
from types import UnionType
from typing import Any, get_args, get_origin, get_type_hints, TypeVar, Union

Record = TypeVar('Record')

# YAML of a few lines can describe a list of lists that fills the memory once it is spelt out.
_REPR = reprlib.Repr()
_REPR.maxstring = _REPR.maxother = 80
_REPR.maxlevel = 2
_shortened = _REPR.repr


def json_text(values: Any, indent: int | None = None) -> str:
    """Return JSON for people and programs; JSON has no NaN and no infinity: they become null."""
    return json.dumps(_without_nan(values), indent=indent, allow_nan=False)


def _without_nan(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {name: _without_nan(item) for name, item in value.items()}
    if isinstance(value, list | tuple):
        return [_without_nan(item) for item in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


def record_from_mapping(cls: type[Record], values: Any, where: str = '') -> Record:
    """
    Build a dataclass, nested ones included, from a mapping with exactly known names.

    Names that are absent keep their default; integers are accepted for floats.

    :param where: dotted place of the mapping, for messages
    :raise ValueError: a name is unknown or missing, or a value has the wrong type
    """
    if not isinstance(values, Mapping):
        raise ValueError(f'{where or cls.__name__} is {_shortened(values)}, expected a mapping')
    hints = get_type_hints(cls)
    known = {field.name for field in fields(cls)}  # type: ignore[arg-type]
    if unknown := sorted(set(map(str, values)) - known):
        raise ValueError(
            f'unknown option {where}{unknown[0]}; choose from {", ".join(sorted(known))}'
        )
    arguments = {
        name: _value(hints[name], value, f'{where}{name}') for name, value in values.items()
    }
    try:
        return cls(**arguments)
    except TypeError as error:
        raise ValueError(f'{where or cls.__name__}: {error}') from error


def _value(hint: Any, value: Any, where: str) -> Any:
    if get_origin(hint) in (Union, UnionType):
        if value is None:
            return None
        hint = next(option for option in get_args(hint) if option is not type(None))
    if is_dataclass(hint) and isinstance(hint, type):
        return record_from_mapping(hint, value, f'{where}.')
    if get_origin(hint) is tuple:
        if not isinstance(value, list | tuple):
            raise ValueError(f'{where} is {_shortened(value)}, expected a list')
        return tuple(_value(get_args(hint)[0], item, where) for item in value)
    if hint is float and isinstance(value, int) and not isinstance(value, bool):
        try:
            return float(value)
        except OverflowError:
            raise ValueError(f'{where} is {_shortened(value)}, too large') from None
    if type(value) is not hint:
        raise ValueError(f'{where} is {_shortened(value)}, expected {hint.__name__}')
    return value
