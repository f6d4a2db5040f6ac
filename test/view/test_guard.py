# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Check who may read the page."""

from __future__ import annotations

import socket

import pytest
from ssd_ros.view.guard import own_names, refusal

NAMES = {'localhost', 'car.lan'}


@pytest.mark.parametrize(
    ('host', 'origin'),
    [
        ('localhost:8765', None),
        ('127.0.0.1:8765', 'http://127.0.0.1:8765'),
        ('[::1]:8765', 'http://[::1]:8765'),
        ('192.168.1.7:8765', 'http://192.168.1.7:8765'),
        ('Car.LAN', 'https://car.lan'),
    ],
)
def test_who_calls_this_machine_by_its_name_or_address_may(host: str, origin: str | None) -> None:
    assert refusal(host, origin, NAMES) is None


@pytest.mark.parametrize(
    'host', [None, '', 'evil.example:8765', 'localhost.evil.example', '[:80', ':80']
)
def test_another_name_for_this_machine_is_refused(host: str | None) -> None:
    """What DNS rebinding needs."""
    reason = refusal(host, None, NAMES)
    assert reason is not None
    assert reason.endswith('--allow-host names it')


@pytest.mark.parametrize(
    'origin',
    [
        'http://evil.example',
        'http://localhost:80',  # another server of this machine
        'http://localhost',
        'null',
        'file://',
        'http://[',
        'http://localhost:8765.evil.example',
        'chrome-extension://localhost:8765',
    ],
)
def test_a_page_from_elsewhere_is_refused(origin: str) -> None:
    reason = refusal('localhost:8765', origin, NAMES)
    assert reason == f'a page of {origin!r} may not read this one'


def test_this_machine_knows_its_names() -> None:
    assert {'localhost', socket.gethostname().lower()} < own_names()
