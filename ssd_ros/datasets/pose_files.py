# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""
Files of poses that users have: TUM, KITTI, EuRoC, our own lines, tables with named columns.

The layout is told by the header or by the number of columns, the unit of time by the drive that
the poses belong to. Words stand apart by blanks or commas; lines that begin with # are comments.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from decimal import Decimal, InvalidOperation
from pathlib import Path
import re

import numpy as np
from numpy.typing import NDArray
from ssd_ros.datasets.pose_sieve import PoseSieve
from ssd_ros.datasets.poses import quaternion_from_matrix
from ssd_ros.motion.trajectory import Trajectory

FORMS = (
    'lines of stamp x y z qx qy qz qw (seconds as in TUM, or nanoseconds), of 12 numbers (KITTI), '
    'of stamp and 12 numbers, or a header that names such columns'
)
_ROLES = ('stamp', 'x', 'y', 'z', 'qx', 'qy', 'qz', 'qw')
_FORMS_BY_COUNT = {8: 'stamp x y z qx qy qz qw', 12: '3x4 matrices', 13: 'stamp and 3x4 matrix'}
_UNITS_NS = {'nanoseconds': 1, 'microseconds': 10**3, 'milliseconds': 10**6, 'seconds': 10**9}
_MAX_EXPONENT = 20  # of a stamp: 1e999999999 would be an integer of half a gigabyte
_MAX_NS = 2**63


@dataclass(frozen=True, slots=True)
class PoseFile:
    """
    What a file of poses held.

    :param form: what it was recognised as, for people
    """

    poses: Trajectory
    form: str


@dataclass(slots=True)
class _Table:
    """
    The lines of a file, each with its place, broken ones included.

    :param columns: places of _ROLES, None where the number of words tells the layout
    :param stamps: as written; None where there is none or it is broken
    :param values: x, y, z, qx, qy, qz, qw of each line; None where it is broken
    """

    columns: list[int] | None = None
    num_columns: int = 0
    stamps: list[Decimal | None] = field(default_factory=list)
    values: list[Sequence[float] | None] = field(default_factory=list)

    @property
    def form(self) -> str:
        return 'named columns' if self.columns else _FORMS_BY_COUNT[self.num_columns]


def read_poses(path: Path, *sensors_ns: NDArray[np.int64]) -> PoseFile:
    """
    Read a file of poses of any of FORMS.

    Matrices without stamps take them from `times.txt` or `<name>_times.txt` beside the file, or
    belong to the scans one by one where there are as many.

    :param sensors_ns: stamps of each sensor of the drive, shapes (N,), ascending
    :raise ValueError: there is no pose in the file, or none at the time of the drive
    :raise OSError: it cannot be read
    """
    table = _table_of(path)
    if not any(values is not None for values in table.values):
        raise ValueError(f'{path} holds no pose: expected {FORMS}')
    drive_ns = [stamps_ns for stamps_ns in sensors_ns if len(stamps_ns)]
    if table.num_columns != 12 or table.columns:
        stamps_ns, times = _in_nanoseconds(path, table.stamps, drive_ns)
    else:
        stamps_ns, times = _times_of_matrices(path, len(table.values), drive_ns)
    sieve = PoseSieve(str(path))
    for stamp_ns, values in zip(stamps_ns, table.values, strict=True):
        if values is None or stamp_ns is None:
            sieve.leave_out('broken lines', stamp_ns)
        else:
            sieve.add(stamp_ns, values)
    if not len(sieve):
        raise ValueError(f'{path} holds no pose, but {sieve.faults}')
    return PoseFile(sieve.trajectory(), f'{table.form}, {times}')


def _table_of(path: Path) -> _Table:
    table = _Table()
    for line in _lines_of(path):
        words = re.split(r'[\s,;]+', line.strip(' \t\r\n,;'))
        if not table.num_columns:
            if line.startswith(('#', '%')) or _decimal(words[0]) is None:
                table.columns = table.columns or _columns_named(line)
                continue
            if table.columns is None and len(words) not in _FORMS_BY_COUNT:
                raise ValueError(f'{path} has lines of {len(words)} words: expected {FORMS}')
            table.num_columns = len(words)
        if not line.startswith(('#', '%')):
            stamp, values = _parsed(words, table)
            table.stamps.append(stamp)
            table.values.append(values)
    return table


def _lines_of(path: Path) -> Iterator[str]:
    with path.open(encoding='utf-8-sig', errors='replace') as file:
        yield from (line for line in file if line.strip(' \t\r\n,;'))


def _columns_named(header: str) -> list[int] | None:
    """Return the places of _ROLES in a header line, None if it does not name them all."""
    apart = r'[,;]' if ',' in header or ';' in header else r'\s+'
    names = [re.sub(r'\[.*?\]', '', name).strip() for name in re.split(apart, header.lower())]
    names[0] = names[0].lstrip('#% ')
    if not names[0]:  # the # stood alone
        del names[0]
    places: dict[str, int] = {}
    for place, name in enumerate(names):
        places.setdefault(_role_of(name), place)
    if not places.keys() >= set(_ROLES):
        return None
    if any(re.search(r'(?<![a-z])(nsecs?|nanosecs?)$', name) for name in names):
        raise ValueError(
            f'the time stands in two columns, seconds and nanoseconds ({", ".join(names)}): '
            'join them into one'
        )
    return [places[role] for role in _ROLES]


