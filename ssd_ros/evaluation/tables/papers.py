# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Results laid out as Tables I and II of the papers, theirs beside ours."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
import re

import numpy as np
from ssd_ros.data_origin import label_of, radar_of
from ssd_ros.datasets.sequence import SENSORS
from ssd_ros.evaluation.queries.protocol import DATABASES, TASKS
from ssd_ros.evaluation.scores.paired import Comparison
from ssd_ros.evaluation.scores.results import Evaluation, METHOD, Result, select
from ssd_ros.evaluation.tables.methods import said
from ssd_ros.evaluation.tables.published import (
    MULTI,
    MULTI_COLUMNS,
    NUM_LOSSES,
    NUM_WINS,
    RANDOM_YAW,
    RANDOM_YAW_COLUMNS,
    Row,
    SINGLE,
    SINGLE_COLUMNS,
    SOURCE,
)
from ssd_ros.evaluation.used_radar import UsedRadar
from ssd_ros.reports.document import markdown_of, Section, Table

RANDOM_YAW_VARIANT = 'random yaw'
_SHORT = {'sportscomplex': 'SC', 'library': 'Lib', 'riverisland': 'RI'}


def short_name(drive: str) -> str:
    """Return the papers' name of a drive if it is theirs: Library/02 is Lib02."""
    place, _, session = drive.rpartition('/')
    short = _SHORT.get(re.sub('[^a-z]', '', place.lower()))
    return f'{short}{session}' if short else drive


def markdown(evaluation: Evaluation, comparisons: Mapping[str, Comparison]) -> str:
    """Return the whole report; see sections_of."""
    head = f'# Evaluation\n\n**{lead_of(evaluation)}** {protocol_of(evaluation)}'
    return f'{head}\n\n{markdown_of(sections_of(evaluation, comparisons))}'


def lead_of(evaluation: Evaluation) -> str:
    """Return what the numbers are of."""
    return f'All of our numbers are {radar_of(evaluation.origin)}.'


def protocol_of(evaluation: Evaluation) -> str:
    """Return what was asked and what counts as right, in words."""
    protocol = evaluation.protocol
    spacing = f'({protocol.keyframe_m:g} m)' if protocol.database == 'C' else 'of the map drive'
    return f"""Right is within {protocol.radius_m:g} m; a scan counts once, with the best of its
views; queries with no scan within {protocol.radius_m:g} m do not count. Queries are at least
{protocol.query_m:g} m apart. Database {protocol.database}: {DATABASES[protocol.database]}
{spacing}; {protocol.num_views} views for a 4D query. Cells are R@1 / R@1%, AR@1 is the mean of
R@1. Numbers marked "{SOURCE}" are the papers' own, under
other data: compare their order of size, not their digits."""


def sections_of(evaluation: Evaluation, comparisons: Mapping[str, Comparison]) -> list[Section]:
    """
    Return the tables.

    :param comparisons: under their title, ours against another method
    """
    results = [result for result in evaluation.results if result.is_answerable]
    ours = f'ours, {label_of(evaluation.origin)}'
    parts = [
        _radars(evaluation.radars),
        _drives(results),
        _single(results, ours),
        *_multi(results, ours),
        _variants(results),
        _comparisons(comparisons),
    ]
    return [part for part in parts if part]


def _radars(radars: Sequence[UsedRadar]) -> Section | None:
    """Return what the drives had, and what of it could not be judged."""
    rows = [
        [one.drive, SENSORS[one.sensor], f'{one.num_scans}', f'{one.num_without_pose}',
         one.poses or '-']
        for one in radars
    ]  # fmt: skip
    heads = ['drive', 'radar', 'scans', 'without a pose', 'poses']
    return Section('Drives', [Table(heads, rows, len(heads))]) if rows else None


def _drives(results: Sequence[Result]) -> Section:
    """Return every drive with its interval."""
    heads = ['task', 'method', 'map -> queries', 'N', 'left out', 'R@1 [95 %]', 'R@5', 'R@1%',
             'yaw error']  # fmt: skip
    return Section('Every drive', [Table(heads, list(map(_drive, results)), 3)])


def _drive(result: Result) -> list[str]:
    score = result.score()
    low, high = score.recall_at_1_interval
    yaw_deg = score.median_yaw_error_deg
    return [
        ', '.join(filter(None, [TASKS[result.task].title, result.variant])),
        said(result.method),
        result.title,
        f'{score.num_queries}',
        f'{score.num_left_out}',
        f'{score.recall_at_1:.3f} [{low:.3f}, {high:.3f}]',
        f'{score.recall_at_5:.3f}',
        f'{score.recall_at_1_percent:.3f}',
        '-' if yaw_deg is None else f'{yaw_deg:.1f} deg',
    ]


def _single(results: Sequence[Result], ours: str) -> Section | None:
    rows = _rows(results, 'single', lambda result: short_name(result.query_drive))
    if not rows:
        return None
    tables = _beside(rows, SINGLE, SINGLE_COLUMNS, ours, has_mean=False)
    return Section('Table I: heterogeneous, single session', tables)


