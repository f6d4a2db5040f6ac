# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Files of JSON lines that the companions write, and how each kind begins; needs no ROS."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ssd_ros.files import full_disk_named
from ssd_ros.records import json_text
from ssd_ros.targets import check_file

# By these a later run knows a file of an earlier one, and replaces nothing else.
ANSWERS_MARK = rb'^{"event": "matched"}'
PUBLISHED_MARK = rb'^{"stamp_ns": \d+, "publish_ns": '
LOAD_MARK = rb'^{"t_s": '


class JsonLines:
    """A file that is written line by line, so that others can read along."""

    def __init__(self, path: Path, mark: bytes) -> None:
        """
        Open the file.

        :param mark: of the kind of file
        :raise TargetError: something stands there that is not ours
        :raise OSError: it cannot be written
        """
        check_file(path, mark)
        self._path, self._file = path, path.open('w', buffering=1)

    def write(self, record: Mapping[str, Any]) -> None:
        """
        Append a line.

        :raise FullDiskError: there is no room for it
        """
        with full_disk_named(self._path):
            self._file.write(json_text(record) + '\n')

    def __enter__(self) -> JsonLines:
        return self

    def __exit__(self, *raised: object) -> None:
        """Close the file, which writes again what found no room."""
        with full_disk_named(self._path):
            self._file.close()
