# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Wait until a node that starts is active and answers."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
import time

from lifecycle_msgs.msg import State
from lifecycle_msgs.srv import GetState
from ssd_ros.ros.companions.own_node import own_node
from ssd_ros.ros.messages.topics import NODE

_LIMIT_S = 60.0
_LOOK_S = 0.005
_ASK_AGAIN_S = 1.0  # a question that came before both knew each other may have no answer


@contextmanager
def state_asked() -> Iterator[Callable[[], float]]:
    """
    Yield what waits until the localizer says that it is active; it returns CLOCK_MONOTONIC then.

    It raises ValueError where that takes longer than a minute.
    """
    with own_node('ssd_ros_bench') as (node, executor):
        client = node.create_client(GetState, f'/{NODE}/get_state')

        def wait() -> float:
            end_s = time.monotonic() + _LIMIT_S
            while time.monotonic() < end_s:
                if not client.service_is_ready():
                    executor.spin_once(timeout_sec=_LOOK_S)
                    continue
                asked = client.call_async(GetState.Request())
                executor.spin_until_future_complete(asked, _ASK_AGAIN_S)
                now_s = time.monotonic()
                if asked.done() and asked.result().current_state.id == State.PRIMARY_STATE_ACTIVE:
                    return now_s
            raise ValueError(f'the localizer was not active after {_LIMIT_S:.0f} s, see above')

        yield wait
