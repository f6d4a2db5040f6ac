# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Scans that cannot be read: a few among many are left out, most of them end the work."""

from __future__ import annotations

from collections.abc import Callable
import logging
from typing import TypeVar

_PATIENCE = 10  # scans before most of them can be told from a bad beginning

_log = logging.getLogger(__name__)

Scan = TypeVar('Scan')


class LeftOut:
    """
    Reads the scans of one radar of a drive and counts those that cannot be read.

    :param what: they are, for messages
    """

    def __init__(self, drive: str, what: str = 'scan') -> None:
        """Begin with none."""
        self.count = 0
        self._num_read = 0
        self._drive = drive
        self._what = what
        self._last = ''

    def read(self, read: Callable[[int], Scan], index: int) -> Scan | None:
        """
        Return a scan; None if it cannot be read, which is counted and logged.

        :param read: method of the drive
        :raise ValueError: those that cannot be read are the most
        """
        try:
            scan = read(index)
        except (ValueError, OSError) as error:
            self.count += 1
            self._last = str(error)
            _log.warning('%s: left out %s %d: %s', self._drive, self._what, index, error)
            if self.count >= _PATIENCE:
                self.require_few()
            return None
        self._num_read += 1
        return scan

    def require_few(self) -> None:
        """
        Refuse a drive most of whose scans cannot be read.

        :raise ValueError: with what was the matter with the last of them
        """
        if self.count > self._num_read:
            raise ValueError(
                f'{self._drive}: {self.count} of the first {self.count + self._num_read} '
                f'{self._what}s cannot be used, the last because: {self._last}'
            )
