# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""
Every parameter of the node, once: default, range, meaning.

The ROS descriptors and `config/localize.yaml` are derived from NodeParameters; a nested dataclass
is a dotted name (`accept.max_distance`). How the radar image is made is no parameter: the model's
contract says it. After a change:

    python -m ssd_ros.ros.parameters > config/localize.yaml
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, fields, is_dataclass
from difflib import get_close_matches
import functools
import json
import math
import textwrap
from typing import Any, get_type_hints

from ssd_ros.place_recognizer import RecognizerConfig

_RECOGNIZER = RecognizerConfig()

Value = bool | int | float | str | tuple[float, ...]


@dataclass(frozen=True, slots=True)
class Option:
    """
    One parameter.

    :param low: smallest value of a number, likewise `high`; NaN = unbounded
    :param choices: of a string or an integer; empty = any
    :param read_only: cannot change while the node runs
    """

    name: str
    default: Value
    description: str
    low: float = math.nan
    high: float = math.nan
    choices: tuple[str | int, ...] = ()
    read_only: bool = False

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
        # Negated: a NaN is in no range.
        if not math.isnan(self.low) and not self.low <= value <= self.high:
            raise ValueError(
                f'parameter {self.name} is {value}, expected {self.low} .. {self.high}'
            )
        checked: Value = value
        return checked

    def _checked_list(self, value: Any) -> tuple[float, ...]:
        assert isinstance(self.default, tuple)
        items = tuple(value) if isinstance(value, Sequence) else ()
        if len(items) != len(self.default) or not all(
            isinstance(item, float) and math.isfinite(item) for item in items
        ):
            raise ValueError(
                f'parameter {self.name} is {value!r}, expected {len(self.default)} finite '
                f'numbers with a decimal point, such as {list(self.default)}'
            )
        return items


def _option(default: Any, description: str, **metadata: Any) -> Any:
    return field(default=default, metadata={'description': description, **metadata})


@dataclass(frozen=True, slots=True)
class AcceptParameters:
    """When a candidate counts as a loop closure."""

    max_distance: float = _option(
        _RECOGNIZER.accept_max_distance,
        'accept candidates nearer than this (unit descriptors, 0 = same, 2 = opposite); '
        '0 = the value calibrated for the model',
        low=0.0,
        high=2.0,
    )
    max_ratio: float = _option(
        _RECOGNIZER.accept_max_ratio,
        'accept candidates whose distance is below this share of that of the best far-away '
        'alternative; 0 = the value calibrated for the model',
        low=0.0,
        high=1.0,
    )


@dataclass(frozen=True, slots=True)
class AggregationParameters:
    """The window of scans that make one query; its length belongs to the model."""

    min_points: int = _option(
        _RECOGNIZER.min_points,
        'fewest static points in the window of scans; with fewer nothing is accepted',
        low=0,
        high=100_000,
    )


@dataclass(frozen=True, slots=True)
class NodeParameters:
    """The parameters of `ssd_localizer`."""

    index_path: str = _option('', 'map directory made by build_db; taken over by ~/reload_map')
    model_path: str = _option(
        '', 'ONNX encoder of the 4D radar; empty = the shipped one', read_only=True
    )
    device: str = _option(
        'auto',
        'where the encoder runs; auto = CUDA where present',
        choices=('auto', 'cpu', 'cuda'),
        read_only=True,
    )
    num_threads: int = _option(
        1, 'threads of the encoder on the CPU', low=1, high=64, read_only=True
    )
    map_frame: str = _option(
        'map', 'frame of the map: header.frame_id of the output', read_only=True
    )
    base_frame: str = _option('base_link', 'frame whose pose ~/pose is', read_only=True)
    radar_extrinsics: tuple[float, ...] = _option(
        (0.0, 0.0, 0.0, 0.0, 0.0, 0.0),
        'x, y, z (m), roll, pitch, yaw (rad) of the radar in base_frame, used while TF does not '
        'know it',
        read_only=True,
    )
    doppler_sign: int = _option(
        1,
        '-1 for a driver whose velocity is positive towards the radar',
        choices=(-1, 1),
        read_only=True,
    )
    stamp_source: str = _option(
        'auto',
        'time of a query: header = of the message, receive = of its arrival, auto = of the '
        'message unless it is 0 or off by more than max_stamp_skew',
        choices=('header', 'receive', 'auto'),
    )
    max_stamp_skew: float = _option(
        2.0, 'largest believable age of a message (s), for stamp_source auto', low=0.0, high=10.0
    )
    qos_reliability: str = _option(
        'best_effort',
        'of the subscription; best_effort matches every publisher, reliable only reliable ones',
        choices=('best_effort', 'reliable'),
        read_only=True,
    )
    query_rate: float = _option(100.0, 'most queries per second (Hz)', low=0.1, high=100.0)
    top_k: int = _option(_RECOGNIZER.top_k, 'most candidates per query', low=1, high=50)
    ambiguity_radius: float = _option(
        _RECOGNIZER.ambiguity_radius_m,
        'keyframes farther away than this are another place (m)',
        low=1.0,
        high=100.0,
    )
    accept: AcceptParameters = field(default_factory=AcceptParameters)
    aggregation: AggregationParameters = field(default_factory=AggregationParameters)
    allow_unknown_yaw: bool = _option(False, 'publish ~/pose even if the yaw is not known')
    covariance_floor_xy: float = _option(
        1.0, 'smallest standard deviation of x and y in ~/pose (m)', low=0.01, high=100.0
    )
    covariance_z: float = _option(
        1.0, 'standard deviation of z in ~/pose (m)', low=0.01, high=100.0
    )
    covariance_scale: float = _option(
        1.0, 'factor on the covariance of ~/pose', low=0.01, high=100.0
    )
    diagnostics_rate: float = _option(
        1.0, 'rate of /diagnostics (Hz)', low=0.1, high=20.0, read_only=True
    )
    autostart: bool = _option(
        True,
        'configure and activate at start; false leaves that to a lifecycle manager',
        read_only=True,
    )

    @classmethod
    def from_values(cls, values: Mapping[str, Any]) -> NodeParameters:
        """
        Build from dotted names; those absent keep their default.

        :raise ValueError: a name is unknown or a value impossible
        """
        options = {option.name: option for option in OPTIONS}
        if unknown := sorted(set(values) - set(options)):
            raise ValueError(unknown_parameter_text(unknown[0]))
        checked = {name: options[name].checked(value) for name, value in values.items()}
        parameters: NodeParameters = _nested(cls, checked, '')
        return parameters

    def recognizer_config(self) -> RecognizerConfig:
        """Return what of it the recognizer decides by."""
        return RecognizerConfig(
            top_k=self.top_k,
            ambiguity_radius_m=self.ambiguity_radius,
            accept_max_distance=self.accept.max_distance,
            accept_max_ratio=self.accept.max_ratio,
            min_points=self.aggregation.min_points,
        )


