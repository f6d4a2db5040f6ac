# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Judge what the pose graph made of a drive: figures, a table and a picture."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
import json
from pathlib import Path
from typing import Any

from matplotlib.axes import Axes
from matplotlib.collections import LineCollection
from matplotlib.figure import Figure
import numpy as np
from numpy.typing import NDArray
from ssd_ros.cli.common.pictures import write_figure
from ssd_ros.cli.pose_graph_demo.edges import JudgedEdges, read_edges
from ssd_ros.motion.trajectory import Trajectory
from ssd_ros.pose_graph.trajectory_files import absolute_trajectory_error_m, aligned, read_tum
from ssd_ros.recognition.candidates import Flag
from ssd_ros.targets import write_json


@dataclass(frozen=True, slots=True)
class PoseGraphReport:
    """
    The drive as it was, as odometry has it and as the graph has it, at the same stamps.

    :param in_map: as the graph has it in the frame of the prior map, None without one
    :param num_queries: answers of the node
    :param num_accepted: of these with an accepted candidate
    """

    settings: Mapping[str, Any]
    truth: Trajectory
    odometry: Trajectory
    optimised: Trajectory
    in_map: Trajectory | None
    edges: JudgedEdges
    num_queries: int
    num_accepted: int

    def figures(self) -> dict[str, Any]:
        """Return everything measured, for JSON."""
        truth_m = _xy(self.truth)
        figures: dict[str, Any] = {
            'drive': dict(self.settings),
            'length_m': float(np.hypot(*np.diff(truth_m, axis=0).T).sum()),
            'duration_s': float(np.ptp(self.truth.stamps_ns) / 1e9),
            'queries': self.num_queries,
            'accepted_queries': self.num_accepted,
            'ate_without_closures_m': absolute_trajectory_error_m(_xy(self.odometry), truth_m),
            'ate_with_closures_m': absolute_trajectory_error_m(_xy(self.optimised), truth_m),
            'edges_live': self.edges.select(self.edges.is_live).figures(),
            'edges_map': self.edges.select(~self.edges.is_live).figures(),
        }
        if self.in_map is not None:
            errors_m = np.hypot(*(_xy(self.in_map) - truth_m).T)
            figures['rmse_in_map_m'] = float(np.sqrt(np.mean(errors_m**2)))
        return figures

    def table(self) -> str:
        """Return the result as lines of text."""
        figures = self.figures()
        rows = [
            ('drive (simulated)', f'{figures["length_m"]:.0f} m, {figures["duration_s"]:.0f} s'),
            ('queries', f'{self.num_queries}, of which {self.num_accepted} accepted'),
            ('ATE without closures', f'{figures["ate_without_closures_m"]:.2f} m'),
            ('ATE with closures', f'{figures["ate_with_closures_m"]:.2f} m'),
        ]
        if self.in_map is not None:
            rows.append(('RMSE in the map', f'{figures["rmse_in_map_m"]:.2f} m, not aligned'))
        for name in ('live', 'map'):
            edges = figures[f'edges_{name}']
            if edges['used']:
                rows.append((f'edges, {name}', _edges_text(edges)))
        return '\n'.join(f'{name:<21} {value}' for name, value in rows)

    def write(self, path: Path) -> Path:
        """Write the figures as JSON."""
        write_json(path, self.figures())
        return path

    def draw(self, path: Path) -> Path:
        """Draw the paths and how far they are from the truth."""
        figure = Figure(figsize=(15, 7), layout='constrained')
        plan, over_time = figure.subplots(1, 2, gridspec_kw={'width_ratios': (1.2, 1)})
        self._draw_plan(plan)
        self._draw_errors(over_time)
        return write_figure(path, figure, 110)

    def _draw_plan(self, axes: Axes) -> None:
        truth_m = _xy(self.truth)
        axes.plot(*truth_m.T, color='0.6', linewidth=4, label='truth')
        axes.plot(*aligned(_xy(self.odometry), truth_m).T, color='tab:orange', label='odometry')
        axes.plot(*aligned(_xy(self.optimised), truth_m).T, color='tab:blue', label='pose graph')
        for right, color, label in ((True, 'tab:green', 'right'), (False, 'tab:red', 'wrong')):
            edges = self.edges.select(self.edges.is_right == right)
            lines = LineCollection(
                np.stack([edges.keyframes_m, edges.queries_m], axis=1).tolist(),
                colors=color,
                linewidths=1.5 if right else 0.8,
                label=f'closures, {label} ({len(edges)})',
            )
            axes.add_collection(lines)
        axes.set(xlabel='x (m)', ylabel='y (m)', aspect='equal')
        axes.set_title(f'{self.settings["laps"]:g} simulated laps')
        axes.legend()

    def _draw_errors(self, axes: Axes) -> None:
        truth_m = _xy(self.truth)
        seconds = (self.truth.stamps_ns - self.truth.stamps_ns[0]) / 1e9
        for name, found, color in (
            ('odometry', self.odometry, 'tab:orange'),
            ('pose graph', self.optimised, 'tab:blue'),
        ):
            errors_m = np.hypot(*(aligned(_xy(found), truth_m) - truth_m).T)
            ate_m = np.sqrt(np.mean(errors_m**2))
            axes.plot(seconds, errors_m, color=color, label=f'{name}: ATE {ate_m:.2f} m')
        axes.set(xlabel='time (s)', ylabel='position error after alignment (m)')
        axes.set_ylim(bottom=0)
        axes.grid(alpha=0.3)
        axes.legend()


def read_report(output: Path, settings: Mapping[str, Any], truth: Trajectory) -> PoseGraphReport:
    """
    Read what the processes of `pose_graph_demo` wrote.

    :param truth: poses of the radar, one for each cloud
    :raise ValueError: the pose graph got no odometry
    """
    odometry, optimised = (read_tum(output / f'{name}.tum') for name in ('odometry', 'optimized'))
    if len(odometry) < 2:
        raise ValueError(f'the pose graph got {len(odometry)} odometry messages')
    kept, true_poses = truth.at(odometry.stamps_ns)
    in_map = output / 'optimized_in_map.tum'
    answers = [json.loads(line) for line in (output / 'answers.jsonl').read_text().splitlines()]
    queries = [answer['rows'] for answer in answers if 'rows' in answer]
    accepted = [rows for rows in queries if any(row['flags'] & Flag.ACCEPTED for row in rows)]
    return PoseGraphReport(
        settings,
        true_poses,
        odometry.select(kept),
        optimised.select(kept),
        read_tum(in_map).select(kept) if in_map.is_file() else None,
        read_edges(output / 'edges.jsonl', truth),
        len(queries),
        len(accepted),
    )


def _xy(trajectory: Trajectory) -> NDArray[np.float64]:
    return trajectory.positions_m[:, :2]


def _edges_text(edges: Mapping[str, Any]) -> str:
    return (
        f'{edges["used"]}, {edges["wrong"]} wrong of which {edges["wrong_outvoted"]} outvoted; '
        f'error {edges["median_error_m"]:.2f} m, {edges["median_error_deg"]:.2f} deg (medians)'
    )
