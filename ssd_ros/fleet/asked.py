# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""
What is asked of a place server: untrusted, read within bounds.

The body is a .npy file of float32, as `numpy.save` writes it: it says its own type and shape, has
128 bytes before the numbers, and readers and writers of it exist for most languages. JSON would
take four times the bytes and longer to read than a search takes; Protocol Buffers would need
compiled schemas on both sides. Python objects, which .npy could hold, too, are refused.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from ssd_ros.maps.neighbours import Prior
from ssd_ros.npy_files import array_of
from ssd_ros.radar.types import RadarPointCloud
from ssd_ros.records import shortened

MAX_BODY_BYTES = 1 << 20
MAX_POINTS = 32_768
MAX_CANDIDATES = 50
MAX_VALUE = 1e6  # of a cloud, in metres, dBsm and metres a second
CLOUD_COLUMNS = 'x, y, z (m), RCS (dBsm), radial velocity (m/s, positive = receding)'
_HOW = 'send what numpy.save writes of a float32 array'


@dataclass(frozen=True, slots=True)
class Ask:
    """
    How to answer.

    :param num: candidates
    :param first: of them, after which those of other places come
    :param elsewhere: candidates of other places, beside the nearest
    :param prior: None = anywhere in the map
    :param num_returns: candidates that come with the returns of their keyframes
    """

    num: int = 10
    first: int = MAX_CANDIDATES
    elsewhere: int = 0
    prior: Prior | None = None
    num_returns: int = 0


_WHOLE = {
    'k': ('num', 1, MAX_CANDIDATES),
    'first': ('first', 1, MAX_CANDIDATES),
    'elsewhere': ('elsewhere', 0, 10),
    'returns': ('num_returns', 0, MAX_CANDIDATES),
}
_PRIOR = ('x', 'y', 'radius')


def ask_of(parameters: Iterable[tuple[str, str]]) -> Ask:
    """
    Return what the query string of a request says.

    :raise ValueError: a name is unknown or given twice, or a value cannot be
    """
    given = _by_name(parameters, (*_WHOLE, *_PRIOR))
    whole: dict[str, Any] = {
        field: _whole_number(name, given[name], low, high)
        for name, (field, low, high) in _WHOLE.items()
        if name in given
    }
    return replace(Ask(prior=_prior_of(given)), **whole)


def reach_of(parameters: Iterable[tuple[str, str]]) -> Prior | None:
    """
    Return the circle that a request for squares names; None = the whole map.

    :raise ValueError: as for `ask_of`
    """
    return _prior_of(_by_name(parameters, _PRIOR))


def _by_name(parameters: Iterable[tuple[str, str]], known: Iterable[str]) -> dict[str, str]:
    given: dict[str, str] = {}
    names = tuple(known)
    for name, value in parameters:
        if name not in names:
            raise ValueError(f'{shortened(name)} is unknown: known are {", ".join(names)}')
        if name in given:
            raise ValueError(f'{name} is given twice: leave one')
        given[name] = value
    return given


def _whole_number(name: str, text: str, low: int, high: int) -> int:
    if not (text.isascii() and text.isdigit() and len(text) < 9 and low <= int(text) <= high):
        raise ValueError(f'{name} is {shortened(text)}, expected a whole number {low} .. {high}')
    return int(text)


def _prior_of(given: dict[str, str]) -> Prior | None:
    there = [name for name in _PRIOR if name in given]
    if not there:
        return None
    if len(there) < len(_PRIOR):
        raise ValueError(
            f'a prior has x, y and radius, and only {" and ".join(there)} is given: metres in the '
            'map frame, such as x=12.5&y=-3&radius=500'
        )
    return Prior(*(_metres(name, given[name]) for name in _PRIOR))


def _metres(name: str, text: str) -> float:
    try:
        return float(text[:100])
    except ValueError:
        raise ValueError(
            f'{name} is {shortened(text)}, expected metres in the map frame'
        ) from None


def descriptor_of(body: bytes) -> NDArray[np.float32]:
    """
    Return a descriptor, shape (D,), or the views of a whole turn, (V, D).

    :raise ValueError: it is none
    """
    array = _numbers_of(body)
    if array.ndim not in (1, 2) or not array.size:
        raise ValueError(
            f'the array has shape {array.shape}, expected (D,), a descriptor, or (V, D), those of '
            'all views of a turn'
        )
    return array


def cloud_of(body: bytes) -> RadarPointCloud:
    """
    Return a scan of a 4D radar, in the frame of the level radar.

    :raise ValueError: it is none
    """
    array = _numbers_of(body)
    if array.ndim != 2 or array.shape[1] != 5 or not 1 <= len(array) <= MAX_POINTS:
        raise ValueError(
            f'the array has shape {array.shape}, expected (N, 5) with at most {MAX_POINTS} '
            f'points: {CLOUD_COLUMNS}'
        )
    odd = np.argwhere(~(np.abs(array) <= MAX_VALUE))  # a NaN, too
    if len(odd):
        row, column = odd[0].tolist()
        raise ValueError(
            f'point {row} has {array[row, column]:g} in column {column}, expected at most '
            f'{MAX_VALUE:g}: leave such points out'
        )
    columns = np.ascontiguousarray(array.T)
    return RadarPointCloud(0, columns[:3].T.copy(), columns[3], columns[4])


def _numbers_of(body: bytes) -> NDArray[Any]:
    try:
        array = array_of(body)
    except ValueError as error:
        raise ValueError(f'the body is {error}: {_HOW}') from error
    if array.dtype != np.dtype('<f4'):
        raise ValueError(f'the array is of {shortened(str(array.dtype))}: {_HOW}')
    return array
