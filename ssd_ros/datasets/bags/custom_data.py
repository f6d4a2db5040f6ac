# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What a rosbag2 says about itself in its metadata.yaml beside the messages: its origin."""

from __future__ import annotations

import json
import logging
from pathlib import Path

from ssd_ros.data_origin import Origin, origin_from
import yaml

ORIGIN_KEY = 'ssd_ros_origin'
_MAX_BYTES = 16_000_000

_log = logging.getLogger(__name__)


def origin_of_bag(path: Path) -> Origin:
    """
    Return the origin that a recording tells, unknown if it tells none or a wrong one.

    :param path: the folder, or a file in it that its metadata name
    """
    file = (path if path.is_dir() else path.parent) / 'metadata.yaml'
    try:
        if not file.is_file() or file.stat().st_size > _MAX_BYTES:
            return Origin()
        text = file.read_text(encoding='utf-8')
        # YAML takes seconds for a long list of topics: only where there is something to find.
        if ORIGIN_KEY not in text:
            return Origin()
        values = yaml.safe_load(text)['rosbag2_bagfile_information']
        if path.is_file() and path.name not in map(str, values['relative_file_paths']):
            return Origin()
        return origin_from(json.loads(values['custom_data'][ORIGIN_KEY]))
    except (OSError, KeyError, RecursionError, TypeError, ValueError, yaml.YAMLError) as error:
        _log.warning('%s does not tell where the data come from: %s', file, error)
        return Origin()
