# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""A replay in the browser, at the pace of the recording."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
import time

import numpy as np
from numpy.typing import NDArray
from ssd_ros.cli.replay.run import has_flag, Replay, Step
from ssd_ros.motion.covariance import carried
from ssd_ros.motion.trail import Trail
from ssd_ros.motion.trajectory import yaw_from_quaternion
from ssd_ros.recognition.candidates import Flag, planar_poses
from ssd_ros.ros.matching.loading import maps_summary
from ssd_ros.view import messages
from ssd_ros.view.address import ServerConfig
from ssd_ros.view.server import RATE_HZ, ViewServer

_LOOK_PERIOD_S = 0.25


class LivePage:
    """Show one answer after another, each when it was due in the recording."""

    def __init__(self, run: Replay, server: ViewServer, pace: float) -> None:
        """
        Take over a server.

        :param pace: 1 = as recorded, 2 = twice as fast
        """
        self._run, self._server, self._pace = run, server, pace
        parameters = run.parameters
        self._frame = parameters.odom_frame if run.has_no_map else parameters.map_frame
        self._trail: Trail[NDArray[np.float64]] = Trail()
        self._first_ns = 0
        self._began_s = 0.0
        self.idle_s = 0.0  # spent waiting, for somebody to look and for the next answer to be due
        self._num_shown = self._num_accepted = 0

    def begin(self) -> None:
        """Say where the page is, and wait until somebody looks."""
        run, server = self._run, self._server
        summary = maps_summary(run.recognizer.maps, run.encoder, run.parameters, '')
        server.publish('maps', messages.maps_text(summary))
        server.publish('places', messages.places_text(run.keyframes_m(), self._frame))
        print(
            f'{run.drive.name} is shown at {server.url} and begins when somebody looks', flush=True
        )
        while not server.wait_for_client(_LOOK_PERIOD_S):
            pass

    def show(self, step: Step) -> None:
        """Show an answer once it is due."""
        self._wait_for(step.stamp_ns)
        publish = self._server.publish
        if step.image is not None:
            publish(messages.IMAGE, messages.image_bytes(step.image))
        publish('answer', messages.answer_text(step.stamp_ns, self._frame, step.rows))
        is_accepted = bool(has_flag(step.best, Flag.ACCEPTED).any())
        if is_accepted and not self._run.has_no_map:
            self._show_place(step)
        self._num_shown += 1
        self._num_accepted += is_accepted
        publish('health', messages.health_text([self._status(step)]))

    def end(self) -> None:
        """Let the last answer reach whoever looks."""
        time.sleep(2 / RATE_HZ)

    def _wait_for(self, stamp_ns: int) -> None:
        now_s = time.monotonic()
        if not self._num_shown:
            self._first_ns, self._began_s = stamp_ns, now_s
        due_s = self._began_s + (stamp_ns - self._first_ns) / 1e9 / self._pace
        if due_s > now_s:
            time.sleep(due_s - now_s)
            self.idle_s += due_s - now_s

    def _show_place(self, step: Step) -> None:
        pose = planar_poses(step.best)[0]
        text = messages.pose_text(step.stamp_ns, pose, covariance_in_map(step.best))
        self._server.publish('pose', text)
        if self._trail.add(pose[:2], pose[:2]):
            self._server.publish('path', messages.path_text(np.array(self._trail.points)))

    def _status(self, step: Step) -> messages.Status:
        run = self._run
        num_faults = sum(run.faults.values())
        times = {f'{stage}_ms': f'{value:.1f}' for stage, value in step.times_ms.items()}
        return messages.Status(
            'replay',
            1 if num_faults or run.num_unlike else 0,
            f'{self._num_accepted} of {self._num_shown} accepted',
            {
                'seconds': f'{(step.stamp_ns - self._first_ns) / 1e9:.1f}',
                'scans left out': num_faults,
                'static returns': step.num_points,
                **times,
                **({'radar': run.unlike_radar} if run.unlike_radar else {}),
            },
        )


def covariance_in_map(row: NDArray[np.void]) -> NDArray[np.float64]:
    """
    Return the covariance of x and y in the map (m^2), shape (2, 2); 0 where it is not known.

    :param row: shape (1,), of `~/candidates`, which has it in the frame of the keyframe
    """
    best = row[0]
    quaternion = np.array([[best[name] for name in ('qx', 'qy', 'qz', 'qw')]], np.float64)
    yaw_rad = float(yaw_from_quaternion(quaternion)[0])
    cos, sin = np.cos(yaw_rad), np.sin(yaw_rad)
    xx, xy, yy = (float(best[f'covariance_{name}']) for name in ('xx', 'xy', 'yy'))
    turned = carried(np.array([[cos, -sin], [sin, cos]]), np.array([[xx, xy], [xy, yy]]))
    return np.nan_to_num(turned)


@contextmanager
def live_page(run: Replay, config: ServerConfig, pace: float) -> Iterator[LivePage]:
    """
    Serve the page while the block lasts.

    :raise OSError: it cannot be served there
    """
    with ViewServer(config) as server:
        page = LivePage(run, server, pace)
        page.begin()
        yield page
        page.end()
