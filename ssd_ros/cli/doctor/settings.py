# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What the doctor would set, and the parameter file that says so."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
import json
from pathlib import Path
import textwrap
from typing import Any

from ssd_ros.ros.parameters.node import NodeParameters, OPTIONS, value_of
from ssd_ros.targets import GENERATOR, write_file

_USUAL_ODOMETRY = 'odom'


@dataclass(slots=True)
class Settings:
    """
    The parameters so far.

    :param parameters: of the node, with all that is set
    :param reasons: parameter that was set -> why
    :param odometry_topic: for the topic `odom`; parameters cannot remap it
    :param use_sim_time: somebody publishes the time
    """

    parameters: NodeParameters
    reasons: dict[str, str] = field(default_factory=dict)
    odometry_topic: str = _USUAL_ODOMETRY
    use_sim_time: bool = False

    def take(self, values: Mapping[str, Any], reason: str) -> None:
        """
        Set parameters.

        :raise ValueError: the node would refuse them
        """
        changed = {
            name: value
            for name, value in values.items()
            if value_of(self.parameters, name) != value
        }
        self.parameters = with_values(self.parameters, changed)
        self.reasons |= dict.fromkeys(changed, reason)

    @property
    def is_empty(self) -> bool:
        """Whether the defaults do."""
        return not (self.reasons or self.use_sim_time)

    def lines(self) -> list[str]:
        """Return each as a line for people."""
        said = [f'{name}: {_text(value_of(self.parameters, name))}' for name in self.reasons]
        return ['use_sim_time: true', *said] if self.use_sim_time else said

    @property
    def ros_arguments(self) -> list[str]:
        """What stands behind the parameter file on the node's command line."""
        if self.odometry_topic in (_USUAL_ODOMETRY, f'/{_USUAL_ODOMETRY}'):
            return []
        return ['-r', f'{_USUAL_ODOMETRY}:={self.odometry_topic}']

    def launch_line(self, path: Path) -> str:
        """Return the command that starts the node with a file of these parameters."""
        words = ['ros2 launch ssd_ros localize.launch.py', f'params_file:={path}']
        if self.ros_arguments:
            words.append(f'odom_topic:={self.odometry_topic}')
        if self.use_sim_time:
            words.append('use_sim_time:=true')
        return ' '.join(words)

    def write(self, path: Path, source: str) -> None:
        """
        Write the parameter file.

        :param source: what was looked at
        :raise TargetError: something that is not ours stands there
        """
        head = [f'# {GENERATOR}: doctor, {source}', f'# {self.launch_line(path)}']
        body = ['/**:', '  ros__parameters:', *self._yaml()]
        write_file(path, '\n'.join([*head, *body, '']).encode())

    def _yaml(self) -> list[str]:
        """Return the topics and all that differs from the defaults, those in groups last."""
        usual, lines, groups = NodeParameters(), [], set[str]()
        if self.use_sim_time:
            lines += ['    # /clock is published', '    use_sim_time: true']
        names = [option.name for option in OPTIONS]
        given = [
            name
            for name in names
            if name == 'input_topics' or value_of(self.parameters, name) != value_of(usual, name)
        ]
        for name in sorted(given, key=lambda each: '.' in each):
            group, _, rest = name.rpartition('.')
            indent = '      ' if group else '    '
            if group and group not in groups:
                lines.append(f'    {group}:')
                groups.add(group)
            reason = self.reasons.get(name, '')
            lines += [f'{indent}# {line}' for line in textwrap.wrap(reason, 95 - len(indent))]
            lines.append(f'{indent}{rest}: {_text(value_of(self.parameters, name))}')
        return lines


def with_values(parameters: NodeParameters, values: Mapping[str, Any]) -> NodeParameters:
    """
    Return parameters of which some are set, by dotted names.

    :raise ValueError: a name is unknown or a value impossible
    """
    before = {option.name: value_of(parameters, option.name) for option in OPTIONS}
    return NodeParameters.from_values({**before, **values})


def _text(value: Any) -> str:
    return json.dumps(list(value) if isinstance(value, tuple) else value)
