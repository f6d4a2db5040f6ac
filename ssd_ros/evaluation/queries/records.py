# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""One record per query: all that recall, its intervals and its plots are computed from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any

import numpy as np
from numpy.typing import NDArray
from ssd_ros.evaluation.queries.answers import Answers, distances_m, GroundTruth
from ssd_ros.motion.trajectory import wrap_angle

_INTEGERS = ('stamps_ns', 'num_positives', 'ranks', 'keyframes', 'occupied_cells')
_DECIMALS = {'positions_m': 3, 'answer_positions_m': 3, 'nearest_m': 3, 'yaw_errors_deg': 3}
_OPTIONAL = ('ratios', 'accepted', 'occupied_cells')


@dataclass(frozen=True, slots=True, eq=False)
class QueryRecords:
    """
    Queries of one drive in order of time, and what came first in the answers to them.

    :param stamps_ns: shape (Q,)
    :param positions_m: shape (Q, 2), in the map
    :param nearest_m: shape (Q,), to the nearest keyframe
    :param num_positives: shape (Q,), keyframes within the radius; 0 = the query cannot be answered
    :param ranks: shape (Q,), place of the first right keyframe, 0 = first, -1 = not found
    :param keyframes: shape (Q,), the first answer
    :param answer_positions_m: shape (Q, 2), of the first answer
    :param distances: shape (Q,), of the first answer
    :param yaw_errors_deg: shape (Q,), of the first answer, absolute; NaN if it has no yaw
    :param ratios: shape (Q,), of the first answer; None if the method has none
    :param accepted: shape (Q,), of the first answer; None if the method does not decide
    :param occupied_cells: shape (Q,), of the query's image; None if not counted
    """

    stamps_ns: NDArray[np.int64]
    positions_m: NDArray[np.float64]
    nearest_m: NDArray[np.float64]
    num_positives: NDArray[np.int64]
    ranks: NDArray[np.int64]
    keyframes: NDArray[np.int64]
    answer_positions_m: NDArray[np.float64]
    distances: NDArray[np.float64]
    yaw_errors_deg: NDArray[np.float64]
    ratios: NDArray[np.float64] | None = None
    accepted: NDArray[np.bool_] | None = None
    occupied_cells: NDArray[np.int64] | None = None

    def __len__(self) -> int:
        return len(self.stamps_ns)

    @property
    def answerable(self) -> NDArray[np.bool_]:
        """Which queries count: those with a keyframe within the radius, shape (Q,)."""
        return self.num_positives > 0

    def hits(self, k: int = 1) -> NDArray[np.bool_]:
        """Return which queries have a right keyframe among the first k answers, shape (Q,)."""
        return (self.ranks >= 0) & (self.ranks < k)

    def to_lists(self) -> dict[str, Any]:
        """Return plain lists under the names of the fields; NaN becomes None."""
        result: dict[str, Any] = {}
        for field in fields(self):
            values = getattr(self, field.name)
            if values is None:
                continue
            if values.dtype == np.float64:
                values = np.round(values, _DECIMALS.get(field.name, 6))
                is_unknown, values = np.isnan(values), values.astype(object)
                values[is_unknown] = None
            result[field.name] = values.tolist()
        return result

    @classmethod
    def from_lists(cls, lists: Mapping[str, Any]) -> QueryRecords:
        """
        Read what to_lists returned.

        :raise ValueError: a field is unknown, missing, of a wrong type or length
        """
        names = [field.name for field in fields(cls)]
        if unknown := sorted(set(lists) - set(names)):
            raise ValueError(f'unknown field {unknown[0]!r} of a query')
        arrays: dict[str, Any] = {}
        for name in names:
            if name in lists:
                arrays[name] = _array(name, lists[name])
            elif name not in _OPTIONAL:
                raise ValueError(f'queries lack {name!r}')
        num_queries = len(arrays['stamps_ns'])
        for name, values in arrays.items():
            shape = (num_queries, 2) if name.endswith('positions_m') else (num_queries,)
            if values.shape != shape:
                raise ValueError(f'{name} has shape {values.shape}, expected {shape}')
        return cls(**arrays)


def _array(name: str, values: Any) -> NDArray[Any]:
    kind: type = bool if name == 'accepted' else np.int64 if name in _INTEGERS else np.float64
    try:
        array: NDArray[Any] = np.array(values, dtype=kind)
    except (TypeError, ValueError, OverflowError) as error:
        raise ValueError(f'{name} is not a list of {kind.__name__}: {error}') from error
    return array.reshape(-1, 2) if array.size == 0 and name.endswith('positions_m') else array


def query_records(
    answers: Answers, truth: GroundTruth, occupied_cells: NDArray[np.int64] | None = None
) -> QueryRecords:
    """
    Compare answers with the truth.

    :param occupied_cells: shape (Q,), of the queries' images
    """
    first = answers.keyframes[:, 0]
    true_yaws_rad = truth.queries.yaws_rad - truth.keyframes.yaws_rad[first]
    errors_rad = np.abs(wrap_angle(true_yaws_rad - answers.relative_yaws_rad))
    return QueryRecords(
        stamps_ns=truth.queries.stamps_ns,
        positions_m=truth.queries.positions_m[:, :2],
        nearest_m=distances_m(truth.queries, truth.keyframes).min(axis=1),
        num_positives=np.array([len(matches) for matches in truth.positives], dtype=np.int64),
        ranks=_ranks(answers.keyframes, truth.positives),
        keyframes=first,
        answer_positions_m=truth.keyframes.positions_m[first, :2],
        distances=answers.distances.astype(np.float64),
        yaw_errors_deg=np.degrees(errors_rad),
        ratios=answers.ratios,
        accepted=answers.accepted,
        occupied_cells=occupied_cells,
    )


def _ranks(keyframes: NDArray[np.int64], positives: list[NDArray[np.int64]]) -> NDArray[np.int64]:
    """Return the place of the first positive in each row, -1 where there is none."""
    if len(keyframes) != len(positives):
        raise ValueError(f'{len(keyframes)} answers for {len(positives)} queries')
    ranks = np.full(len(keyframes), -1, dtype=np.int64)
    for query, (row, matches) in enumerate(zip(keyframes, positives, strict=True)):
        found = np.flatnonzero(np.isin(row, matches))
        if len(found):
            ranks[query] = found[0]
    return ranks