def _role_of(name: str) -> str:
    """Return the role of a column: of `tx`, `p_RS_R_x` or `pose.position.x` it is x."""
    if re.match(r'(.*[._ ])?(time|stamp|timestamp)|(t|sec|secs|seconds|nsec)$', name):
        return 'stamp'
    axis = name[-1:]
    if re.search(r'vel|lin|ang|acc|twist|cov|^[vwab]_', name) or axis not in ('x', 'y', 'z', 'w'):
        return ''
    is_turn = re.search(r'(^|[._ ])q|quat|orient|rot', name) is not None
    return 'q' + axis if is_turn else axis


def _parsed(words: list[str], table: _Table) -> tuple[Decimal | None, Sequence[float] | None]:
    """Return stamp and pose of a line, None for what it does not have."""
    if len(words) != table.num_columns:
        return None, None
    if table.columns:
        words = [words[place] for place in table.columns]
    stamp = _decimal(words.pop(0)) if len(words) != 12 else None
    try:
        values = [float(word) for word in words]
    except ValueError:
        return stamp, None
    return stamp, values if len(values) == 7 else _pose_of_matrix(np.array(values).reshape(3, 4))


def _pose_of_matrix(matrix: NDArray[np.float64]) -> list[float]:
    """Return position and quaternion, which is null where the matrix is no rotation."""
    rotation = matrix[:, :3]
    with np.errstate(all='ignore'):
        is_rotation = np.allclose(rotation @ rotation.T, np.eye(3), atol=1e-3)
    quaternion = quaternion_from_matrix(rotation) if is_rotation else [0.0] * 4
    return [*matrix[:, 3].tolist(), *quaternion]


def _decimal(word: str) -> Decimal | None:
    """Return a number to its last digit, None if it is none."""
    try:
        number = Decimal(word)
    except InvalidOperation:
        return None
    return number if number.is_finite() and number.adjusted() <= _MAX_EXPONENT else None


def _times_of_matrices(
    path: Path, num_poses: int, drive_ns: list[NDArray[np.int64]]
) -> tuple[Sequence[int | None], str]:
    """Find the times of poses that have none."""
    for beside in (path.with_name(f'{path.stem}_times.txt'), path.with_name('times.txt')):
        if beside.is_file() and beside != path:
            times = [_decimal(line.strip()) for line in _lines_of(beside)]
            if len(times) != num_poses:
                raise ValueError(f'{beside} has {len(times)} lines, {path} {num_poses}')
            stamps_ns, unit = _in_nanoseconds(beside, times, drive_ns)
            return stamps_ns, f'{unit} of {beside.name}'
    fitting = [stamps_ns for stamps_ns in drive_ns if len(stamps_ns) == num_poses]
    if len(fitting) != 1:
        counts = ' and '.join(str(len(stamps_ns)) for stamps_ns in drive_ns)
        raise ValueError(
            f'{path} has {num_poses} poses without times and the drive {counts or 0} scans: put a '
            'file times.txt beside it, a line for each pose'
        )
    return fitting[0].tolist(), 'one for each scan'


def _in_nanoseconds(
    path: Path, stamps: Sequence[Decimal | None], drive_ns: list[NDArray[np.int64]]
) -> tuple[Sequence[int | None], str]:
    """Return the stamps in the unit in which they lie in the drive's time best, and that unit."""
    known = [stamp for stamp in stamps if stamp is not None]
    if not known:
        raise ValueError(f'{path} holds no pose: no line begins with a time; expected {FORMS}')
    first, last = min(known), max(known)
    if drive_ns:
        begin = min(int(stamps_ns[0]) for stamps_ns in drive_ns)
        end = max(int(stamps_ns[-1]) for stamps_ns in drive_ns)
    else:  # any time that computers know
        begin, end = 10**17, _MAX_NS
    shares = {
        unit: _common_share(float(first * scale), float(last * scale), begin, end)
        for unit, scale in _UNITS_NS.items()
    }
    unit = max(shares, key=shares.__getitem__)
    if shares[unit] == 0:
        raise ValueError(
            f'{path} has poses from {first} to {last}, in no unit within the time of the drive, '
            f'{begin / 1e9:.3f} to {end / 1e9:.3f} s: they are of another drive or clock'
        )
    scale = _UNITS_NS[unit]
    return [None if stamp is None else round(stamp * scale) for stamp in stamps], unit


def _common_share(first: float, last: float, begin: float, end: float) -> float:
    """Return how much of what two spans cover both do; a span is at least a second (1e9)."""
    first, last, begin, end = first - 5e8, last + 5e8, begin - 5e8, end + 5e8
    return max(0.0, min(last, end) - max(first, begin)) / (max(last, end) - min(first, begin))