def _multi(results: Sequence[Result], ours: str) -> list[Section]:
    sections = []
    for task, published in MULTI.items():
        rows = _rows(results, task, _pair_name)
        if rows:
            tables = _beside(rows, published, MULTI_COLUMNS, ours, has_mean=True)
            sections.append(Section(TASKS[task].title, tables, 3))
    return [Section('Table II: multi-session', []), *sections] if sections else []


def _pair_name(result: Result) -> str:
    return f'{short_name(result.map_drive)} -> {short_name(result.query_drive)}'


def _rows(
    results: Sequence[Result], task: str, name_of: Callable[[Result], str]
) -> dict[str, dict[str, tuple[float, float]]]:
    """Return the recalls of each method under the name of each drive."""
    rows: dict[str, dict[str, tuple[float, float]]] = {}
    for result in results:
        if result.task == task and not result.variant:
            score = result.score()
            recalls = score.recall_at_1, score.recall_at_1_percent
            rows.setdefault(result.method, {})[name_of(result)] = recalls
    return rows


def _beside(
    rows: Mapping[str, Mapping[str, tuple[float, float]]],
    published: Sequence[Row],
    published_columns: Sequence[str],
    ours: str,
    has_mean: bool,
) -> list[Table]:
    """Return one table if our drives are the papers', else ours and then theirs."""
    theirs = {
        f'{row.method} ({SOURCE})': dict(zip(published_columns, row.recalls, strict=True))
        for row in published
    }
    here = ours.replace('ours', 'here')  # methods of others, judged here
    mine = {
        f'SSD ({ours})' if method == METHOD else f'{said(method)} ({here})': cells
        for method, cells in rows.items()
    }
    columns = list(dict.fromkeys(name for cells in rows.values() for name in cells))
    if set(columns) <= set(published_columns):
        return [_table({**theirs, **mine}, list(published_columns), has_mean)]
    other_data = _table(theirs, list(published_columns), has_mean)
    return [_table(mine, columns, has_mean), other_data]


def _table(
    rows: Mapping[str, Mapping[str, tuple[float, float]]], columns: list[str], has_mean: bool
) -> Table:
    lines = []
    for method, cells in rows.items():
        texts = [
            '{:.3f} / {:.3f}'.format(*cells[name]) if name in cells else '-' for name in columns
        ]
        if has_mean:
            texts.append(f'{np.mean([first for first, _ in cells.values()]):.3f}')
        lines.append([method, *texts])
    return Table(['method', *columns, *(['AR@1'] if has_mean else [])], lines)


def _variants(results: Sequence[Result]) -> Section | None:
    """Return means with fewer views and with turned scans, beside the papers' random-yaw test."""
    variants = list(dict.fromkeys(result.variant for result in results))
    tasks = [task for task in ('single', 'multi') if any(one.task == task for one in results)]
    if variants == [''] or not tasks:
        return None
    rows = [
        [
            variant or 'as above',
            *(_mean_recalls(select(results, task, METHOD, variant)) for task in tasks),
        ]
        for variant in variants
    ]
    heads = ['ours', *(f'{TASKS[task].title}: AR@1 / AR@1%' for task in tasks)]
    parts: list[str | Table] = [Table(heads, rows)]
    if RANDOM_YAW_VARIANT in variants:
        theirs = {
            row.method: dict(zip(RANDOM_YAW_COLUMNS, row.recalls, strict=True))
            for row in RANDOM_YAW
        }
        parts.append(f'Random yaw in single sessions, AR@1 / AR@1% ({SOURCE}):')
        parts.append(_table(theirs, list(RANDOM_YAW_COLUMNS), has_mean=False))
    return Section('Fewer views, turned scans', parts)


def _mean_recalls(results: Sequence[Result]) -> str:
    scores = [result.score() for result in results]
    if not scores:
        return '-'
    first = np.mean([score.recall_at_1 for score in scores])
    return f'{first:.3f} / {np.mean([score.recall_at_1_percent for score in scores]):.3f}'


def _comparisons(comparisons: Mapping[str, Comparison]) -> Section | None:
    if not comparisons:
        return None
    rows = [
        [
            title,
            f'{one.difference:+.3f} [{one.low:+.3f}, {one.high:+.3f}]',
            f'{one.wins}',
            f'{one.losses}',
            f'{one.num_queries}',
            f'{one.p_value:.2g}',
        ]
        for title, one in comparisons.items()
    ]
    heads = ['ours against', 'difference of R@1 [95 %]', 'wins', 'losses', 'queries',
             'p (McNemar)']  # fmt: skip
    note = (
        'The interval draws stretches of the drive; the p-value takes neighbouring queries for '
        f'independent and is too small. SSD against SHeRLoc, {SOURCE}: {NUM_WINS} wins, '
        f'{NUM_LOSSES} losses on Sports Complex 01 -> 03.'
    )
    return Section('Query by query', [Table(heads, rows), note])
