# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Long jobs on several processes under one progress bar."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
import multiprocessing
from typing import Any, TypeVar

Progress = Callable[[int, int], None]
# Called with the number of new frames and of all frames of the job, first with 0 new ones.
Report = Callable[[int, int], None]
Job = TypeVar('Job')
Result = TypeVar('Result')

# Frames done by all workers; set in each of them when it starts.
_frames_done: Any = None


def run_jobs(
    jobs: Sequence[Job],
    work: Callable[[Job, Report], Result],
    num_processes: int,
    progress: Progress,
) -> list[Result]:
    """
    Do all jobs and return their results, in order.

    :param work: a function that other processes can import; says what it has done
    :param progress: called with the frames done and the frames of the jobs begun
    """
    if num_processes == 1 or len(jobs) <= 1:
        return _run_here(jobs, work, progress)
    return _run_in_parallel(jobs, work, num_processes, progress)


def _run_here(
    jobs: Sequence[Job], work: Callable[[Job, Report], Result], progress: Progress
) -> list[Result]:
    done, total = 0, 0

    def report(new: int, total_of_job: int) -> None:
        nonlocal done, total
        done += new
        total += total_of_job if new == 0 else 0
        progress(done, total)

    try:
        return [work(job, report) for job in jobs]
    except SystemError as error:
        # So numba reports a Ctrl-C that arrives within a compiled function.
        if isinstance(error.__cause__, KeyboardInterrupt):
            raise KeyboardInterrupt from error
        raise


def _run_in_parallel(
    jobs: Sequence[Job],
    work: Callable[[Job, Report], Result],
    num_processes: int,
    progress: Progress,
) -> list[Result]:
    # Not forked: compiled kernels and threads do not survive that reliably.
    context = multiprocessing.get_context('spawn')
    counters = context.Array('q', 2)  # frames done, frames of the jobs begun
    executor = ProcessPoolExecutor(num_processes, context, _share, (counters,))
    try:
        futures = [executor.submit(_run_in_worker, work, job) for job in jobs]
        running: set[Future[Result]] = set(futures)
        while running:
            finished, running = wait(running, 0.3, FIRST_COMPLETED)
            progress(*counters[:])
            for future in finished:
                future.result()
        return [future.result() for future in futures]
    finally:
        executor.shutdown(cancel_futures=True)


def _share(counters: Any) -> None:
    global _frames_done
    _frames_done = counters


def _run_in_worker(work: Callable[[Job, Report], Result], job: Job) -> Result:
    def report(new: int, total_of_job: int) -> None:
        with _frames_done.get_lock():
            _frames_done[0] += new
            _frames_done[1] += total_of_job if new == 0 else 0

    return work(job, report)
