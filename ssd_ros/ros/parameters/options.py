# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What a parameter of the node is, and dataclasses that are sets of them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, fields, is_dataclass
import math
from typing import Any, get_type_hints

Value = bool | int | float | str | tuple[float, ...] | tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Option:
    """
    One parameter.

    :param low: smallest value of a number, likewise `high`; NaN = unbounded
    :param choices: of a string or an integer; empty = any
    :param read_only: cannot change while the node runs
    :param repeats: a list of numbers may have its length several times
    """

    name: str
    default: Value
    description: str
    low: float = math.nan
    high: float = math.nan
    choices: tuple[str | int, ...] = ()
    read_only: bool = False
    repeats: bool = False

    def checked(self, value: Any) -> Value:
        """
        Return the value as the dataclass stores it.

        :raise ValueError: wrong type or outside the range
        """
        if isinstance(self.default, tuple):
            return self._checked_list(value)
        if isinstance(self.default, float) and type(value) is int:
            raise ValueError(
                f'parameter {self.name} is the integer {value}, expected a number with a '
                f'decimal point: write {value}.0'
            )
        if type(value) is not type(self.default):
            raise ValueError(
                f'parameter {self.name} is {value!r}, expected {type(self.default).__name__}'
            )
        if self.choices and value not in self.choices:
            choices = ', '.join(map(str, self.choices))
            raise ValueError(f'parameter {self.name} is {value!r}; choose from {choices}')
        if isinstance(value, int | float):
            self._check_range(value)
        checked: Value = value
        return checked

    def _check_range(self, value: float) -> None:
        # Negated: a NaN is in no range.
        if not math.isnan(self.low) and not self.low <= value <= self.high:
            raise ValueError(
                f'parameter {self.name} is {value}, expected {self.low} .. {self.high}'
            )

    def _checked_list(self, value: Any) -> Value:
        assert isinstance(self.default, tuple)
        is_list = isinstance(value, Sequence) and not isinstance(value, str)
        items = tuple(value) if is_list else ()
        if is_list and not items and self.default == ('',):
            return self.default
        if isinstance(self.default[0], str):
            if not items or not all(isinstance(item, str) for item in items):
                raise ValueError(
                    f'parameter {self.name} is {value!r}, expected a list of texts, such as '
                    f'{list(self.default)}'
                )
            return items
        size = len(self.default)
        fits = bool(items) and len(items) % size == 0 if self.repeats else len(items) == size
        if not fits or not all(isinstance(item, float) and math.isfinite(item) for item in items):
            raise ValueError(
                f'parameter {self.name} is {value!r}, expected {size} finite numbers with a '
                f'decimal point{" for each radar" if self.repeats else ""}, such as '
                f'{list(self.default)}'
            )
        return items


def option(default: Any, description: str, **metadata: Any) -> Any:
    """Return the field of a dataclass that is a parameter; metadata as in Option."""
    return field(default=default, metadata={'description': description, **metadata})


def options_of(cls: type, prefix: str = '') -> Iterator[Option]:
    """Yield the parameters in the order of the dataclass, nested ones with dotted names."""
    hints = get_type_hints(cls)
    for item in fields(cls):
        if is_dataclass(hints[item.name]):
            yield from options_of(hints[item.name], f'{prefix}{item.name}.')
        else:
            default: Any = item.default
            yield Option(f'{prefix}{item.name}', default, **item.metadata)


def nested(cls: type, values: Mapping[str, Value], prefix: str = '') -> Any:
    """Build a dataclass, and those within it, from dotted names."""
    hints = get_type_hints(cls)
    arguments: dict[str, Any] = {}
    for item in fields(cls):
        name = f'{prefix}{item.name}'
        if is_dataclass(hints[item.name]):
            arguments[item.name] = nested(hints[item.name], values, f'{name}.')
        elif name in values:
            arguments[item.name] = values[name]
    return cls(**arguments)
