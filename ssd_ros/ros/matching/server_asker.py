# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Ask a place server where the own maps have no answer, in a thread of its own."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
import math
import time
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from ssd_ros.encoders.place_encoder import PlaceEncoder
from ssd_ros.fleet.client import PlaceClient, PlaceServerError
from ssd_ros.fleet.remote import OtherRevisionError, RemoteDatabase
from ssd_ros.maps.place_database import PlaceDatabase
from ssd_ros.maps.place_search import require_one_frame
from ssd_ros.recognition.answer import RecognizerConfig
from ssd_ros.recognition.place_recognizer import PlaceRecognizer
from ssd_ros.ros.health.texts import PLACE_SERVER_REFUSES, PLACE_SERVER_SILENT
from ssd_ros.ros.matching.loading import use_calibration
from ssd_ros.ros.matching.matcher import Answer, Job
from ssd_ros.ros.matching.worker import LatestWorker
from ssd_ros.ros.parameters.node import NodeParameters

# Reconstructed.
_PERIOD_S = 0.5  # least time between two requests
_MAX_PAUSE_S = 30.0  # after requests that failed, twice as long after each


@dataclass(slots=True)
class AskedStatistics:
    """What was asked over there; written by the thread that asks."""

    num_asked: int = 0
    num_answered: int = 0
    num_accepted: int = 0
    num_failed: int = 0
    revision: str = ''  # of the map over there, '' if not known
    problem: str = ''  # of the last request, '' if it was answered

    def values(self) -> dict[str, object]:
        """Return what the diagnostics show."""
        return {
            'place_server_asked': self.num_asked,
            'place_server_answered': self.num_answered,
            'place_server_accepted': self.num_accepted,
            'place_server_failed': self.num_failed,
            'place_server_revision': self.revision,
        }


class _Question(NamedTuple):
    """
    A query that the own maps had no answer to.

    :param description: of it, as the own encoder gave it
    :param is_awaited: somebody waits for the place, even if it was accepted before
    """

    job: Job
    description: NDArray[np.float32]
    is_awaited: bool
    drive: int
    num_settled: int


class ServerAsker:
    """
    One query at a time, the newest; what is answered is judged as what the own maps answer is.

    A server that is slow, gone or damaged costs its answers and nothing else: it is asked again
    after the time that it names, or after ever longer pauses.
    """

    def __init__(
        self,
        encoder: PlaceEncoder,
        maps: Callable[[], Sequence[PlaceDatabase]],
        parameters: Callable[[], NodeParameters],
        deliver: Callable[[Answer, Job, bool, Callable[[], bool]], None],
        on_error: Callable[[Exception], None],
    ) -> None:
        """
        Start the thread; nothing is asked yet.

        :param maps: returns the own ones, whose frame theirs must be
        :param deliver: gets an answer with candidates, its query, whether a service asked for an
            initial pose, and what tells whether the answer still counts
        :param on_error: gets what `deliver` raises
        :raise ValueError: the address cannot be
        """
        self.statistics = AskedStatistics()
        self._client = PlaceClient(parameters().place_server)
        self._encoder, self._maps, self._parameters = encoder, maps, parameters
        self._deliver = deliver
        self._drive = self._num_settled = self._drive_known = 0
        self._wants_pose = False
        self._recognizer: PlaceRecognizer | None = None
        self._resume_s, self._num_failed_now = -math.inf, 0
        self._worker = LatestWorker[_Question](self._ask, on_error, lambda: _PERIOD_S)

    def follow(self, answer: Answer, job: Job, is_awaited: bool, wants_pose: bool) -> bool:
        """
        Have a query asked over there if the own maps do not have its place; return whether.

        One that still waits is replaced.

        :param answer: of the own maps
        :param is_awaited: somebody waits for the place, even if it was accepted before
        :param wants_pose: a service asked for an initial pose
        """
        recognition = answer.recognition
        if answer.is_placed:
            self._settle()
            return False
        if recognition.description is None or recognition.low_points:
            return False
        self._wants_pose = self._wants_pose or wants_pose
        when = self._drive, self._num_settled
        question = _Question(job, recognition.description, is_awaited, *when)
        self._worker.offer(question, at_once=wants_pose)
        return time.monotonic() >= self._resume_s

    def forget(self) -> None:
        """Void what waits or is on the way: another drive begins, or other maps are in use."""
        self._drive += 1
        self._settle()

    def _settle(self) -> None:
        self._num_settled += 1
        self._wants_pose, self.statistics.problem = False, ''
        self._worker.drop()

    def close(self) -> None:
        """Wait for the request on the way, which takes 2 s at most, and end the thread."""
        self._worker.close()

    def _ask(self, question: _Question) -> None:
        if time.monotonic() < self._resume_s:
            return
        statistics, parameters = self.statistics, self._parameters()
        wants_pose, self._wants_pose = self._wants_pose, False
        statistics.num_asked += 1
        try:
            recognizer = self._prepared(question.drive, parameters)
            job, description = question.job, question.description
            recognition = recognizer.query(job.query, question.is_awaited, job.prior, description)
        except OtherRevisionError:
            self._recognizer = None  # what the map over there is, is asked anew
            return
        except (PlaceServerError, ValueError) as error:
            self._fail(error)
            return
        self._num_failed_now, statistics.problem = 0, ''
        statistics.num_answered += 1
        statistics.num_accepted += recognition.decision.accepted
        if recognition.candidates:
            max_ratio = parameters.accept.max_ratio or self._encoder.contract.accept_max_ratio
            answer = Answer(recognition, recognizer.maps, max_ratio, is_from_server=True)
            self._deliver(answer, question.job, wants_pose, lambda: self._still_counts(question))

    def _still_counts(self, question: _Question) -> bool:
        when = question.drive, question.num_settled
        return when == (self._drive, self._num_settled)

    def _fail(self, error: PlaceServerError | ValueError) -> None:
        """Say why there is no answer, and ask again later."""
        self._recognizer = None
        self.statistics.num_failed += 1
        address, named_s = self._client.address, getattr(error, 'pause_s', None)
        pause_s = named_s or min(_PERIOD_S * 2**self._num_failed_now, _MAX_PAUSE_S)
        self._num_failed_now = min(self._num_failed_now + 1, 16)
        self._resume_s = time.monotonic() + pause_s
        text = PLACE_SERVER_REFUSES if named_s else PLACE_SERVER_SILENT
        self.statistics.problem = text.format(address=address, error=error)

    def _prepared(self, drive: int, parameters: NodeParameters) -> PlaceRecognizer:
        """Return what judges the answers of the map over there."""
        config: RecognizerConfig = parameters.recognizer_config()
        recognizer = self._recognizer
        if recognizer is None or drive != self._drive_known or recognizer.config != config:
            remote = RemoteDatabase(self._client, config.num_verified)
            use_calibration([remote], parameters.confidence_path)
            own = list(self._maps())
            names = [place.info.source or place.info.uuid for place in own]
            require_one_frame([*names, self._client.address], [*own, remote])
            submap_m = parameters.aggregation.submap
            recognizer = PlaceRecognizer(self._encoder, [remote], config, submap_m=submap_m)
            self._recognizer, self._drive_known = recognizer, drive
            self.statistics.revision = remote.revision
        return recognizer
