# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""A thread that always works on the newest job, so that its answers are never old."""

from __future__ import annotations

from collections.abc import Callable
import math
import threading
import time
from typing import Generic, TypeVar

Job = TypeVar('Job')


def next_due_s(due_s: float, now_s: float, period_s: float) -> float:
    """
    Return when the job after this one is due.

    A job that starts up to a period late leaves the time of the next one as it was; one that is
    later still starts the periods anew, so that none are made up for in a burst.

    :param due_s: when the job that starts now was due
    """
    return max(due_s, now_s - period_s) + period_s


class LatestWorker(Generic[Job]):
    """
    Run jobs one after the other in a thread of its own.

    A job that arrives while another one runs, or too soon after it, waits; one that waits already
    is replaced. So the delay is bounded whatever the rate of arrival, and the newest job is never
    lost.
    """

    def __init__(
        self,
        work: Callable[[Job], None],
        on_error: Callable[[Exception], None],
        period_s: Callable[[], float] = lambda: 0.0,
    ) -> None:
        """
        Start the thread.

        :param on_error: gets what `work` raises; the thread lives on
        :param period_s: returns the least mean time between the starts of two jobs; one that
            started late by up to a period does not delay the following ones
        """
        self._work = work
        self._on_error = on_error
        self._period_s = period_s
        self._condition = threading.Condition()
        self._waiting: Job | None = None
        self._due_s = -math.inf
        self._closed = False
        self._thread = threading.Thread(target=self._run, name='latest-worker')
        self._thread.start()

    def offer(self, job: Job, at_once: bool = False) -> bool:
        """
        Hand in a job; return whether it replaced one that waited.

        :param at_once: do not wait for the period to be over
        """
        with self._condition:
            replaced = self._waiting is not None
            self._waiting = job
            if at_once:
                self._due_s = -math.inf
            self._condition.notify()
        return replaced

    def drop(self) -> None:
        """Forget the waiting job."""
        with self._condition:
            self._waiting = None

    def close(self) -> None:
        """Drop the waiting job, let the running one end and join the thread."""
        with self._condition:
            self._closed = True
            self._condition.notify()
        self._thread.join()

    def _run(self) -> None:
        while (job := self._next()) is not None:
            try:
                self._work(job)
            except Exception as error:
                self._on_error(error)

    def _next(self) -> Job | None:
        """Return the newest job once it is due, or None at the end."""
        with self._condition:
            while not self._closed:
                early_s = self._due_s - time.monotonic()
                if self._waiting is None:
                    self._condition.wait()
                elif early_s > 0:
                    self._condition.wait(early_s)
                else:
                    self._due_s = next_due_s(self._due_s, time.monotonic(), self._period_s())
                    job, self._waiting = self._waiting, None
                    return job
            return None
