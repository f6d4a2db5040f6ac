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
from ssd_ros.candidates import Flag
from ssd_ros.datasets import open_sequence
from ssd_ros.evaluation.answers import Answers, ground_truth, GroundTruth
from ssd_ros.evaluation.query_records import query_records
from ssd_ros.evaluation.score import Score, score
from ssd_ros.place_database import PlaceDatabase

RADIUS_M = 5.0


@dataclass(frozen=True, slots=True)
class DemoReport:
    """
    What the node answered, beside the truth.

    :param latencies_ms: shape (Q,), from publishing a cloud to receiving its candidates
    :param num_published: clouds that were played
    """

    answers: Answers
    truth: GroundTruth
    score: Score
    latencies_ms: NDArray[np.float64]
    num_published: int

    def table(self) -> str:
        """Return the result as lines of text."""
        result, num_answers = self.score, len(self.latencies_ms)
        low, high = result.recall_at_1_interval
        median_ms, slowest_ms = np.percentile(self.latencies_ms, [50, 99])
        rows = [
            ('map', f'{result.num_keyframes} keyframes, spinning radar, simulated'),
            ('clouds played', f'{self.num_published}, 4D radar, simulated'),
            ('queries', f'{num_answers}, of which {result.num_queries} with a keyframe in reach'),
            (f'R@1 within {RADIUS_M:g} m', f'{result.recall_at_1:.3f} ({low:.3f} .. {high:.3f})'),
            ('R@5', f'{result.recall_at_5:.3f}'),
            ('R@1 by chance', f'{result.chance:.3f}'),
            ('accepted precision', _share(result.accepted_precision)),
            ('accepted recall', _share(result.accepted_recall)),
            ('latency p50 / p99', f'{median_ms:.1f} / {slowest_ms:.1f} ms'),
        ]
        return '\n'.join(f'{name:<20} {value}' for name, value in rows)

    def draw(self, path: Path) -> Path:
        """Draw the map with right and wrong first answers."""
        places = self.truth.keyframes.positions_m
        queries = self.truth.queries.positions_m
        first = self.answers.keyframes[:, 0]
        positives = zip(first, self.truth.positives, strict=True)
        correct = np.array([keyframe in matches for keyframe, matches in positives], dtype=bool)
        accepted = self.answers.accepted
        assert accepted is not None
        figure = Figure(figsize=(9, 8), layout='constrained')
        axes = figure.subplots()
        axes.plot(*places[:, :2].T, '.', color='0.75', markersize=9, label='keyframes of the map')
        for query, keyframe in zip(queries[~correct], first[~correct], strict=True):
            line = np.stack([query, places[keyframe]])
            axes.plot(*line[:, :2].T, color='tab:red', linewidth=0.3, alpha=0.5)
        for right, sure, color, label in (
            (True, False, 'tab:olive', 'right, not accepted'),
            (False, False, 'tab:orange', 'wrong, not accepted'),
            (True, True, 'tab:green', 'right and accepted'),
            (False, True, 'tab:red', 'wrong but accepted'),
        ):
            chosen = queries[(correct == right) & (accepted == sure)]
            axes.plot(*chosen[:, :2].T, '.', color=color, markersize=4,
                      label=f'{label} ({len(chosen)})')  # fmt: skip
        axes.set(xlabel='x (m)', ylabel='y (m)', aspect='equal')
        axes.set_title(
            f'Simulated 4D radar scans in a map of simulated spinning radar: '
            f'R@1 {self.score.recall_at_1:.2f}'
        )
        axes.legend()
        figure.savefig(path, dpi=110)
        return path


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
    return DemoReport(answers, truth, result, latencies_ms, len(published))


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


def _share(value: float | None) -> str:
    return 'none accepted' if value is None else f'{value:.3f}'
