# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Check that a passed trial is not made again, and that nobody else can say that one passed."""

from __future__ import annotations

import json
import os
from pathlib import Path
import subprocess
import sys

import numpy as np
import pytest
from ssd_ros.encoders.network import OnnxEncoder
from ssd_ros.encoders.providers import passes
from ssd_ros.encoders.providers.passes import keep_pass, kept_pass, MAX_PASSES, passes_folder
from support.posts import write_small_encoder

MODEL = 'ab' * 32
DESCRIPTORS = np.eye(3, 5, dtype=np.float32)
ROOT = Path(__file__).parents[3]


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Have a cache of its own."""
    monkeypatch.setenv('XDG_CACHE_HOME', str(tmp_path / 'cache'))
    return tmp_path / 'cache'


def file() -> Path:
    (path,) = passes_folder().iterdir()
    return path


def test_what_passed_is_found_again_here_and_for_this_model_alone(
    cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert kept_pass(MODEL, (3, 5)) is None
    keep_pass(MODEL, DESCRIPTORS, 4.5)
    assert passes_folder() == cache / 'ssd_ros' / 'passed_models'
    found = kept_pass(MODEL, (3, 5))
    assert found is not None
    np.testing.assert_array_equal(found[0], DESCRIPTORS)
    assert found[1] == 4.5
    assert kept_pass('cd' * 32, (3, 5)) is None
    monkeypatch.setattr(passes, 'machine_words', lambda: 'another processor')
    assert kept_pass(MODEL, (3, 5)) is None


def test_only_this_user_can_write_it(caplog: pytest.LogCaptureFixture) -> None:
    before = os.umask(0o002)  # as where each user has a group of their own
    try:
        keep_pass(MODEL, DESCRIPTORS, 4.5)
    finally:
        os.umask(before)
    assert file().stat().st_mode & 0o777 == 0o600
    assert passes_folder().stat().st_mode & 0o777 == 0o700
    for mode in (0o620, 0o602):
        file().chmod(mode)
        assert kept_pass(MODEL, (3, 5)) is None
        assert 'can have been written by other users: delete it' in caplog.text
        caplog.clear()
    file().chmod(0o644)
    assert kept_pass(MODEL, (3, 5)) is not None


@pytest.mark.skipif(os.geteuid() != 0, reason='only root gives files away')
def test_what_another_user_wrote_counts_for_nothing(caplog: pytest.LogCaptureFixture) -> None:
    keep_pass(MODEL, DESCRIPTORS, 4.5)
    os.chown(file(), 65534, -1)
    assert kept_pass(MODEL, (3, 5)) is None
    assert 'can have been written by other users: delete it' in caplog.text


@pytest.mark.parametrize(
    ('change', 'reason'),
    [
        ({'model': 'cd' * 32}, 'of another model or machine'),
        ({'machine': 'another one'}, 'of another model or machine'),
        ({'descriptors': 'AAAA'}, 'buffer size'),
        ({'descriptors': '????'}, 'base64'),
        ({'descriptors': None}, 'NoneType'),
        ({'ms': 'soon'}, 'soon'),
        ({'ms': None}, 'NoneType'),
    ],
)
def test_one_that_does_not_fit_is_passed_over_and_replaced(
    change: dict[str, object], reason: str, caplog: pytest.LogCaptureFixture
) -> None:
    keep_pass(MODEL, DESCRIPTORS, 4.5)
    file().write_text(json.dumps(json.loads(file().read_text()) | change))
    assert kept_pass(MODEL, (3, 5)) is None
    assert 'the model is tried again: ' in caplog.text
    assert reason in caplog.text
    keep_pass(MODEL, DESCRIPTORS, 4.5)
    assert kept_pass(MODEL, (3, 5)) is not None


@pytest.mark.parametrize('content', ['', '[]', '"made"', '{"generator": "ma', '[' * 5000])
def test_a_damaged_file_is_passed_over(content: str, caplog: pytest.LogCaptureFixture) -> None:
    keep_pass(MODEL, DESCRIPTORS, 4.5)
    file().write_text(content)
    assert kept_pass(MODEL, (3, 5)) is None
    assert 'the model is tried again: ' in caplog.text


def test_the_oldest_go() -> None:
    for number in range(MAX_PASSES):
        keep_pass(f'{number:064x}', DESCRIPTORS, 1.0)
        path = max(passes_folder().iterdir(), key=lambda each: each.stat().st_mtime_ns)
        os.utime(path, (number, number))
    keep_pass(MODEL, DESCRIPTORS, 1.0)
    assert len(list(passes_folder().iterdir())) == MAX_PASSES
    assert kept_pass(f'{0:064x}', (3, 5)) is None
    assert kept_pass(f'{1:064x}', (3, 5)) is not None


def test_without_a_place_to_write_models_are_tried_at_each_start(
    cache: Path, caplog: pytest.LogCaptureFixture
) -> None:
    cache.write_text('no folder')
    keep_pass(MODEL, DESCRIPTORS, 4.5)
    assert 'models are tried at each start: ' in caplog.text
    assert kept_pass(MODEL, (3, 5)) is None


LOADED = """
import subprocess, sys
from ssd_ros.encoders.network import OnnxEncoder
started = []
sys.addaudithook(lambda event, _: started.append(event) if event == 'subprocess.Popen' else None)
OnnxEncoder(sys.argv[1], 'cpu')
print(len(started))
"""


def test_another_process_does_not_try_what_has_passed(tmp_path: Path) -> None:
    path = write_small_encoder(tmp_path / 'model.onnx', '4d')
    started = [
        subprocess.run(
            [sys.executable, '-c', LOADED, str(path)], cwd=ROOT, check=True, stdout=subprocess.PIPE
        ).stdout.strip()
        for _ in range(2)
    ]
    assert started == [b'1', b'0']


def test_what_failed_is_not_kept(tmp_path: Path) -> None:
    path = tmp_path / 'model.onnx'
    path.write_bytes(write_small_encoder(path, '4d').read_bytes()[:-40])
    with pytest.raises(ValueError, match=r'model\.onnx'):
        OnnxEncoder(path, 'cpu')
    assert not passes_folder().exists()
