# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""
The calibration that ships with a pair of models: one for maps of each sensor.

A map carries its own; one that an earlier version fitted on other features means nothing now.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path
from typing import Any

from ssd_ros.confidence.features import FEATURES
from ssd_ros.confidence.model import ConfidenceModel
from ssd_ros.reading import read_json
from ssd_ros.records import record_from_mapping
from ssd_ros.shared_files import ENCODERS, shared_file
from ssd_ros.targets import write_json

FORMAT_VERSION = 2
MAX_BYTES = 1 << 20
# How a calibration begins, also one that does not say who made it.
CONFIDENCE_MARK = (
    rb'^{\s*("generator": "[^"]*",\s*)?"format_version": \d+,\s*"descriptor_space": "'
)


def write_confidence(
    path: Path, descriptor_space: str, models: Mapping[str, ConfidenceModel]
) -> None:
    """
    Write the calibration of a pair of models.

    :param models: by the sensor of the map, 'spinning', '4d' or 'lidar'
    """
    content = {
        'format_version': FORMAT_VERSION,
        'descriptor_space': descriptor_space,
        'models': {sensor: asdict(model) for sensor, model in models.items()},
    }
    write_json(path, content, 2, CONFIDENCE_MARK)


def load_confidence(path: Path, descriptor_space: str, sensor: str) -> ConfidenceModel | None:
    """
    Return the calibration for maps of a sensor; None if the file has none for these models.

    :raise ValueError: the file is damaged
    :raise OSError: it cannot be read
    """
    return load_confidences(path, descriptor_space).get(sensor)


def load_confidences(path: Path, descriptor_space: str) -> dict[str, ConfidenceModel]:
    """
    Return the calibrations of these models by the sensor of the map; none if they are of others.

    :raise ValueError: the file is damaged
    :raise OSError: it cannot be read
    """
    content = _read(path)
    if content['descriptor_space'] != descriptor_space:
        return {}
    models = {
        sensor: record_from_mapping(ConfidenceModel, given, f'{path}: {sensor}.')
        for sensor, given in content['models'].items()
    }
    for sensor, model in models.items():
        if not model.is_for(sensor):
            raise ValueError(
                f'{path}: the calibration for {sensor} maps was fitted on {model.maps or "other"} '
                'maps: fit it again with trust --fit'
            )
    return models


def usable_confidences(path: Path, descriptor_space: str) -> dict[str, ConfidenceModel]:
    """Return what `load_confidences` does; none of a file that is absent or cannot be used."""
    with suppress(FileNotFoundError, ValueError):
        return load_confidences(path, descriptor_space)
    return {}


def shipped_confidence(encoder: str, descriptor_space: str, sensor: str) -> ConfidenceModel | None:
    """
    Return the installed calibration for maps of a sensor; None if these models have none.

    :param encoder: one of ENCODERS
    :raise ValueError: the file is damaged
    """
    try:
        path = shared_file(ENCODERS[encoder].confidence)
    except FileNotFoundError:
        return None
    return load_confidence(path, descriptor_space, sensor)


def confidence_of_map(
    given: Any, encoder: str, descriptor_space: str, sensor: str
) -> ConfidenceModel | None:
    """
    Return the calibration that a map carries, or the installed one in place of an outdated one.

    :param given: as JSON has it; None = it carries none
    :raise ValueError: it is damaged, or outdated and these models have no other
    """
    if given is None:
        return None
    if not _is_outdated(given):
        return record_from_mapping(ConfidenceModel, given, 'confidence.')
    if newer := shipped_confidence(encoder, descriptor_space, sensor):
        return newer
    raise ValueError(
        'its calibration was fitted on other features by another version, and these models have '
        'no other: fit one with trust --fit, and give it with --confidence'
    )


def _is_outdated(given: Any) -> bool:
    """Return whether a calibration weighs other features; the first ones did not name theirs."""
    if not isinstance(given, dict) or 'supported' not in given:
        return False
    return bool(given.get('features') != list(FEATURES))


def _read(path: Path) -> dict[str, Any]:
    content = read_json(path, MAX_BYTES, 'a calibration')
    if not isinstance(content, dict) or content.get('format_version') != FORMAT_VERSION:
        raise ValueError(
            f'{path} is no calibration of format version {FORMAT_VERSION}: fit it again with '
            'trust --fit'
        )
    if not isinstance(content.get('models'), dict) or 'descriptor_space' not in content:
        raise ValueError(f'{path} is no calibration: it lacks models or descriptor_space')
    return content
