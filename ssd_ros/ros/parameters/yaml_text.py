# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""
YAML as the parameter parser of ROS reads it (rcl_yaml_param_parser), without ROS.

It differs from PyYAML where a slip costs an hour: `1e3` is a number, `y` is true, `~` is text, and
names stay text whatever they look like. The tags `!!bool`, `!!int`, `!!float` and `!!str` say what
a value is; ROS before Lyrical minds `!!str` alone.
"""

from __future__ import annotations

import math
import re
from typing import Any

import yaml

_TEXT = 'tag:yaml.org,2002:str'
_PLAIN = 'tag:ssd_ros,2026:plain'
_NOT_OF_ROS = ('null', 'timestamp', 'binary', 'set', 'omap', 'pairs')
_TRUE = {'Y', 'y', 'yes', 'Yes', 'YES', 'true', 'True', 'TRUE', 'on', 'On', 'ON'}
_FALSE = {'N', 'n', 'no', 'No', 'NO', 'false', 'False', 'FALSE', 'off', 'Off', 'OFF'}
_INTEGER = re.compile(r'([-+]?)(0[xX][0-9a-fA-F]+|0[0-7]*|[1-9][0-9]*)')
_DECIMAL = re.compile(r'[-+]?(\d+\.?\d*|\.\d+)([eE][-+]?\d+)?')
_NOT_FINITE = re.compile(r'([-+]?)\.?(inf|infinity|nan)', re.IGNORECASE)
_INT64 = 1 << 63


def value_of(text: str) -> bool | int | float | str:
    """Return what an unquoted text without a tag is."""
    if text in _TRUE or text in _FALSE:
        return text in _TRUE
    if match := _INTEGER.fullmatch(text):
        sign, digits = match.groups()
        base = 16 if digits[:2] in ('0x', '0X') else 8 if digits[0] == '0' else 10
        number = int(sign + digits, base)
        if -_INT64 <= number < _INT64:
            return number
    if _DECIMAL.fullmatch(text):
        value = float(text)
        return value if math.isfinite(value) else text
    if match := _NOT_FINITE.fullmatch(text):
        return float(match[1] + match[2])
    return text


class _Loader(yaml.SafeLoader):
    def resolve(self, kind: type[yaml.Node], value: Any, implicit: Any) -> str:
        if kind is yaml.ScalarNode and implicit[0]:
            return _PLAIN
        tag: str = super().resolve(kind, value, implicit)
        return tag

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        for name, _ in node.value:
            if isinstance(name, yaml.ScalarNode):
                name.tag = _TEXT
        return super().construct_mapping(node, deep)


def _plain(loader: _Loader, node: yaml.ScalarNode) -> bool | int | float | str:
    return value_of(node.value)


def _refused(loader: _Loader, node: yaml.Node) -> None:
    raise yaml.constructor.ConstructorError(
        problem=f'ROS has no parameters of type {node.tag.rpartition(":")[2]}',
        problem_mark=node.start_mark,
    )


_Loader.add_constructor(_PLAIN, _plain)
for _name in _NOT_OF_ROS:
    _Loader.add_constructor(f'tag:yaml.org,2002:{_name}', _refused)


def parsed(text: str) -> Any:
    """
    Return the content of a parameter file.

    :raise yaml.YAMLError: it is no YAML, or has a tag that ROS does not know or an alias: ROS
        refuses these, too, and a few of them unfold to any size
    """
    for token in yaml.scan(text):
        if isinstance(token, yaml.AliasToken):
            raise yaml.YAMLError(f'it has a YAML alias in line {token.start_mark.line + 1}')
    loader = _Loader(text)
    try:
        return loader.get_single_data()
    finally:
        loader.dispose()
