# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""
The ROS 2 node `ssd_localizer`: 4D radar clouds in, loop-closure candidates out.

The executor's thread decodes every cloud and adds it to the window of scans, which takes about a
millisecond. A worker thread encodes and searches the newest window and publishes the answer; a
window that waits for it is replaced by the next, so an answer is never older than two queries
take. Maps are loaded and drives saved in threads of their own while queries are still answered.

LocalizeNode has lifecycle and parameters, Services the services, Session what is there while
configured: RadarInput and OdometryInput -> Matcher (in LatestWorker) -> Delivery -> Outputs and
the adapters of back ends; HealthReport asks them all for /diagnostics.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
import functools
import gc
import sys
import threading

from rclpy.lifecycle import LifecycleNode, LifecycleState, TransitionCallbackReturn
from ssd_ros.maps.place_database import PlaceDatabase
from ssd_ros.recognition.compiled_parts import use_compiled
from ssd_ros.ros.health.texts import NO_HEARTBEATS, TRANSITION_FAILED
from ssd_ros.ros.matching.loading import load_encoder, load_maps
from ssd_ros.ros.messages.topics import NODE
from ssd_ros.ros.node.bond import Bond
from ssd_ros.ros.node.requests import possible_transitions, survive_requests
from ssd_ros.ros.node.run import run, spin, StartupError
from ssd_ros.ros.node.services import Services
from ssd_ros.ros.node.session import Session
from ssd_ros.ros.parameters.node import NodeParameters
from ssd_ros.ros.parameters.server import ParameterServer

COMMAND = 'localize'
Transition = Callable[['LocalizeNode', LifecycleState], TransitionCallbackReturn]


def _heard(transition: Transition) -> Transition:
    """Log what a transition raises, which rclpy would swallow without a word."""

    @functools.wraps(transition)
    def heard(node: LocalizeNode, state: LifecycleState) -> TransitionCallbackReturn:
        try:
            return transition(node, state)
        except Exception as error:
            node.failed(transition.__name__.removeprefix('on_'), error)
            return TransitionCallbackReturn.ERROR

    return heard


class LocalizeNode(LifecycleNode):
    """Lifecycle and parameters; what is there while configured is its Session."""

    def __init__(self, arguments: Sequence[str] = ()) -> None:
        """
        Start unconfigured.

        :param arguments: of the process
        :raise StartupError: a parameter is unknown or has an impossible value
        """
        super().__init__(NODE)
        self._session: Session | None = None
        self._bond: Bond | None = None
        self._failure = ''
        self._offered = Services(self, lambda: self._session, self.current_parameters)
        try:
            self._server = ParameterServer(self, arguments)
        except ValueError as error:
            self.destroy_node()
            raise StartupError(error) from error
        survive_requests(self)

    def start(self) -> None:
        """
        Configure and activate, unless a lifecycle manager is to do that, or has done it.

        :raise StartupError: that failed
        """
        if not self.current_parameters().autostart:
            return
        steps = {'configure': self.trigger_configure, 'activate': self.trigger_activate}
        for label, trigger in steps.items():
            if label not in possible_transitions(self):
                continue
            if trigger() != TransitionCallbackReturn.SUCCESS:
                raise StartupError(self._failure)

    def failed(self, transition: str, error: Exception) -> None:
        """Say why a transition was not made."""
        self._failure = TRANSITION_FAILED.format(
            transition=transition, error=error or type(error).__name__
        )
        self.get_logger().error(self._failure)

    @_heard
    def on_configure(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Load model and map and open the topics."""
        parameters = self.current_parameters()
        try:
            encoder = load_encoder(parameters)
            if not self.context.ok():  # told to stop: no need to load the map as well
                return TransitionCallbackReturn.FAILURE
            maps = load_maps(
                parameters.index_path, parameters.needs_no_map, parameters.confidence_path
            )
            self._session = Session(self, encoder, maps, self.current_parameters)
        except (ValueError, OSError, ImportError) as error:
            self.failed('configure', error)
            return TransitionCallbackReturn.FAILURE
        # Nothing waits for it; NumPy finds the same in the meantime.
        threading.Thread(target=use_compiled, name='compiled-search').start()
        self.get_logger().info(f'{_in_words(maps)}; encoder on {encoder.provider}')
        return super().on_configure(state)

    @_heard
    def on_activate(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Start to answer."""
        result = super().on_activate(state)
        if self._session is not None:
            self._session.activate()
        self._begin_bond()
        return result

    @_heard
    def on_deactivate(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Stop to answer."""
        self._end_bond()
        if self._session is not None:
            self._session.deactivate()
        return super().on_deactivate(state)

    @_heard
    def on_cleanup(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Free model and map."""
        self._close_session()
        return super().on_cleanup(state)

    @_heard
    def on_shutdown(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Free model and map for good."""
        self._close_session()
        return super().on_shutdown(state)

    @_heard
    def on_error(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Go back to unconfigured."""
        self._close_session()
        return super().on_error(state)

    def destroy_node(self) -> None:
        """Join the threads, then let go of ROS."""
        self._offered.join()
        self._close_session()
        if self._bond is not None:
            self._bond.destroy()
        super().destroy_node()

    def current_parameters(self) -> NodeParameters:
        """Return the parameters as they stand."""
        return self._server.current

    def _begin_bond(self) -> None:
        """Let a lifecycle manager of Nav2 hear that this node works."""
        parameters = self.current_parameters()
        if parameters.autostart or not parameters.bond_heartbeat_period:
            return
        try:
            self._bond = self._bond or Bond(self, parameters.bond_heartbeat_period)
        except ImportError as error:
            self.get_logger().warning(NO_HEARTBEATS.format(error=error))
        else:
            self._bond.begin()

    def _end_bond(self) -> None:
        if self._bond is not None:
            self._bond.end()

    def _close_session(self) -> None:
        self._end_bond()
        if self._session is not None:
            self._session.close()
            self._session = None


def _in_words(maps: Sequence[PlaceDatabase]) -> str:
    texts = [f'map of {len(place)} keyframes from {place.info.source}' for place in maps]
    return ', '.join(texts) or 'no map, the running drive only'


def main(argv: Sequence[str] | None = None) -> int:
    """Run the node; arguments are those of ROS."""
    arguments = sys.argv if argv is None else argv
    return run(COMMAND, lambda: _serve(arguments), argv)


def _serve(arguments: Sequence[str]) -> None:
    node = LocalizeNode(arguments)
    try:
        node.start()
        gc.freeze()  # what is there now stays: nobody looks through it for garbage
        gc.enable()
        spin(node)
    finally:
        node.destroy_node()


if __name__ == '__main__':
    sys.exit(main())
