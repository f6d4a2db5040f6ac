# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""A picture of a run's metrics."""

from __future__ import annotations

import io

from matplotlib.figure import Figure
from ssd_ros.files import write_bytes_atomically
from ssd_ros.training.run import Run


def plot_curves(run: Run) -> None:
    """Write curves.png into the run folder: loss, accuracy in the batch, recall."""
    metrics = run.metrics()
    figure = Figure(figsize=(10, 4), layout='constrained')
    left, right = figure.subplots(1, 2)
    steps = [line['step'] for line in metrics if 'loss' in line]
    left.plot(steps, [line['loss'] for line in metrics if 'loss' in line], linewidth=0.8)
    left.set(xlabel='step', ylabel='loss', yscale='log')
    right.plot(
        steps,
        [line['accuracy'] for line in metrics if 'loss' in line],
        linewidth=0.8,
        label='in the batch',
    )
    tests = [line for line in metrics if 'multi_session' in line]
    for name in ('single_session', 'multi_session'):
        right.plot(
            [line['step'] for line in tests],
            [line[name] for line in tests],
            marker='o',
            label=f'R@1 {name.replace("_", " ")}, simulated validation worlds',
        )
    right.set(xlabel='step', ylim=(0, 1))
    right.legend()
    picture = io.BytesIO()
    figure.savefig(picture, format='png', dpi=100)
    write_bytes_atomically(run.directory / 'curves.png', picture.getvalue())
