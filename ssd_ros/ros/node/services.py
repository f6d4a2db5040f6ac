# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The services of the node; each replies in words, also when it cannot do what is asked."""

from __future__ import annotations

from collections.abc import Callable
import threading

from rclpy.callback_groups import MutuallyExclusiveCallbackGroup
from rclpy.node import Node
from rclpy.task import Future
from ssd_ros.maps.meta import read_meta, revision_of
from ssd_ros.ros.health.texts import NOT_ACTIVE
from ssd_ros.ros.matching.loading import load_maps
from ssd_ros.ros.messages.topics import SERVICES
from ssd_ros.ros.messages.types import message_class
from ssd_ros.ros.node.session import Session
from ssd_ros.ros.outputs.reply import Reply, unanswered
from ssd_ros.ros.parameters.node import NodeParameters
from std_srvs.srv import SetBool, Trigger

NOT_CONFIGURED = 'the node is not configured'
SAVING_IS_OFF = 'saving is switched off: start the node with allow_save_session:=true'
NO_NAME = 'where to? Set the parameter session_path to a name below session_directory'


class Services:
    """Hand requests to the session that there is, if any."""

    def __init__(
        self,
        node: Node,
        session: Callable[[], Session | None],
        parameters: Callable[[], NodeParameters],
    ) -> None:
        """
        Offer the services.

        :param session: returns the present one, None while the node is not configured
        :param parameters: returns them as they stand
        """
        self._node = node
        self._session = session
        self._parameters = parameters
        self._threads: list[threading.Thread] = []
        handlers = {
            '~/query': self._on_query,
            '~/relocalize': self._on_relocalize,
            '~/reload_map': self._on_reload,
            '~/clear': self._on_clear,
            '~/enable': self._on_enable,
            '~/save_session': self._on_save,
        }
        for service in SERVICES:
            # Each in a group of its own: they wait for other threads, the rest must go on.
            node.create_service(
                message_class(service.kind),
                service.name,
                handlers[service.name],
                callback_group=MutuallyExclusiveCallbackGroup(),
            )

    def join(self) -> None:
        """Wait for what is being loaded or saved."""
        for thread in self._threads:
            thread.join()

    async def _ask(self, relocalize: bool) -> Reply:
        session = self._session()
        if session is None:
            return unanswered(NOT_CONFIGURED)
        reply: Future | Reply = session.ask(relocalize)
        return await reply if isinstance(reply, Future) else reply

    async def _on_query(
        self, request: Trigger.Request, response: Trigger.Response
    ) -> Trigger.Response:
        reply = await self._ask(relocalize=False)
        response.success, response.message = reply.is_answered, reply.text
        return response

    async def _on_relocalize(
        self, request: Trigger.Request, response: Trigger.Response
    ) -> Trigger.Response:
        reply = await self._ask(relocalize=True)
        response.success, response.message = reply.is_accepted, reply.reason
        return response

    async def _on_reload(
        self, request: Trigger.Request, response: Trigger.Response
    ) -> Trigger.Response:
        session, parameters = self._session(), self._parameters()
        if session is None:
            response.message = f'{NOT_CONFIGURED}: configuring it loads the map'
            return response

        def load() -> str:
            maps = load_maps(
                parameters.index_path, parameters.needs_no_map, parameters.confidence_path
            )
            session.swap_maps(maps)
            revisions = ', '.join(place.revision for place in maps)
            what = f'{parameters.index_path}, revision {revisions}' if maps else 'no map'
            return f'loaded {what}'

        await self._in_thread(load, response, 'kept the old map')
        return response

    async def _on_save(
        self, request: Trigger.Request, response: Trigger.Response
    ) -> Trigger.Response:
        session, parameters = self._session(), self._parameters()
        name = parameters.session_path
        if session is None:
            response.message = NOT_CONFIGURED
        elif not parameters.allow_save_session:
            response.message = SAVING_IS_OFF
        elif not name:
            response.message = NO_NAME
        else:

            def save() -> str:
                path, num_keyframes = session.save(name)
                meta = read_meta(path)
                num_segments = len(meta['info']['segment_starts'])
                segments = f' of {num_segments} segments, not related' if num_segments > 1 else ''
                what = f'{num_keyframes} keyframes{segments}, revision {revision_of(meta)},'
                return f'wrote {what} to {path}'

            await self._in_thread(save, response, 'nothing was written')
        return response

    def _on_clear(self, request: Trigger.Request, response: Trigger.Response) -> Trigger.Response:
        session = self._active(response)
        if session is not None:
            session.clear()
            response.success, response.message = True, 'cleared'
        return response

    def _on_enable(self, request: SetBool.Request, response: SetBool.Response) -> SetBool.Response:
        session = self._active(response)
        if session is not None:
            session.enable(request.data)
            response.success = True
            response.message = f'automatic queries {"start" if request.data else "stop"}'
        return response

    def _active(self, response: Trigger.Response | SetBool.Response) -> Session | None:
        """Return the session if it is active, else say in the response that it is not."""
        session = self._session()
        if session is None or not session.is_active:
            response.message = NOT_CONFIGURED if session is None else NOT_ACTIVE
            return None
        return session

    async def _in_thread(
        self, work: Callable[[], str], response: Trigger.Response, failure: str
    ) -> None:
        """Fill the response with what the work returns or, after `failure`, raises."""
        done = Future(executor=self._node.executor)
        done.add_done_callback(lambda future: None)  # wakes the executor

        def run() -> None:
            try:
                done.set_result((True, work()))
            except Exception as error:  # the caller waits for a reply, whatever happens
                done.set_result((False, f'{failure}: {error or type(error).__name__}'))

        self._threads = [thread for thread in self._threads if thread.is_alive()]
        self._threads.append(threading.Thread(target=run))
        self._threads[-1].start()
        response.success, response.message = await done
        if not response.success:
            self._node.get_logger().error(response.message)
