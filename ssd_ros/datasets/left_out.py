# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Scans that cannot be read: a few among many are left out, most of them end the work."""

from __future__ import annotations

import logging

_PATIENCE = 10  # scans before most of them can be told from a bad beginning

_log = logging.getLogger(__name__)


class LeftOut:
    """
    The scans of one drive that cannot be read.

    :param what: they are, for messages
    """

    def __init__(self, drive: str, what: str = 'scan') -> None:
        """Begin with none."""
        self.count = 0
        self._drive = drive
        self._what = what
        self._last = ''

    def add(self, index: int, error: Exception, num_read: int) -> None:
        """
        Count and log a scan.

        :param num_read: scans that could be read so far
        :raise ValueError: those that cannot be read are the most
        """
        self.count += 1
        self._last = str(error)
        _log.warning('%s: left out %s %d: %s', self._drive, self._what, index, error)
        if self.count >= _PATIENCE:
            self.require_few(num_read)

    def require_few(self, num_read: int) -> None:
        """
        Refuse a drive most of whose scans cannot be read.

        :raise ValueError: with what was the matter with the last of them
        """
        if self.count > num_read:
            raise ValueError(
                f'{self._drive}: {self.count} of the first {self.count + num_read} '
                f'{self._what}s cannot be used, the last because: {self._last}'
            )
