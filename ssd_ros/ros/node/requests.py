# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""
Requests of anybody on the network, which must not end a node.

rclpy answers the lifecycle and parameter services of a node itself and lets some errors through,
out of spin(): of a transition that the state does not have (in Humble and Jazzy), of a parameter
value of a type that does not exist.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
import inspect
import traceback
from typing import Any

from lifecycle_msgs.srv import ChangeState, GetAvailableTransitions, GetState
from rcl_interfaces.msg import Parameter as ParameterMsg
from rcl_interfaces.msg import SetParametersResult
from rcl_interfaces.srv import SetParameters, SetParametersAtomically
from rclpy.lifecycle import LifecycleNode
from rclpy.node import Node
from rclpy.parameter import Parameter
from ssd_ros.ros.health.texts import PARAMETER_REFUSED, REQUEST_FAILED, TRANSITION_REFUSED

_MAX_LABEL = 40
Handler = Callable[[Any, Any], Any]


def survive_requests(node: Node) -> None:
    """Let no service that a node has by now end it: what cannot be done is refused and logged."""
    for service in node.services:
        if service.srv_type in (SetParameters, SetParametersAtomically):
            service.callback = _with_known_types(node, service.callback)
        elif service.srv_type is ChangeState and isinstance(node, LifecycleNode):
            service.callback = _with_fit_transitions(node, service.callback)
        service.callback = _without_errors(node, service)


def possible_transitions(node: LifecycleNode) -> dict[str, int]:
    """Return what the present state has, ids by label."""
    response = _asked(node, GetAvailableTransitions, 'get_available_transitions')
    found = [item.transition for item in response.available_transitions]
    return {transition.label: transition.id for transition in found}


def state_label(node: LifecycleNode) -> str:
    """Return the name of the present state."""
    return str(_asked(node, GetState, 'get_state').current_state.label)


def _asked(node: LifecycleNode, kind: Any, name: str) -> Any:
    """Ask the node what it would answer others: rclpy has no other public way to the state."""
    services: Iterable[Any] = node.services
    for service in services:
        if service.srv_type is kind and service.srv_name.endswith(name):
            return service.callback(kind.Request(), kind.Response())
    raise LookupError(f'the node has no service {name}')


def _with_fit_transitions(node: LifecycleNode, handle: Handler) -> Handler:
    def handled(request: ChangeState.Request, response: ChangeState.Response) -> Any:
        asked, possible = request.transition, possible_transitions(node)
        # Where there is a label the id is not looked at.
        if asked.label in possible or (not asked.label and asked.id in possible.values()):
            return handle(request, response)
        label = asked.label[:_MAX_LABEL]
        names = ', '.join(f'{name} ({number})' for name, number in possible.items())
        node.get_logger().warning(
            TRANSITION_REFUSED.format(
                asked=f'{label!r}' if label else f'of id {asked.id}',
                state=state_label(node),
                possible=names or 'none',
            )
        )
        response.success = False
        return response

    return handled


def _with_known_types(node: Node, handle: Handler) -> Handler:
    def handled(request: Any, response: Any) -> Any:
        wrong = [item for item in request.parameters if not _has_known_type(item)]
        if not wrong:
            return handle(request, response)
        reason = f'parameter {wrong[0].name!r} is of the unknown type {wrong[0].value.type}'
        node.get_logger().warning(PARAMETER_REFUSED.format(reason=reason))
        result = SetParametersResult(successful=False, reason=reason)
        if isinstance(response, SetParameters.Response):
            response.results = [result] * len(request.parameters)
        else:
            response.result = result
        return response

    return handled


def _has_known_type(parameter: ParameterMsg) -> bool:
    return any(parameter.value.type == kind.value for kind in Parameter.Type)


def _without_errors(node: Node, service: Any) -> Handler:
    """Answer with an empty response, whose `success` is false, where the handler raises."""
    handle = service.callback

    def failed() -> Any:
        text = REQUEST_FAILED.format(service=service.srv_name, error=traceback.format_exc())
        node.get_logger().error(text)
        return service.srv_type.Response()

    def handled(request: Any, response: Any) -> Any:
        try:
            return handle(request, response)
        except Exception:
            return failed()

    async def awaited(request: Any, response: Any) -> Any:
        try:
            return await handle(request, response)
        except Exception:
            return failed()

    return awaited if inspect.iscoroutinefunction(handle) else handled
