# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Run a ROS program until it is told to stop, and leave with the right exit code."""

from __future__ import annotations

from collections.abc import Callable, Sequence
import signal
import sys

import rclpy
from rclpy.executors import ExternalShutdownException, SingleThreadedExecutor
from rclpy.node import Node
from rclpy.utilities import ok, try_shutdown


class StartupError(RuntimeError):
    """The program cannot start, for a reason that the user can mend."""


def run(name: str, body: Callable[[], None], args: Sequence[str] | None = None) -> int:
    """
    Call a function inside ROS; SIGINT and SIGTERM end it in good order.

    :param name: of the command, heads the line on stderr when it cannot start
    :param body: makes its nodes, spins and destroys them; may raise StartupError
    :param args: ROS arguments; None = those of the process
    :return: exit code: 0 after a signal, 1 if the program could not start
    """
    # rclpy's own handler still wakes spin(). Python's would raise at any place, even while nodes
    # are being destroyed: a terminal and ros2 launch both send SIGINT.
    signal.signal(signal.SIGINT, lambda number, frame: None)
    try:
        rclpy.init(args=None if args is None else list(args))
    except Exception as error:  # bad arguments and bad YAML share no narrower class
        return _complain(name, error)
    try:
        body()
    except ExternalShutdownException:
        pass
    except StartupError as error:
        # Without ok() a signal came during the start and made it fail.
        if ok():
            return _complain(name, error)
    except Exception:
        if ok():
            raise
    finally:
        try_shutdown()
    return 0


def spin(node: Node) -> None:
    """Serve the callbacks of a node in this thread, until ExternalShutdownException ends it."""
    executor = SingleThreadedExecutor()
    executor.add_node(node)
    try:
        executor.spin()
    finally:
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, signal.SIG_IGN)
        executor.shutdown(timeout_sec=2.0)


def _complain(name: str, error: Exception) -> int:
    print(f'{name}: {" ".join(str(error).split())}', file=sys.stderr)
    return 1
