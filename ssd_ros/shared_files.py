# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Where the files that ship beside the code lie: in the source tree or in `share/ssd_ros`."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple


class EncoderFiles(NamedTuple):
    """Shipped files of a kind of encoder: for 4D radar, for spinning radar, calibration."""

    student: str
    teacher: str
    confidence: str


ENCODERS = {
    'network': EncoderFiles(
        'models/student.onnx', 'models/teacher.onnx', 'models/confidence.json'
    ),
    'scan_context': EncoderFiles(
        'models/scan_context.json',
        'models/scan_context.json',
        'models/scan_context_confidence.json',
    ),
}


def shared_file(name: str) -> Path:
    """
    Return the path of a shipped file, such as `models/student.onnx`.

    :raise FileNotFoundError: it is in no place where an installation puts it
    """
    package = Path(__file__).resolve().parent
    # `pip install` and colcon put share/ beside lib/, at a depth that differs between systems.
    places = [package.parent, *(parent / 'share' / 'ssd_ros' for parent in package.parents)]
    for place in places:
        if (place / name).is_file():
            return place / name
    raise FileNotFoundError(
        f'{name}, which ships with ssd_ros, is missing: looked in {", ".join(map(str, places))}; '
        'install the package anew'
    )
