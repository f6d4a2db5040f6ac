# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The parameters that say where running drives may be saved."""

from __future__ import annotations

from dataclasses import dataclass

from ssd_ros.ros.parameters.interfaces import InterfaceParameters
from ssd_ros.ros.parameters.options import option


@dataclass(frozen=True, slots=True)
class SessionParameters(InterfaceParameters):
    """The part of the node's parameters that concerns saved drives."""

    session_path: str = option(
        '',
        'name that ~/save_session writes the running drive under, as a map: below '
        'session_directory, such as drive_1',
    )
    session_directory: str = option(
        '~/.ros/ssd_ros/sessions',
        'folder that holds all saved drives; nothing is written outside of it',
        read_only=True,
    )
    allow_save_session: bool = option(
        True, 'whether ~/save_session may write at all', read_only=True
    )
    overwrite_sessions: bool = option(
        False,
        'whether ~/save_session may replace another saved drive or one in use; an earlier state '
        'of the same drive it always may, a map of spinning radar never',
        read_only=True,
    )
