# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Check that the worker does the newest job, not all, and none too soon."""

from __future__ import annotations

from contextlib import closing
import queue
import threading
import time

import pytest
from ssd_ros.ros.matching.worker import LatestWorker, next_due_s

PERIOD_S = 1000.0  # nobody waits for it


def fail_on_error(error: Exception) -> None:
    raise AssertionError from error


def test_of_the_jobs_that_wait_only_the_newest_is_done() -> None:
    done: queue.Queue[int] = queue.Queue()
    started, gate = threading.Event(), threading.Event()

    def work(job: int) -> None:
        started.set()
        gate.wait(10)
        done.put(job)

    worker = LatestWorker(work, fail_on_error)
    assert not worker.offer(1)
    assert started.wait(10)
    assert not worker.offer(2)
    assert worker.offer(3)
    assert worker.offer(4)
    gate.set()
    assert [done.get(timeout=10), done.get(timeout=10)] == [1, 4]
    worker.close()
    assert done.empty()


def test_a_job_that_raises_is_reported_and_the_next_one_done() -> None:
    errors: queue.Queue[Exception] = queue.Queue()
    done: queue.Queue[float] = queue.Queue()
    worker: LatestWorker[float] = LatestWorker(lambda job: done.put(1 / job), errors.put)
    worker.offer(0)
    assert isinstance(errors.get(timeout=10), ZeroDivisionError)
    worker.offer(2)
    assert done.get(timeout=10) == 0.5
    worker.close()


def test_close_lets_the_running_job_end_and_drops_the_waiting_one() -> None:
    done: list[int] = []
    started = threading.Event()

    def work(job: int) -> None:
        started.set()
        time.sleep(0.1)
        done.append(job)

    worker = LatestWorker(work, fail_on_error)
    worker.offer(1)
    assert started.wait(10)
    worker.offer(2)
    worker.close()
    assert done == [1]


def test_jobs_start_no_more_often_than_the_period_allows_and_the_newest_is_not_lost() -> None:
    done: list[int] = []
    last = threading.Event()

    def work(job: int) -> None:
        done.append(job)
        if job == 29:
            last.set()

    worker = LatestWorker(work, fail_on_error, lambda: 0.1)
    start = time.monotonic()
    for job in range(30):
        worker.offer(job)
        time.sleep(0.01)
    assert last.wait(10)
    elapsed_s = time.monotonic() - start
    worker.close()
    assert done == sorted(done)
    # One at once, one each 0.1 s, and one period may be caught up.
    assert len(done) <= 1 + elapsed_s / 0.1 + 1


def test_close_does_not_wait_for_the_period() -> None:
    done: queue.Queue[int] = queue.Queue()
    worker = LatestWorker(done.put, fail_on_error, lambda: PERIOD_S)
    worker.offer(1)
    assert done.get(timeout=10) == 1
    worker.offer(2)
    start = time.monotonic()
    worker.close()
    assert time.monotonic() - start < PERIOD_S / 2
    with pytest.raises(queue.Empty):
        done.get_nowait()


def test_a_job_can_be_wanted_at_once() -> None:
    done: queue.Queue[int] = queue.Queue()
    worker = LatestWorker(done.put, fail_on_error, lambda: PERIOD_S)
    worker.offer(1)
    assert done.get(timeout=10) == 1
    worker.offer(2)
    worker.offer(3, at_once=True)
    assert done.get(timeout=10) == 3
    worker.close()


@pytest.mark.parametrize(
    ('late_s', 'expected'),
    [(0.0, [0, 1, 2, 3, 4]), (0.9, [0, 1.9, 2, 3, 4]), (2.5, [0, 3.5, 3.5, 4.5, 5.5])],
)
def test_one_late_job_does_not_make_all_later_ones_late(
    late_s: float, expected: list[float]
) -> None:
    """Of jobs that are always there, the second starts late; period 1 s."""
    now_s, due_s, started = 0.0, 0.0, []
    for job in range(5):
        now_s = max(now_s, due_s) + (late_s if job == 1 else 0)
        started.append(now_s)
        due_s = next_due_s(due_s, now_s, 1.0)
    assert started == pytest.approx(expected)


def test_a_dropped_job_is_not_done_but_the_next_one_is() -> None:
    done: queue.Queue[int] = queue.Queue()
    started, gate = threading.Event(), threading.Event()

    def work(job: int) -> None:
        started.set()
        gate.wait(10)
        done.put(job)

    with closing(LatestWorker(work, fail_on_error)) as worker:
        worker.offer(1)
        assert started.wait(10)
        worker.offer(2)
        worker.drop()
        worker.drop()  # nothing waits
        gate.set()
        assert done.get(timeout=10) == 1
        worker.offer(3)
        assert done.get(timeout=10) == 3


def test_dropping_the_job_that_waits_for_its_time_does_not_end_the_thread() -> None:
    done: queue.Queue[int] = queue.Queue()
    with closing(LatestWorker(done.put, fail_on_error, lambda: 0.5)) as worker:
        for job in (1, 2):  # the third would be too soon
            worker.offer(job)
            assert done.get(timeout=10) == job
        worker.offer(3)
        worker.drop()
        time.sleep(0.7)  # when its time has come, the thread finds nothing
        worker.offer(4)
        assert done.get(timeout=10) == 4
