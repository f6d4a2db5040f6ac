# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""
Every parameter of the node, once: default, range, meaning.

The ROS descriptors and `config/localize.yaml` are derived from NodeParameters; a nested dataclass
is a dotted name (`accept.max_distance`). How the radar image is made is no parameter: the model's
contract says it. After a change:

    python -m ssd_ros.ros.parameters.node > config/localize.yaml
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches
import functools
import json
import math
import textwrap
from typing import Any

from ssd_ros.devices import AUTO, DEVICES, MEANING
from ssd_ros.recognition.answer import RecognizerConfig
from ssd_ros.ros.parameters.options import nested, option, options_of
from ssd_ros.ros.parameters.options import Option as Option
from ssd_ros.ros.parameters.priors import PriorParameters
from ssd_ros.ros.parameters.sessions import SessionParameters
from ssd_ros.shared_files import ENCODERS

_RECOGNIZER = RecognizerConfig()


@dataclass(frozen=True, slots=True)
class AcceptParameters:
    """When a candidate counts as a loop closure."""

    max_distance: float = option(
        _RECOGNIZER.accept_max_distance,
        'accept candidates nearer than this (unit descriptors, 0 = same, 2 = opposite); '
        '0 = no limit, or that of the model in maps without a calibration',
        low=0.0,
        high=2.0,
    )
    max_ratio: float = option(
        _RECOGNIZER.accept_max_ratio,
        'accept candidates whose distance is below this share of that of the best far-away '
        'alternative; 0 = no limit, or that of the model in maps without a calibration',
        low=0.0,
        high=1.0,
    )
    min_confidence: float = option(
        _RECOGNIZER.accept_min_confidence,
        'accept candidates that are right with at least this probability; 0 = the threshold that '
        'the map carries',
        low=0.0,
        high=1.0,
    )
    min_support: float = option(
        _RECOGNIZER.accept_min_support,
        'accept candidates that at least this share of the last queries agrees with; above 0 '
        'nothing is accepted until the vehicle has moved',
        low=0.0,
        high=1.0,
    )
    max_rival: float = option(
        _RECOGNIZER.accept_max_rival,
        'accept candidates if no other place of the map reaches this share of their overlap; one '
        'that does, unless less than half as many of the last queries agree with it, makes them '
        'ambiguous; 0 = no limit',
        low=0.0,
        high=1.0,
    )
    max_ambiguity: float = option(
        _RECOGNIZER.accept_max_ambiguity,
        'accept candidates if at most this share of the last queries fitted two places of the map '
        'alike; more mean that the surroundings repeat themselves; 0 = no limit',
        low=0.0,
        high=1.0,
    )
    risk_unknown_radar: bool = option(
        _RECOGNIZER.accept_risk_unknown_radar,
        'accept candidates of a radar that is unlike those the calibration of the map knows, too: '
        'no confidence holds for it, and most that is accepted may be wrong',
    )
    risk_submaps: bool = option(
        _RECOGNIZER.accept_risk_submaps,
        'accept candidates of queries by aggregation.submap, too, by distance and ratio: no '
        'calibration knows them, and most that is accepted may be wrong',
    )
    risk_map_poses: bool = option(
        _RECOGNIZER.accept_risk_map_poses,
        'accept candidates of a map whose poses disagree with its returns, too: the keyframes are '
        'not where it says, and half of what is accepted may be wrong',
    )


@dataclass(frozen=True, slots=True)
class AggregationParameters:
    """The window of scans that make one query; its length belongs to the model, or is a submap."""

    min_points: int = option(
        _RECOGNIZER.min_points,
        'fewest static points in the window of scans; with fewer nothing is accepted',
        low=0,
        high=100_000,
    )
    submap: float = option(
        0.0,
        'ask by local maps of so much way (m), which show all around the place half of it back '
        'and are found driving the other way, too, in maps of spinning radar and of build_db '
        '--submap; with online_index the places of the running drive are such; 0 = by windows',
        low=0.0,
        high=1000.0,
        read_only=True,
    )


