# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""
Autoware: initialises its localisation through the AD API.

The topic /initialpose would do it as well, but there the adaptor replaces our covariance by a
standard deviation of 2 m, and a hit that is 4 m off does not converge. Autoware aligns for itself
around the pose (method AUTO), which needs a vehicle that has stood for three seconds.
"""

from __future__ import annotations

from autoware_adapi_v1_msgs.msg import LocalizationInitializationState as State
from autoware_adapi_v1_msgs.srv import InitializeLocalization
from rclpy.node import Node
from rclpy.qos import DurabilityPolicy, QoSProfile
from ssd_ros.ros.adapters.closure import LoopClosure
from ssd_ros.ros.adapters.inbox import Inbox
from ssd_ros.ros.adapters.messages import initial_pose_msg
from ssd_ros.ros.adapters.outcomes import Outcomes
from ssd_ros.ros.adapters.service import ServiceCaller
from ssd_ros.ros.health.inputs import Status

_STATES = {
    State.UNKNOWN: 'unknown',
    State.UNINITIALIZED: 'uninitialized',
    State.INITIALIZING: 'initializing',
    State.INITIALIZED: 'initialized',
}
_ERRORS = {
    InitializeLocalization.Response.ERROR_UNSAFE: 'the vehicle moves',
    InitializeLocalization.Response.ERROR_GNSS_SUPPORT: 'GNSS is not supported',
    InitializeLocalization.Response.ERROR_GNSS: 'GNSS failed',
    InitializeLocalization.Response.ERROR_ESTIMATION: 'the alignment failed',
}


class AutowareAdapter:
    """Calls /api/localization/initialize and follows the state of the localisation."""

    def __init__(self, node: Node, map_frame: str) -> None:
        self._node = node
        self._map_frame = map_frame
        self._state = State.UNKNOWN
        self._outcomes = Outcomes('autoware', node)
        self._service = ServiceCaller(
            node, InitializeLocalization, '/api/localization/initialize', self._outcomes
        )
        self._inbox = Inbox(node, self._send, self._outcomes)
        self._subscription = node.create_subscription(
            State,
            '/api/localization/initialization_state',
            self._on_state,
            QoSProfile(depth=1, durability=DurabilityPolicy.TRANSIENT_LOCAL),
        )

    def on_loop_closure(self, closure: LoopClosure) -> None:
        """Ignore it: each pose would start the localisation anew."""

    def relocalize(self, closure: LoopClosure) -> None:
        """Initialise at the pose of the closure."""
        self._inbox.put(closure)

    def status(self) -> Status:
        """Return how many poses were sent, accepted and refused, and Autoware's state."""
        state = _STATES.get(self._state, str(self._state))
        return self._outcomes.status({'localization': state, **self._service.presence()})

    def destroy(self) -> None:
        """Let go of the service and the topic."""
        self._inbox.destroy()
        self._service.destroy()
        self._node.destroy_subscription(self._subscription)

    def _on_state(self, msg: State) -> None:
        self._state = msg.state

    def _send(self, closure: LoopClosure) -> None:
        if self._state == State.INITIALIZING:
            self._outcomes.fail('busy', 'Autoware is initialising already: a pose was dropped')
            return
        pose = initial_pose_msg(closure, self._map_frame)
        self._service.call(InitializeLocalization.Request(pose=[pose]), self._on_reply)

    def _on_reply(self, reply: InitializeLocalization.Response) -> None:
        if reply.status.success:
            self._outcomes.count('accepted')
            return
        reason = _ERRORS.get(reply.status.code, f'code {reply.status.code}')
        self._outcomes.fail('refused', f'Autoware refused: {reason}; {reply.status.message}')
