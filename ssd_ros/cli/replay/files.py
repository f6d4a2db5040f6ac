# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The table that the command `replay` writes."""

from __future__ import annotations

from typing import BinaryIO

from ssd_ros.cli.replay.run import Step
from ssd_ros.recognition.candidates import DTYPE

# Digits that give the same number back when read into the same type.
_FORMATS = {'f4': '%.9g', 'f8': '%.17g'}
_COLUMNS = tuple(DTYPE.names or ())
_LINE = ','.join(['%d', *(_FORMATS.get(DTYPE[name].str[1:], '%d') for name in _COLUMNS)]) + '\n'
# Its first names; later versions may have more of them.
CSV_MARK = f'^stamp_ns,{",".join(_COLUMNS[:3])},'.encode()


class Table:
    """CSV of all candidates: the stamp of the query, then the columns of `~/candidates`."""

    def __init__(self, file: BinaryIO) -> None:
        """Write the names; the file stays the caller's."""
        self._file = file
        file.write((','.join(['stamp_ns', *_COLUMNS]) + '\n').encode())

    def add(self, step: Step) -> None:
        """Write the candidates of one query, best first."""
        lines = (_LINE % (step.stamp_ns, *row) for row in step.rows.tolist())
        self._file.write(''.join(lines).encode())