@dataclass(frozen=True, slots=True)
class NodeParameters(SessionParameters):
    """The parameters of `ssd_localizer`."""

    index_path: str = option(
        '',
        'map directory made by build_db, or several in one frame, separated by colons (\\: is a '
        'colon within a name); taken over by ~/reload_map; may be empty with online_index or '
        'place_server',
    )
    confidence_path: str = option(
        '',
        'calibration made by trust --fit, in place of those that the maps carry, and of the '
        'installed one for the running drive if it has one for 4D maps; taken over by '
        '~/reload_map; empty = theirs',
    )
    place_server: str = option(
        '',
        'address of a place server (the command serve), such as http://10.0.0.2:8766, that is '
        'asked where the maps have no accepted place; its answers are verified and judged as '
        'theirs are; empty = none',
        read_only=True,
    )
    encoder: str = option(
        'network',
        'what recognises places: the shipped network, or scan contexts, which need no training; '
        'the map must have been built with the same',
        choices=tuple(ENCODERS),
        read_only=True,
    )
    model_path: str = option(
        '',
        'ONNX model of the radar of input_type, of a spinning one with aggregation.submap, or '
        'description of scan contexts (.json), instead of the shipped one',
        read_only=True,
    )
    device: str = option(
        AUTO,
        MEANING,
        choices=DEVICES,
        read_only=True,
    )
    num_threads: int = option(
        1, 'threads of the encoder on the CPU', low=1, high=64, read_only=True
    )
    query_rate: float = option(100.0, 'most queries per second (Hz)', low=0.1, high=100.0)
    min_travel: float = option(
        0.0, 'least way between two automatic queries (m)', low=0.0, high=20.0
    )
    top_k: int = option(_RECOGNIZER.top_k, 'most candidates per query', low=1, high=50)
    ambiguity_radius: float = option(
        _RECOGNIZER.ambiguity_radius_m,
        'keyframes farther away than this are another place (m)',
        low=1.0,
        high=100.0,
    )
    verified_candidates: int = option(
        _RECOGNIZER.verified_candidates,
        'of the nearest candidates, laid over the returns of the map',
        low=0,
        high=50,
    )
    prior: PriorParameters = field(default_factory=PriorParameters)
    accept: AcceptParameters = field(default_factory=AcceptParameters)
    aggregation: AggregationParameters = field(default_factory=AggregationParameters)
    online_index: bool = option(
        False,
        'remember the places of the running drive and find them again; needs odometry',
        read_only=True,
    )
    keyframe_distance: float = option(
        2.0, 'between two places of the running drive (m)', low=0.1, high=100.0, read_only=True
    )
    exclude_recent: float = option(
        _RECOGNIZER.exclude_recent_s,
        'places of the running drive younger than this do not count (s)',
        low=0.0,
        high=3600.0,
    )
    exclude_recent_travel: float = option(
        _RECOGNIZER.exclude_recent_m,
        'places of the running drive do not count until the vehicle has travelled this far '
        'since (m)',
        low=0.0,
        high=10_000.0,
    )
    autostart: bool = option(
        True,
        'configure and activate at start; false leaves that to a lifecycle manager',
        read_only=True,
    )
    bond_heartbeat_period: float = option(
        0.25,
        'between two heartbeats to a lifecycle manager of Nav2 (s), with autostart false and the '
        'package bond installed; 0 = none, for a manager whose bond_timeout is 0',
        low=0.0,
        high=2.0,
        read_only=True,
    )

    @classmethod
    def from_values(cls, values: Mapping[str, Any]) -> NodeParameters:
        """
        Build from dotted names; those absent keep their default.

        :raise ValueError: a name is unknown or a value impossible
        """
        options = {known.name: known for known in OPTIONS}
        if unknown := sorted(set(values) - set(options)):
            raise ValueError(unknown_parameter_text(unknown[0]))
        checked = {name: options[name].checked(value) for name, value in values.items()}
        parameters: NodeParameters = nested(cls, checked)
        return parameters

    @property
    def needs_no_map(self) -> bool:
        """Whether places are found elsewhere than in maps of its own."""
        return self.online_index or bool(self.place_server)

    def recognizer_config(self) -> RecognizerConfig:
        """Return what of it the recognizer decides by."""
        return RecognizerConfig(
            top_k=self.top_k,
            ambiguity_radius_m=self.ambiguity_radius,
            accept_max_distance=self.accept.max_distance,
            accept_max_ratio=self.accept.max_ratio,
            accept_min_confidence=self.accept.min_confidence,
            accept_min_support=self.accept.min_support,
            accept_max_rival=self.accept.max_rival,
            accept_max_ambiguity=self.accept.max_ambiguity,
            accept_risk_unknown_radar=self.accept.risk_unknown_radar,
            accept_risk_map_poses=self.accept.risk_map_poses,
            accept_risk_submaps=self.accept.risk_submaps,
            verified_candidates=self.verified_candidates,
            exclude_recent_s=self.exclude_recent,
            exclude_recent_m=self.exclude_recent_travel,
            min_points=self.aggregation.min_points,
        )


def value_of(parameters: NodeParameters, name: str) -> Any:
    """Return the value behind a dotted name."""
    return functools.reduce(getattr, name.split('.'), parameters)


def is_of_rclpy(name: str) -> bool:
    """Return whether rclpy itself declares a parameter, at least in some distributions."""
    own = ('use_sim_time', 'start_type_description_service', 'qos_overrides')
    return name.partition('.')[0] in own


def unknown_parameter_text(name: str) -> str:
    """Say that there is no such parameter and which ones it resembles."""
    names = [known.name for known in OPTIONS]
    # A name without its prefix is a common slip.
    near = [known for known in names if known.rpartition('.')[2] == name]
    near += [known for known in get_close_matches(name, names, 3) if known not in near]
    hint = f'did you mean {" or ".join(near)}?' if near else f'known are {", ".join(names)}'
    return f'unknown parameter {name}; {hint}'


OPTIONS = tuple(options_of(NodeParameters))


def yaml_text() -> str:
    """Return `config/localize.yaml`: every parameter at its default with its description."""
    lines = [
        '# Copyright 2026 The ssd_ros authors',
        '# SPDX-License-Identifier: Apache-2.0',
        '# Parameters of ssd_localizer, each at its default. Unknown names are refused under',
        '# ssd_localizer: and only warned of under /**: where other nodes may have theirs.',
        '# Numbers with a decimal point need it: ROS takes 1 for an integer.',
        '/**:',
        '  ros__parameters:',
    ]
    groups: set[str] = set()
    for item in OPTIONS:
        group, _, name = item.name.rpartition('.')
        indent = '      ' if group else '    '
        if group and group not in groups:
            lines.append(f'    {group}:')
            groups.add(group)
        remarks = [item.description]
        if item.choices:
            remarks.append(f'one of {", ".join(map(str, item.choices))}')
        if not math.isnan(item.low):
            remarks.append(f'{item.low} .. {item.high}')
        remarks += ['read-only'] if item.read_only else []
        comment = textwrap.wrap('; '.join(remarks), 95 - len(indent))
        lines += [f'{indent}# {line}' for line in comment]
        value = list(item.default) if isinstance(item.default, tuple) else item.default
        lines.append(f'{indent}{name}: {json.dumps(value)}')
    return '\n'.join(lines) + '\n'


if __name__ == '__main__':
    print(yaml_text(), end='')
