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
from typing import Any, get_args, get_origin, get_type_hints, NamedTuple, TypeVar, Union

Record = TypeVar('Record')

# Metadata of every option that was added after files and drives had been written: without it they
# mean its default, which therefore never changes, and they keep their digests.
LATER = {'is later': True}

MAX_TEXT = 1 << 16
MAX_ITEMS = 100_000
MAX_INTEGER = (1 << 63) - 1

# YAML of a few lines can describe a list of lists that fills the memory once it is spelt out.
_REPR = reprlib.Repr()
_REPR.maxstring = _REPR.maxother = 80
_REPR.maxlevel = 2
shortened = _REPR.repr


def settings_of(record: Any) -> dict[str, Any]:
    """Return the fields of a dataclass, nested ones included, without later ones left alone."""
    return {
        each.name: settings_of(value) if is_dataclass(value) else value
        for each in fields(record)
        for value in [getattr(record, each.name)]
        if each.metadata != LATER or value != each.default
    }


def json_text(values: Any, indent: int | None = None) -> str:
    """Return JSON for people and programs; JSON has no NaN and no infinity: they become null."""
    return json.dumps(_without_nan(values), indent=indent, allow_nan=False)


def _without_nan(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {name: _without_nan(item) for name, item in value.items()}
    if isinstance(value, list | tuple):
        return [_without_nan(item) for item in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


class Limits(NamedTuple):
    """
    What a number must lie within.

    :param is_above: the lower one itself is too low
    """

    low: float
    high: float
    is_above: bool = False

    def __str__(self) -> str:
        """Return them as a message says them."""
        if self.is_above:
            return f'above {self.low:g}, at most {self.high:g}'
        return f'{self.low:g} .. {self.high:g}'


def check_limits(record: object, limits: Mapping[str, Limits]) -> None:
    """
    Compare fields of a record with their limits.

    :raise ValueError: one lies outside, by name
    """
    for name, limit in limits.items():
        value = getattr(record, name)
        if not limit.low <= value <= limit.high or (limit.is_above and value == limit.low):
            raise ValueError(f'{name} is {shortened(value)}, expected {limit}')


def check_text(name: str, text: str, max_length: int = MAX_TEXT, min_length: int = 0) -> None:
    """
    Refuse text that would spoil a log, a topic or the memory.

    :raise ValueError: it has control characters such as line breaks, or too many or few characters
    """
    if not min_length <= len(text) <= max_length or not text.isprintable():
        raise ValueError(
            f'{name} is {shortened(text)} of {len(text)} characters, expected {min_length} .. '
            f'{max_length} without line breaks and other control characters'
        )


def record_from_mapping(cls: type[Record], values: Any, where: str = '') -> Record:
    """
    Build a dataclass, nested ones included, from a mapping with exactly known names.

    Names that are absent keep their default; integers are accepted for floats.

    :param where: dotted place of the mapping, for messages
    :raise ValueError: a name is unknown or missing, or a value has the wrong type, is not finite,
        or is text that `check_text` refuses
    """
    if not isinstance(values, Mapping):
        raise ValueError(f'{where or cls.__name__} is {shortened(values)}, expected a mapping')
    hints = get_type_hints(cls)
    known = {field.name for field in fields(cls)}  # type: ignore[arg-type]
    if unknown := sorted(set(map(str, values)) - known):
        raise ValueError(
            f'unknown option {where}{unknown[0][:80]}; choose from {", ".join(sorted(known))}'
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
            raise ValueError(f'{where} is {shortened(value)}, expected a list')
        if len(value) > MAX_ITEMS:
            raise ValueError(f'{where} has {len(value)} items, expected at most {MAX_ITEMS}')
        return tuple(_value(get_args(hint)[0], item, where) for item in value)
    if hint is float and isinstance(value, int) and not isinstance(value, bool):
        try:
            return float(value)
        except OverflowError:
            raise ValueError(f'{where} is {shortened(value)}, too large') from None
    _check_plain(hint, value, where)
    return value


def _check_plain(hint: Any, value: Any, where: str) -> None:
    if type(value) is not hint:
        raise ValueError(f'{where} is {shortened(value)}, expected {hint.__name__}')
    if hint is float and not math.isfinite(value):
        raise ValueError(f'{where} is {value}, expected a finite number')
    if hint is int and abs(value) > MAX_INTEGER:
        raise ValueError(f'{where} is {shortened(value)}, too large')
    if hint is str:
        check_text(where, value)
