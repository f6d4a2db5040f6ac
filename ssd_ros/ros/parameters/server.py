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
from ssd_ros.ros.parameters.given import leave_out_foreign
from ssd_ros.ros.parameters.node import is_of_rclpy, NodeParameters, Option, OPTIONS, value_of


class ParameterServer:
    """Keep a NodeParameters equal to the ROS parameters of a node."""

    def __init__(self, node: Node, arguments: Sequence[str] = ()) -> None:
        """
        Declare everything.

        :param arguments: of the process: they say which names are meant for any node
        :raise ValueError: a given parameter is unknown or has an impossible value
        """
        given = _given(node)
        known = {option.name for option in OPTIONS}
        if unknown := set(given) - known:
            full_name, warn = node.get_fully_qualified_name(), node.get_logger().warning
            leave_out_foreign(unknown, arguments, full_name, warn)
        self.current = NodeParameters.from_values(
            {name: value for name, value in given.items() if name in known}
        )
        for option in OPTIONS:
            value = value_of(self.current, option.name)
            value = list(value) if isinstance(value, tuple) else value
            node.declare_parameter(
                option.name, value, _descriptor_of(option), ignore_override=True
            )
        node.add_on_set_parameters_callback(self._on_set)

    def _on_set(self, changes: Sequence[Parameter]) -> SetParametersResult:
        values = {option.name: value_of(self.current, option.name) for option in OPTIONS}
        values |= {change.name: change.value for change in changes if change.name in values}
        try:
            self.current = NodeParameters.from_values(values)
        except ValueError as error:
            return SetParametersResult(successful=False, reason=str(error))
        return SetParametersResult(successful=True)


def _given(node: Node) -> dict[str, Any]:
    """
    Return the parameters that the node was started with, whether it has them or not.

    Asked of the handle: rclpy ignores what nobody declares, and can declare no empty list, which
    comes without a type.
    """
    with node.handle:
        found: Mapping[str, Parameter] = node.handle.get_parameters(Parameter)
    return {
        name: [] if parameter.value is None else parameter.value
        for name, parameter in found.items()
        if not is_of_rclpy(name)
    }


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
