# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Check that speeds are found again, and that no file can do harm."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from ssd_ros.encoders.providers.speeds import (
    keep_speeds,
    kept_speeds,
    MAX_SPEEDS,
    Speed,
    speeds_file,
)

MODEL = 'ab' * 32
CPU = Speed('this one', MODEL, 'cpu', 4.0)
OPENVINO = Speed('this one', MODEL, 'openvino', 0.0, 'it is slow')


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Have a cache of its own."""
    monkeypatch.setenv('XDG_CACHE_HOME', str(tmp_path / 'cache'))
    return tmp_path / 'cache'


def test_speeds_are_found_again_by_machine_and_model(cache: Path) -> None:
    assert kept_speeds('this one', MODEL) == {}
    keep_speeds([CPU, OPENVINO])
    assert speeds_file() == cache / 'ssd_ros' / 'speeds.json'
    assert kept_speeds('this one', MODEL) == {'cpu': CPU, 'openvino': OPENVINO}
    assert kept_speeds('another one', MODEL) == {}
    assert kept_speeds('this one', 'cd' * 32) == {}


def test_a_new_measurement_takes_the_place_of_the_old_one_and_the_oldest_go() -> None:
    keep_speeds([CPU])
    keep_speeds([Speed('this one', MODEL, 'cpu', 3.0)])
    assert kept_speeds('this one', MODEL)['cpu'].ms == 3
    keep_speeds([Speed(f'machine {n}', MODEL, 'cpu', 1.0) for n in range(MAX_SPEEDS)])
    assert kept_speeds('this one', MODEL) == {}
    assert len(json.loads(speeds_file().read_text())['speeds']) == MAX_SPEEDS


def entry(**changes: object) -> str:
    speed = {'machine': 'm', 'model': MODEL, 'device': 'cpu', 'ms': 1.0, **changes}
    return json.dumps({'generator': 'made by ssd_ros 0.1.0', 'speeds': [speed]})


@pytest.mark.parametrize(
    ('content', 'reason'),
    [
        ('', 'not JSON'),
        ('{"generator": "made by ssd_ros 0.1.0", "spe', 'not JSON'),
        ('[' * 5000, 'not JSON'),
        ('[]', 'expected a mapping'),
        (entry(device='tpu'), "device is 'tpu'"),
        (entry(ms=-1), 'ms is -1'),
        (entry(ms=float('nan')), 'ms is nan'),
        (entry(problem='two\nlines'), 'problem'),
        (entry(colour='red'), 'unknown option'),
        ('made by ssd_ros 0' + ' ' * (1 << 18), 'too many for a list of speeds'),
    ],
)
def test_a_damaged_file_is_passed_over_and_replaced(
    content: str, reason: str, caplog: pytest.LogCaptureFixture
) -> None:
    speeds_file().parent.mkdir(parents=True)
    speeds_file().write_text(content)
    assert kept_speeds('m', MODEL) == {}
    assert reason in caplog.text
    if content.startswith('['):  # which could be anybody's: it stays
        keep_speeds([CPU])
        assert 'was not made by ssd_ros' in caplog.text
        assert speeds_file().read_text() == content
    else:
        keep_speeds([CPU])
        assert kept_speeds('this one', MODEL) == {'cpu': CPU}


def test_without_a_place_to_write_nothing_is_kept_and_that_is_said(
    cache: Path, caplog: pytest.LogCaptureFixture
) -> None:
    cache.write_text('no folder')
    keep_speeds([CPU])
    assert 'are measured at each start' in caplog.text
    assert kept_speeds('this one', MODEL) == {}


def test_a_relative_cache_home_is_passed_over(monkeypatch: pytest.MonkeyPatch) -> None:
    """The XDG Base Directory Specification wants it absolute."""
    monkeypatch.setenv('XDG_CACHE_HOME', 'here')
    monkeypatch.setenv('HOME', '/home/somebody')
    assert speeds_file() == Path('/home/somebody/.cache/ssd_ros/speeds.json')
