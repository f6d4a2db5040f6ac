# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""
The ROS 2 node `ssd_localizer`: 4D radar clouds in, loop-closure candidates out.

The executor's thread decodes every cloud and adds it to the window of scans, which takes about a
millisecond. A worker thread encodes and searches the newest window; a window that waits for it is
replaced by the next, so an answer is never older than two queries take. A new map is loaded in a
thread of its own while the old one still answers.
"""

from __future__ import annotations

from collections.abc import Sequence
import sys
import threading

from rclpy.callback_groups import MutuallyExclusiveCallbackGroup
from rclpy.lifecycle import LifecycleNode, LifecycleState, TransitionCallbackReturn
from rclpy.task import Future
from ssd_ros.ros.loading import load_encoder, load_map
from ssd_ros.ros.outputs import no_reply
from ssd_ros.ros.parameter_server import ParameterServer
from ssd_ros.ros.parameters import NodeParameters
from ssd_ros.ros.run import run, spin, StartupError
from ssd_ros.ros.session import Session
from std_srvs.srv import Trigger

COMMAND = 'localize'


class LocalizeNode(LifecycleNode):
    """Lifecycle, parameters and services; what is there while configured is its Session."""

    def __init__(self) -> None:
        """
        Start unconfigured.

        :raise StartupError: a parameter is unknown or has an impossible value
        """
        super().__init__('ssd_localizer', automatically_declare_parameters_from_overrides=True)
        self._session: Session | None = None
        self._failure = ''
        self._loader: threading.Thread | None = None
        try:
            self._server = ParameterServer(self)
        except ValueError as error:
            self.destroy_node()
            raise StartupError(error) from error
        # Each in a group of its own: they wait for other threads, the rest must go on.
        for name, callback in (('~/query', self._on_query), ('~/reload_map', self._on_reload)):
            group = MutuallyExclusiveCallbackGroup()
            self.create_service(Trigger, name, callback, callback_group=group)

    def start(self) -> None:
        """
        Configure and activate, unless a lifecycle manager is to do that.

        :raise StartupError: that failed
        """
        if not self.current_parameters().autostart:
            return
        for trigger in (self.trigger_configure, self.trigger_activate):
            if trigger() != TransitionCallbackReturn.SUCCESS:
                raise StartupError(self._failure)

    def on_configure(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Load model and map and open the topics."""
        parameters = self.current_parameters()
        try:
            encoder = load_encoder(parameters)
            if not self.context.ok():  # told to stop: no need to load the map as well
                return TransitionCallbackReturn.FAILURE
            database = load_map(parameters.index_path)
            self._session = Session(self, encoder, database, self.current_parameters)
        except Exception as error:  # rclpy would swallow it without a word
            self._failure = f'cannot configure: {error}'
            self.get_logger().error(self._failure)
            expected = isinstance(error, ValueError | OSError)
            return TransitionCallbackReturn.FAILURE if expected else TransitionCallbackReturn.ERROR
        self.get_logger().info(
            f'map of {len(database)} keyframes, {database.num_rows} rows from '
            f'{parameters.index_path}; encoder on {encoder.provider}'
        )
        return super().on_configure(state)

    def on_activate(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Start to answer."""
        result = super().on_activate(state)
        if self._session is not None:
            self._session.activate()
        return result

    def on_deactivate(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Stop to answer."""
        if self._session is not None:
            self._session.deactivate()
        return super().on_deactivate(state)

    def on_cleanup(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Free model and map."""
        self._close_session()
        return super().on_cleanup(state)

    def on_shutdown(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Free model and map for good."""
        self._close_session()
        return super().on_shutdown(state)

    def on_error(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Go back to unconfigured."""
        self._close_session()
        return super().on_error(state)

    def destroy_node(self) -> None:
        """Join the threads, then let go of ROS."""
        if self._loader is not None:
            self._loader.join()
        self._close_session()
        super().destroy_node()

    def current_parameters(self) -> NodeParameters:
        """Return the parameters as they stand."""
        return self._server.current

    def _close_session(self) -> None:
        if self._session is not None:
            self._session.close()
            self._session = None

    async def _on_query(
        self, request: Trigger.Request, response: Trigger.Response
    ) -> Trigger.Response:
        session = self._session
        if session is None:
            response.message = no_reply('the node is not configured')
            return response
        reply = session.ask()
        if isinstance(reply, Future):
            reply = await reply
            response.success = True
        response.message = reply
        return response

    async def _on_reload(
        self, request: Trigger.Request, response: Trigger.Response
    ) -> Trigger.Response:
        session = self._session
        if session is None:
            response.message = 'the node is not configured: configuring it loads the map'
            return response
        loaded = Future(executor=self.executor)
        loaded.add_done_callback(lambda done: None)  # wakes the executor
        index_path = self.current_parameters().index_path
        self._loader = threading.Thread(target=self._load, args=(session, index_path, loaded))
        self._loader.start()
        failure = await loaded
        response.success = not failure
        response.message = f'kept the old map: {failure}' if failure else f'loaded {index_path}'
        if failure:
            self.get_logger().error(response.message)
        return response

    def _load(self, session: Session, index_path: str, loaded: Future) -> None:
        """Replace the map; the future's result is what went wrong, or empty."""
        try:
            session.swap_database(load_map(index_path))
        except Exception as error:  # the caller waits for a reply, whatever happens
            loaded.set_result(str(error) or type(error).__name__)
        else:
            loaded.set_result('')


def main(argv: Sequence[str] | None = None) -> int:
    """Run the node; arguments are those of ROS."""
    return run(COMMAND, _serve, argv)


def _serve() -> None:
    node = LocalizeNode()
    try:
        node.start()
        spin(node)
    finally:
        node.destroy_node()


if __name__ == '__main__':
    sys.exit(main())
