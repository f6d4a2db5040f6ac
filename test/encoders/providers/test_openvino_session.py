# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Check that OpenVINO computes what ONNX Runtime computes of the shipped student."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from ssd_ros.devices import CPU, OPENVINO, OPENVINO_BF16
from ssd_ros.encoders.model_checks import contract_of, PARITY, probe_images, run_session
from ssd_ros.encoders.providers.machine import devices_here
from ssd_ros.encoders.providers.opening import open_on
from ssd_ros.shared_files import shared_file

pytest.importorskip('openvino', reason='OpenVINO is not installed')
STUDENT = shared_file('models/student.onnx')


@pytest.mark.parametrize(('device', 'least'), [(OPENVINO, 0.99999), (OPENVINO_BF16, PARITY)])
def test_the_descriptors_are_those_of_onnx_runtime(device: str, least: float) -> None:
    if device not in devices_here():
        pytest.skip('this processor has no bfloat16')
    model = STUDENT.read_bytes()
    contract = contract_of(STUDENT, model)
    images = probe_images(contract)
    expected, found = (
        run_session(open_on(name, STUDENT, model), contract, images) for name in (CPU, device)
    )
    assert found.shape == expected.shape == (3, 256)
    assert (found * expected).sum(axis=1).min() >= least


def test_threads_that_ask_at_once_get_what_each_asked_for() -> None:
    model = STUDENT.read_bytes()
    contract = contract_of(STUDENT, model)
    session = open_on(OPENVINO, STUDENT, model)
    images = probe_images(contract)
    expected = run_session(session, contract, images)
    with ThreadPoolExecutor(3) as threads:
        found = list(
            threads.map(lambda n: run_session(session, contract, images[[n % 3]]), range(12))
        )
    np.testing.assert_array_equal(np.concatenate(found), np.tile(expected, (4, 1)))


def test_what_openvino_cannot_read_is_named(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r'OpenVINO cannot load .*model\.onnx'):
        open_on(OPENVINO, tmp_path / 'model.onnx', b'no model')
