# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Judge the answers that the node gave in the demo: a table and a picture of the map."""

from __future__ import annotations

from dataclasses import dataclass
import json
from pathlib import Path
from typing import Any

from matplotlib.figure import Figure
import numpy as np
from numpy.typing import NDArray
from ssd_ros.cli.common.pictures import write_figure
from ssd_ros.datasets.formats.open_sequence import open_sequence
from ssd_ros.evaluation.queries.answers import Answers, ground_truth, GroundTruth
from ssd_ros.evaluation.queries.records import query_records
from ssd_ros.evaluation.scores.summary import Score, score
from ssd_ros.maps.place_database import PlaceDatabase
from ssd_ros.motion.trajectory import yaw_from_quaternion
from ssd_ros.recognition.candidates import Flag

RADIUS_M = 5.0
TOLERANCE_M = 2.0  # of an accepted pose


@dataclass(frozen=True, slots=True)
class DemoReport:
    """
    What the node answered, beside the truth.

    :param pose_errors_m: shape (Q,), of the pose that the first candidate gives; NaN if it was not
        verified
    :param latencies_ms: shape (Q,), from publishing a cloud to receiving its candidates
    :param num_published: clouds that were played
    """

    answers: Answers
    truth: GroundTruth
    score: Score
    pose_errors_m: NDArray[np.float64]
    latencies_ms: NDArray[np.float64]
    num_published: int

    @property
    def accepted(self) -> NDArray[np.bool_]:
        """Whether the first candidate was accepted, shape (Q,)."""
        assert self.answers.accepted is not None  # the node always decides
        return self.answers.accepted

    def table(self) -> str:
        """Return the result as lines of text."""
        result, num_answers = self.score, len(self.latencies_ms)
        low, high = result.recall_at_1_interval
        median_ms, slowest_ms = np.percentile(self.latencies_ms, [50, 99])
        errors_m = self.pose_errors_m[self.accepted]
        right = errors_m <= TOLERANCE_M
        precision = 'none accepted'
        if len(right):
            median_m = np.median(errors_m)
            precision = f'{right.mean():.3f} within {TOLERANCE_M:g} m (median {median_m:.2f} m)'
        rows = [
            ('map', f'{result.num_keyframes} keyframes, spinning radar, simulated'),
            ('clouds played', f'{self.num_published}, 4D radar, simulated'),
            ('queries', f'{num_answers}, of which {result.num_queries} with a keyframe in reach'),
            (f'R@1 within {RADIUS_M:g} m', f'{result.recall_at_1:.3f} ({low:.3f} .. {high:.3f})'),
            ('R@5', f'{result.recall_at_5:.3f}'),
            ('R@1 by chance', f'{result.chance:.3f}'),
            ('accepted precision', precision),
            ('accepted recall', f'{right.sum() / num_answers:.3f}'),
            ('latency p50 / p99', f'{median_ms:.1f} / {slowest_ms:.1f} ms'),
        ]
        return '\n'.join(f'{name:<20} {value}' for name, value in rows)

    def draw(self, path: Path) -> Path:
        """Draw the map, where answers were accepted, and which of them were wrong."""
        queries, accepted = self.truth.queries.positions_m[:, :2], self.accepted
        right = self.pose_errors_m <= TOLERANCE_M
        figure = Figure(figsize=(10, 7), layout='constrained')
        axes = figure.subplots()
        axes.plot(
            *self.truth.keyframes.positions_m[:, :2].T,
            '.',
            color='#dfe2e6',
            markersize=14,
            label=f'map of the spinning radar, {self.score.num_keyframes} keyframes',
        )
        for chosen, mark, color, size, name in (
            (~accepted, '.', '#8a8f98', 4, 'not accepted'),
            (accepted & right, '.', '#009e73', 8, f'accepted, within {TOLERANCE_M:g} m'),
            (accepted & ~right, 'X', '#d55e00', 9, 'accepted, but wrong'),
        ):
            label = f'{name} ({int(chosen.sum())})'
            axes.plot(*queries[chosen].T, mark, color=color, markersize=size, label=label)
        axes.set(xlabel='x (m)', ylabel='y (m)', aspect='equal')
        axes.spines[['top', 'right']].set_visible(False)
        figure.suptitle('Where the 4D radar found itself in the map (all simulated)')
        axes.set_title(self._caption(), fontsize='small', color='#555b63')
        figure.legend(loc='outside lower center', ncols=2, frameon=False)
        return write_figure(path, figure, 110)

    def _caption(self) -> str:
        """Return the figures below the title of the picture."""
        accepted, score = self.accepted, self.score
        low, high = score.recall_at_1_interval
        text = f'{int(accepted.sum())} of {len(accepted)} scans accepted'
        if accepted.any():
            text += f', median error {np.median(self.pose_errors_m[accepted]):.2f} m'
        return f'{text}; first guess right: {score.recall_at_1:.2f} ({low:.2f} to {high:.2f})'


def read_report(output: Path, query: Path) -> DemoReport:
    """
    Read what the demo's processes wrote.

    :param query: the drive whose clouds were played
    """
    database = PlaceDatabase.load(output / 'map')
    published = {
        line['stamp_ns']: line['publish_ns'] for line in _lines(output / 'published.jsonl')
    }
    answered = [line for line in _lines(output / 'answers.jsonl') if line.get('rows')]
    if not answered:
        raise ValueError(f'the node gave no answer to {len(published)} clouds')
    stamps_ns = np.array([line['stamp_ns'] for line in answered], dtype=np.int64)
    posed, poses = open_sequence(query).cloud_poses.at(stamps_ns)
    answered = [answered[index] for index in posed]
    answers = _answers([line['rows'] for line in answered])
    truth = ground_truth(poses, database.keyframes, RADIUS_M)
    latencies_ms = np.array(
        [(line['receive_ns'] - published[line['stamp_ns']]) / 1e6 for line in answered]
    )
    result = score(query_records(answers, truth), len(truth.keyframes), RADIUS_M)
    firsts = [line['rows'][0] for line in answered]
    found = np.array([_position(row) for row in firsts])
    errors_m = np.hypot(*(found - poses.positions_m[:, :2]).T)
    return DemoReport(answers, truth, result, errors_m, latencies_ms, len(published))


def _position(row: dict[str, Any]) -> tuple[float, float]:
    """Return x and y of the query in the map, NaN if the candidate was not verified."""
    if row['relative_x'] is None:
        return np.nan, np.nan
    yaw = yaw_from_quaternion(np.array([row[f'q{axis}'] for axis in 'xyzw']))
    cos, sin = np.cos(yaw), np.sin(yaw)
    x, y = row['relative_x'], row['relative_y']
    return row['map_x'] + cos * x - sin * y, row['map_y'] + sin * x + cos * y


def _answers(rows: list[list[dict[str, Any]]]) -> Answers:
    keyframes = np.full((len(rows), max(map(len, rows))), -1, dtype=np.int64)
    for query, candidates in enumerate(rows):
        keyframes[query, : len(candidates)] = [row['keyframe_id'] for row in candidates]
    first = [candidates[0] for candidates in rows]
    return Answers(
        keyframes,
        np.array([row['distance'] for row in first]),
        np.array([row['relative_yaw'] for row in first]),
        np.array([row['ratio'] for row in first]),
        np.array([bool(row['flags'] & Flag.ACCEPTED) for row in first]),
    )


def _lines(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text().splitlines()]
