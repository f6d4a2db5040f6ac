# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Check which devices are offered and how those that are missing are refused."""

from __future__ import annotations

import sys

import pytest
from ssd_ros.devices import DEVICES
from ssd_ros.encoders.providers.machine import devices_here, machine_words, require_device
from ssd_ros.records import check_text


def test_the_processor_comes_first_and_all_are_known() -> None:
    found = devices_here()
    assert found[0] == 'cpu'
    assert set(found) < set(DEVICES)


def test_without_openvino_it_is_not_offered_and_refused_with_the_way_out(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with_it = machine_words()
    monkeypatch.setitem(sys.modules, 'openvino', None)  # how Python marks what is not to be found
    assert not {'openvino', 'openvino_bf16'} & set(devices_here())
    with pytest.raises(ValueError, match='openvino but OpenVINO is not installed: pip install'):
        require_device('openvino')
    assert machine_words() == with_it or 'openvino' in with_it


def test_an_unknown_device_is_refused_with_the_known_ones() -> None:
    with pytest.raises(ValueError, match="'tpu'; choose from auto, cpu, cuda, openvino, openvin"):
        require_device('tpu')


def test_a_machine_has_the_same_words_each_time() -> None:
    check_text('machine', machine_words(), min_length=30)
    assert machine_words() == machine_words()
    assert ', onnxruntime 1.' in machine_words()
