# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""
The fastest device for a model: measured once, in a process of its own for each, and kept.

A device whose descriptors are not those of ONNX Runtime on the processor is left out.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from ssd_ros.devices import AUTO, CPU, OPENVINO, OPENVINO_BF16
from ssd_ros.encoders.model_checks import require_parity
from ssd_ros.encoders.providers.machine import devices_here, machine_words
from ssd_ros.encoders.providers.speeds import keep_speeds, kept_speeds, Speed
from ssd_ros.encoders.trial import Trial, try_on

WORTH_MS = 1.0  # what runs faster on the processor stays there
GAIN = 0.9  # another device takes at most this share of the processor's time, or is not chosen
_SECONDS = 0.3  # for which one is measured
_MAX_PROBLEM = 500


class TriedModel(NamedTuple):
    """
    A model that has passed its trial.

    :param path: for messages
    :param content: of the file
    :param digest: its SHA-256
    :param reference: what ONNX Runtime computes of it on the processor
    """

    path: Path
    content: bytes
    digest: str
    reference: Trial


def chosen_device(device: str, model: TriedModel) -> tuple[str, str]:
    """
    Return the device to use, and in words what was measured where that decided.

    :param device: one that this machine has, or auto
    :raise ValueError: OpenVINO was asked for and cannot run the model, or computes something else
    :raise OSError: no process to measure in could be started
    """
    if device != AUTO:
        if device in (OPENVINO, OPENVINO_BF16):
            _require(device, model)
        return device, ''
    devices = devices_here()
    if devices == [CPU]:
        return CPU, ''
    if model.reference.ms < WORTH_MS:
        return CPU, f' ({model.reference.ms:.2f} ms)'
    speeds = _speeds(devices, model, machine_words())
    return _fastest(speeds), f' ({"; ".join(map(_words, speeds))})'


def _require(device: str, model: TriedModel) -> None:
    """Refuse a device that has a problem still."""
    machine = machine_words()
    speed = kept_speeds(machine, model.digest).get(device)
    if speed is None or speed.problem:
        speed = _measured(device, model, machine)
        keep_speeds([speed])
    if speed.problem:
        raise ValueError(speed.problem)


def _speeds(devices: Sequence[str], model: TriedModel, machine: str) -> list[Speed]:
    kept = kept_speeds(machine, model.digest)
    if not kept.keys() >= set(devices):
        kept = {device: _measured(device, model, machine) for device in devices}
        keep_speeds(list(kept.values()))
    return [kept[device] for device in devices]


def _measured(device: str, model: TriedModel, machine: str) -> Speed:
    ms, problem = 0.0, ''
    try:
        trial = try_on(device, model.path, model.content, seconds=_SECONDS)
        require_parity(model.path, device, trial.descriptors, model.reference.descriptors)
        ms = trial.ms
    except ValueError as error:
        words = ' '.join(str(error).split())
        problem = ''.join(filter(str.isprintable, words))[:_MAX_PROBLEM]
    return Speed(machine, model.digest, device, ms, problem)


def _fastest(speeds: Sequence[Speed]) -> str:
    on_cpu, *others = speeds
    worth = [speed for speed in others if not speed.problem and speed.ms < GAIN * on_cpu.ms]
    return min(worth, key=lambda speed: speed.ms, default=on_cpu).device


def _words(speed: Speed) -> str:
    result = f'left out: {speed.problem}' if speed.problem else f'{speed.ms:.2f} ms'
    return f'{speed.device} {result}'