def value_of(parameters: NodeParameters, name: str) -> Any:
    """Return the value behind a dotted name."""
    return functools.reduce(getattr, name.split('.'), parameters)


def unknown_parameter_text(name: str) -> str:
    """Say that there is no such parameter and which ones it resembles."""
    names = [option.name for option in OPTIONS]
    # A name without its prefix is a common slip.
    near = [known for known in names if known.rpartition('.')[2] == name]
    near += [known for known in get_close_matches(name, names, 3) if known not in near]
    hint = f'did you mean {" or ".join(near)}?' if near else f'known are {", ".join(names)}'
    return f'unknown parameter {name}; {hint}'


def options_of(cls: type = NodeParameters, prefix: str = '') -> Iterator[Option]:
    """Yield the parameters in the order of the dataclass, nested ones with dotted names."""
    hints = get_type_hints(cls)
    for item in fields(cls):
        if is_dataclass(hints[item.name]):
            yield from options_of(hints[item.name], f'{prefix}{item.name}.')
        else:
            default: Any = item.default
            yield Option(f'{prefix}{item.name}', default, **item.metadata)


def _nested(cls: type, values: Mapping[str, Value], prefix: str) -> Any:
    hints = get_type_hints(cls)
    arguments: dict[str, Any] = {}
    for item in fields(cls):
        name = f'{prefix}{item.name}'
        if is_dataclass(hints[item.name]):
            arguments[item.name] = _nested(hints[item.name], values, f'{name}.')
        elif name in values:
            arguments[item.name] = values[name]
    return cls(**arguments)


OPTIONS = tuple(options_of())


def yaml_text() -> str:
    """Return `config/localize.yaml`: every parameter at its default with its description."""
    lines = [
        '# Copyright 2026 The ssd_ros authors',
        '# SPDX-License-Identifier: Apache-2.0',
        '# Parameters of ssd_localizer, each at its default; unknown names are refused.',
        '# Numbers with a decimal point need it: ROS takes 1 for an integer.',
        '/**:',
        '  ros__parameters:',
    ]
    groups: set[str] = set()
    for option in OPTIONS:
        group, _, name = option.name.rpartition('.')
        indent = '      ' if group else '    '
        if group and group not in groups:
            lines.append(f'    {group}:')
            groups.add(group)
        remarks = [option.description]
        if option.choices:
            remarks.append(f'one of {", ".join(map(str, option.choices))}')
        if not math.isnan(option.low):
            remarks.append(f'{option.low} .. {option.high}')
        remarks += ['read-only'] if option.read_only else []
        comment = textwrap.wrap('; '.join(remarks), 95 - len(indent))
        lines += [f'{indent}# {line}' for line in comment]
        value = list(option.default) if isinstance(option.default, tuple) else option.default
        lines.append(f'{indent}{name}: {json.dumps(value)}')
    return '\n'.join(lines) + '\n'


if __name__ == '__main__':
    print(yaml_text(), end='')
