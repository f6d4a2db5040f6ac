# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Check that devices are compared on the same images, and refused where there is but one."""

from __future__ import annotations

from pathlib import Path
import sys

import pytest
from ssd_ros.cli.bench import command as bench
from ssd_ros.cli.bench.devices import measured_devices
from ssd_ros.encoders.providers.machine import devices_here
from ssd_ros.shared_files import shared_file


@pytest.mark.slow
@pytest.mark.skipif('openvino' not in devices_here(), reason='OpenVINO is not installed')
def test_in_float32_openvino_changes_no_answer(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv('XDG_CACHE_HOME', str(tmp_path))
    monkeypatch.setattr('ssd_ros.cli.bench.stages._SECONDS_EACH', 0.0)
    models = [shared_file(f'models/{name}.onnx') for name in ('student', 'teacher')]
    first, *others = bench.table(measured_devices(*models, part=(0.0, 0.01)))
    lines = [line for line in others if line.startswith('openvino: ')]
    assert first.startswith('stage')
    assert len(lines) == 1
    assert 'cosine at least 1.00000 (student), 1.00000 (teacher)' in lines[0]
    assert 'first keyframe in 0.0% of the queries' in lines[0]
    assert any(line.startswith('encode on openvino ') for line in others)


def test_with_one_device_there_is_nothing_to_compare(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setitem(sys.modules, 'openvino', None)  # how Python marks what is not to be found
    if len(devices_here()) > 1:
        pytest.skip('this ONNX Runtime has CUDA')
    assert bench.main(['--devices']) == 1
    assert 'only ONNX Runtime on the processor is installed' in capsys.readouterr().err
