# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Run a ROS program until it is told to stop, and leave with the right exit code."""

from __future__ import annotations

from collections.abc import Callable, Sequence
import os
from pathlib import Path
import signal
import sys
import tempfile

import rclpy
from rclpy.executors import ExternalShutdownException, SingleThreadedExecutor
from rclpy.node import Node
from rclpy.signals import (
    get_current_signal_handlers_options,
    SignalHandlerOptions,
    uninstall_signal_handlers,
)
from rclpy.utilities import ok, try_shutdown
from ssd_ros.files import FullDiskError
from ssd_ros.targets import check_working_folder, TargetError

_SIGNALS = (signal.SIGINT, signal.SIGTERM)
# A look costs a third of a millisecond.
_LOOK_PERIOD_S = 0.25


class StartupError(RuntimeError):
    """The program cannot start, for a reason that the user can mend."""


def run(name: str, body: Callable[[], None], args: Sequence[str] | None = None) -> int:
    """
    Call a function inside ROS; SIGINT and SIGTERM end it in good order.

    :param name: of the command, heads the line on stderr when it cannot start
    :param body: makes its nodes, spins and destroys them; may raise StartupError
    :param args: ROS arguments; None = those of the process
    :return: exit code: 0 after a signal, 1 if the program could not start or found no room on disk
    """
    # The handlers of rclpy, which still call these, end spin(). Python's would raise at any place,
    # even while nodes are being destroyed: a terminal and ros2 launch both send SIGINT. Python has
    # none for SIGTERM: that would kill until rclpy's is there, and after it is gone.
    early: list[int] = []
    for number in _SIGNALS:
        signal.signal(number, lambda number, frame: early.append(number))
    _find_place_for_logs()
    try:
        rclpy.init(args=None if args is None else list(args))
    except Exception as error:  # bad arguments and bad YAML share no narrower class
        return _complain(name, error)
    try:
        if not early:
            body()
    except ExternalShutdownException:
        pass
    except (StartupError, FullDiskError) as error:
        # Without ok() a signal came during the start and made it fail.
        if ok():
            return _complain(name, error)
    except Exception:
        if ok():
            raise
    finally:
        _ignore_signals()
        try_shutdown()
    return 0


def _find_place_for_logs() -> None:
    """Have ROS log to a temporary folder where it could not: it would not even start."""
    if os.environ.get('ROS_LOG_DIR'):
        return
    home = os.environ.get('ROS_HOME') or Path(os.environ.get('HOME', '/'), '.ros')
    try:
        check_working_folder(Path(home, 'log'))
    except TargetError as error:
        os.environ['ROS_LOG_DIR'] = tempfile.mkdtemp(prefix='ssd_ros_log.')
        print(f'logs go to {os.environ["ROS_LOG_DIR"]}: {error}', file=sys.stderr)


def spin(node: Node) -> None:
    """Serve the callbacks of a node in this thread until a signal ends it."""
    if not node.context.ok():  # after a signal during the start rclpy makes no executor
        return
    executor = SingleThreadedExecutor()
    executor.add_node(node)
    try:
        # Not executor.spin(): on a signal, a thread of rclpy wakes the executor first and shuts
        # the context down after that. An executor that looks in between finds nothing to do and
        # waits again, for good if no message comes: nobody wakes it a second time.
        while node.context.ok():
            executor.spin_once(timeout_sec=_LOOK_PERIOD_S)
    finally:
        _ignore_signals()
        executor.shutdown(timeout_sec=2.0)


def _ignore_signals() -> None:
    """From here on this process ends anyway, and nothing may disturb that."""
    # This joins rclpy's thread, which could still be waking, for a second signal, what is freed
    # next. Once only: a second call would let signals kill for an instant.
    if get_current_signal_handlers_options() != SignalHandlerOptions.NO:
        uninstall_signal_handlers()
    # Python takes back its own handlers before it exits, but leaves these alone.
    for number in _SIGNALS:
        signal.signal(number, signal.SIG_IGN)


def _complain(name: str, error: Exception) -> int:
    print(f'{name}: {" ".join(str(error).split())}', file=sys.stderr)
    return 1
