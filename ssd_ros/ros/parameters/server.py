# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The node's parameters in ROS: declared, checked as a whole, changed at run time."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
import math
from typing import Any

from rcl_interfaces.msg import (
    FloatingPointRange,
    IntegerRange,
    ParameterDescriptor,
    SetParametersResult,
)
from rclpy.node import Node
from rclpy.parameter import Parameter
from ssd_ros.ros.parameters.node import is_of_rclpy, NodeParameters, Option, OPTIONS, value_of


class ParameterServer:
    """
    Keep a NodeParameters equal to the ROS parameters of a node.

    The node must have been made with `automatically_declare_parameters_from_overrides`: that is
    how names which nobody declares become visible. rclpy alone would ignore them in silence.
    """

    def __init__(self, node: Node) -> None:
        """
        Declare everything.

        :raise ValueError: a given parameter is unknown or has an impossible value
        """
        declared: Mapping[str, Any] = node.get_parameters_by_prefix('')
        given = {
            name: parameter.value for name, parameter in declared.items() if not is_of_rclpy(name)
        }
        self.current = NodeParameters.from_values(given)
        for name in given:
            node.undeclare_parameter(name)
        for option in OPTIONS:
            default = option.default
            value = list(default) if isinstance(default, tuple) else default
            node.declare_parameter(option.name, value, _descriptor_of(option))
        node.add_on_set_parameters_callback(self._on_set)

    def _on_set(self, changes: Sequence[Parameter]) -> SetParametersResult:
        values = {option.name: value_of(self.current, option.name) for option in OPTIONS}
        values |= {change.name: change.value for change in changes if change.name in values}
        try:
            self.current = NodeParameters.from_values(values)
        except ValueError as error:
            return SetParametersResult(successful=False, reason=str(error))
        return SetParametersResult(successful=True)


def _descriptor_of(option: Option) -> ParameterDescriptor:
    descriptor = ParameterDescriptor(
        name=option.name, description=option.description, read_only=option.read_only
    )
    if option.choices:
        descriptor.additional_constraints = f'one of {", ".join(map(str, option.choices))}'
    if math.isnan(option.low):
        return descriptor
    if isinstance(option.default, int):
        bounds = IntegerRange(from_value=int(option.low), to_value=int(option.high))
        descriptor.integer_range = [bounds]
    else:
        descriptor.floating_point_range = [
            FloatingPointRange(from_value=option.low, to_value=option.high)
        ]
    return descriptor
