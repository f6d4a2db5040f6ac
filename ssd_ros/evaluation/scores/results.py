# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Results on file: JSON with a record for each query, so that runs can be compared later."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Any

from ssd_ros.data_origin import checked_kind, kind_of, SIMULATED, UNKNOWN
from ssd_ros.evaluation.bev_cache import CachedDrive
from ssd_ros.evaluation.queries.protocol import Protocol, TASKS
from ssd_ros.evaluation.queries.records import QueryRecords
from ssd_ros.evaluation.scores.summary import recall_at_1, Score, score
from ssd_ros.evaluation.used_radar import UsedRadar
from ssd_ros.reading import MAX_JSON_BYTES, read_json
from ssd_ros.records import check_limits, check_text, Limits, record_from_mapping, shortened
from ssd_ros.targets import write_json

FORMAT_VERSION = 1
METHOD = 'ssd'  # name of ours among the methods
_WORDS = ('method', 'place', 'map_drive', 'query_drive', 'variant')
_MAX_WORD = 1000
_LIMITS = {
    'num_keyframes': Limits(0, 1 << 40),
    'num_views': Limits(1, 1 << 16),
    'radius_m': Limits(0, 1e6),
}


@dataclass(frozen=True, slots=True, eq=False)
class Result:
    """
    One method's answers to the queries of one drive in the map of another, or of its own.

    :param task: a name in TASKS
    :param place: of the map; its drives share a map frame
    :param num_keyframes: scans that the database holds
    :param variant: what differs from the protocol of the evaluation, such as `18 views`
    """

    task: str
    method: str
    place: str
    map_drive: str
    query_drive: str
    num_keyframes: int
    num_views: int
    radius_m: float
    records: QueryRecords
    variant: str = ''

    @property
    def title(self) -> str:
        """Map and queries in words."""
        return f'{self.map_drive} -> {self.query_drive}'

    @property
    def is_answerable(self) -> bool:
        """Whether any query counts."""
        return bool(self.records.answerable.any())

    @property
    def recall_at_1(self) -> float:
        """Share of the answerable queries whose first answer is right."""
        return recall_at_1(self.records)

    def score(self) -> Score:
        """Return the numbers for a table."""
        return score(self.records, self.num_keyframes, self.radius_m)


@dataclass(frozen=True, slots=True)
class Evaluation:
    """
    Results of one run of an evaluation.

    :param origin: of the radar data: a kind of origin, or mixed
    :param settings: what it was made with, in words
    :param radars: of the drives; none where they are not known
    """

    protocol: Protocol
    origin: str
    results: list[Result]
    settings: Mapping[str, str] = field(default_factory=dict)
    radars: Sequence[UsedRadar] = ()


def select(results: Iterable[Result], task: str, method: str, variant: str = '') -> list[Result]:
    """Return the results of one task and method, by default under the evaluation's protocol."""
    return [
        result
        for result in results
        if (result.task, result.method, result.variant) == (task, method, variant)
    ]


def origin_of_drives(drives: Iterable[CachedDrive]) -> str:
    """Return the kind of origin of all drives together."""
    return kind_of(drive.origin.kind for drive in drives)


def write_evaluation(path: Path, evaluation: Evaluation) -> None:
    """Write the results, whole or not at all."""
    document = {
        'format_version': FORMAT_VERSION,
        'origin': evaluation.origin,
        'settings': dict(evaluation.settings),
        'protocol': asdict(evaluation.protocol),
        'radars': [asdict(radar) for radar in evaluation.radars],
        'results': [_to_mapping(result) for result in evaluation.results],
    }
    write_json(path, document, indent=None)


def read_evaluation(path: Path) -> Evaluation:
    """
    Read what write_evaluation wrote.

    :raise ValueError: the file is not an evaluation of this version, and why
    :raise OSError: it cannot be opened
    """
    try:
        document = read_json(path, MAX_JSON_BYTES, 'an evaluation')
        version = document['format_version']
        if version != FORMAT_VERSION:
            raise ValueError(
                f'format_version is {shortened(version)}, this code reads {FORMAT_VERSION}'
            )
        return Evaluation(
            record_from_mapping(Protocol, document['protocol']),
            _origin_in(document),
            [_from_mapping(values) for values in document['results']],
            {str(name): str(value) for name, value in document['settings'].items()},
            [record_from_mapping(UsedRadar, one) for one in document.get('radars', [])],
        )
    except (ArithmeticError, LookupError, AttributeError, TypeError, ValueError) as error:
        raise ValueError(
            f'{path} is not an evaluation ({repr(error)[:500]}): write one with evaluate --json'
        ) from error


def _origin_in(document: Mapping[str, Any]) -> str:
    """Return the origin; earlier files told it only of what the simulator had named."""
    if 'origin' in document:
        return checked_kind(document['origin'])
    return SIMULATED if document['simulated'] is True else UNKNOWN


def _to_mapping(result: Result) -> dict[str, Any]:
    """Return the result with its score, which is there for readers only."""
    values = {
        one.name: getattr(result, one.name) for one in fields(result) if one.name != 'records'
    }
    summary = asdict(result.score()) if result.is_answerable else None
    return {**values, 'score': summary, 'queries': result.records.to_lists()}


def _from_mapping(values: Mapping[str, Any]) -> Result:
    words = {name: str(values[name]) for name in _WORDS}
    for name, word in words.items():
        check_text(name, word, _MAX_WORD)
    if (task := str(values['task'])) not in TASKS:
        raise ValueError(f'unknown task {shortened(task)}')
    result = Result(
        task=task,
        **words,
        num_keyframes=int(values['num_keyframes']),
        num_views=int(values['num_views']),
        radius_m=float(values['radius_m']),
        records=QueryRecords.from_lists(values['queries']),
    )
    check_limits(result, _LIMITS)
    return result
