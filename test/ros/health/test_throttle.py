# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Check which sentences are said again."""

from __future__ import annotations

from ssd_ros.ros.health.throttle import Throttled


def test_a_frequent_warning_does_not_silence_another_one() -> None:
    said: list[str] = []
    warn = Throttled(said.append)
    for number in range(3):
        warn(f'stamp {number}.5 s is old')
        warn('nobody listens')
    assert said == ['stamp 0.5 s is old', 'nobody listens']


def test_after_the_period_it_is_said_again() -> None:
    said: list[str] = []
    warn = Throttled(said.append, period_s=0.0)
    warn('late')
    warn('late')
    assert said == ['late', 'late']


def test_memory_stays_bounded_whatever_is_said() -> None:
    said: list[str] = []
    warn = Throttled(said.append)
    for letter in range(ord('a'), ord('a') + 1000):
        warn(chr(letter))
    assert len(said) == 1000
    assert len(warn._said_s) <= 100
