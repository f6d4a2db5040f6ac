# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Figures, a table and a picture of drives with false closures."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure
import numpy as np
from ssd_ros.cli.common.pictures import write_figure
from ssd_ros.cli.pose_graph_demo.false_closures import FalseClosures, laps
from ssd_ros.cli.pose_graph_demo.rejection import Graph, Outcome
from ssd_ros.pose_graph.trajectory_files import aligned
from ssd_ros.targets import write_json

_GOOD_RATIO = 1.2  # of the error with false closures to that without
_COLORS = {'consensus': 'tab:blue', 'robust loss alone': 'tab:orange'}


class RejectionReport:
    """What became of all drives."""

    def __init__(self, outcomes: Sequence[Outcome]) -> None:
        self._outcomes = outcomes
        self._kinds = list(dict.fromkeys(outcome.false for outcome in outcomes))

    def figures(self) -> dict[str, Any]:
        """Return everything measured, for JSON."""
        consensus, alone = (
            [getattr(outcome, name) for outcome in self._outcomes]
            for name in ('consensus', 'alone')
        )
        return {
            'simulated': True,
            'cases': [self._figures_of(kind) for kind in self._kinds],
            'update_ms': {'consensus': _times(consensus), 'robust_loss_alone': _times(alone)},
        }

    def table(self) -> str:
        """Return the result as lines of text."""
        lines = [
            f'{"false closures (simulated)":<28} {"ATE":>6} {"none false":>10} '
            f'{"loss alone":>20} {"consensus":>20}  believed',
            f'{"":<28} {"odom.":>6} {"":>10} {"<= 1.2, worst":>20} {"<= 1.2, worst":>20}  '
            'right, false',
        ]
        for case in (self._figures_of(kind) for kind in self._kinds):
            lines.append(
                f'{_title(case["kind"], case["share"], case["num_first"]):<28} '
                f'{case["odometry_ate_m"]:>6.2f} {case["best_ate_m"]:>8.2f} m '
                + ' '.join(
                    f'{case[name]["good"]:>6} of {case["seeds"]}, {case[name]["worst"]:>6.2f}'
                    for name in ('alone', 'consensus')
                )
                + f'  {case["right_believed"]:.3f}, {case["false_believed"]:.3f}'
            )
        lines.append('processor time of an update:')
        for name, times in self.figures()['update_ms'].items():
            lines.append(
                f'  {name.replace("_", " "):<18} median {times["median"]:.1f} ms, '
                f'95 % {times["p95"]:.1f} ms, longest {times["max"]:.0f} ms'
            )
        return '\n'.join(lines)

    def write(self, path: Path) -> Path:
        """Write the figures as JSON."""
        write_json(path, self.figures())
        return path

    def draw(self, path: Path) -> Path:
        """Draw the drive that the robust loss did worst on, and the errors of all."""
        figure = Figure(figsize=(14, 6), layout='constrained')
        plan, shares = figure.subplots(1, 2)
        self._draw_worst(plan)
        self._draw_ratios(shares)
        return write_figure(path, figure, 110)

    def _figures_of(self, kind: FalseClosures) -> dict[str, Any]:
        chosen = [outcome for outcome in self._outcomes if outcome.false == kind]
        return {
            'kind': kind.kind,
            'share': kind.share,
            'num_first': kind.num_first,
            'seeds': len(chosen),
            'odometry_ate_m': float(np.median([outcome.odometry_ate_m for outcome in chosen])),
            'best_ate_m': float(np.median([outcome.best.ate_m for outcome in chosen])),
            'alone': _ratios([outcome.ratio_alone for outcome in chosen]),
            'consensus': _ratios([outcome.ratio for outcome in chosen]),
            'right_believed': float(np.mean([outcome.right_believed for outcome in chosen])),
            'false_believed': float(np.mean([outcome.false_believed for outcome in chosen])),
        }

    def _draw_worst(self, axes: Axes) -> None:
        worst = max(self._outcomes, key=lambda outcome: outcome.ratio_alone)
        truth_m = laps(worst.seed).positions_m[:, :2]
        axes.plot(*truth_m.T, color='0.6', linewidth=4, label='truth')
        graphs = {'robust loss alone': worst.alone, 'consensus': worst.consensus}
        for name, graph in graphs.items():
            placed = aligned(graph.positions_m, truth_m)
            label = f'{name}: ATE {graph.ate_m:.2f} m'
            axes.plot(*placed.T, color=_COLORS[name], label=label)
        title = _title(worst.false.kind, worst.false.share, worst.false.num_first)
        axes.set(xlabel='x (m)', ylabel='y (m)', aspect='equal')
        axes.set_title(f'false closures, simulated: {title} (seed {worst.seed})')
        axes.legend()

    def _draw_ratios(self, axes: Axes) -> None:
        rows = {
            'robust loss alone': [outcome.ratio_alone for outcome in self._outcomes],
            'consensus': [outcome.ratio for outcome in self._outcomes],
        }
        for name, ratios in rows.items():
            percent = 100 * np.arange(1, len(ratios) + 1) / len(ratios)
            axes.step(np.sort(ratios), percent, where='post', color=_COLORS[name], label=name)
        axes.axvline(_GOOD_RATIO, color='0.5', linestyle='--')
        axes.set(xscale='log', xlabel='ATE / ATE without false closures', ylabel='drives (%)')
        axes.grid(alpha=0.3)
        axes.legend()


def _ratios(ratios: list[float]) -> dict[str, Any]:
    values = np.array(ratios)
    return {
        'good': int((values <= _GOOD_RATIO).sum()),
        'median': float(np.median(values)),
        'worst': float(values.max()),
    }


def _times(graphs: Sequence[Graph]) -> dict[str, float]:
    values = np.concatenate([graph.update_ms for graph in graphs])
    return {
        'median': float(np.median(values)),
        'p95': float(np.percentile(values, 95)),
        'max': float(values.max()),
    }


def _title(kind: str, share: float, num_first: int) -> str:
    return f'{kind}, {share:.0%}' + (f', first {num_first} all' if num_first else '')
