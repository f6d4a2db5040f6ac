# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Files of JSON lines that the companions write, and how each kind begins; needs no ROS."""

from __future__ import annotations

from pathlib import Path
from typing import TextIO

from ssd_ros.targets import check_file

# By these a later run knows a file of an earlier one, and replaces nothing else.
ANSWERS_MARK = rb'^{"event": "matched"}'
PUBLISHED_MARK = rb'^{"stamp_ns": \d+, "publish_ns": '
LOAD_MARK = rb'^{"t_s": '


def opened(path: Path, mark: bytes) -> TextIO:
    """
    Open a file to be written line by line, so that others can read along.

    :param mark: of the kind of file
    :raise TargetError: something stands there that is not ours
    :raise OSError: it cannot be written
    """
    check_file(path, mark)
    return path.open('w', buffering=1)
