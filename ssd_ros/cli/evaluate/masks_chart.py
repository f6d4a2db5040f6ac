# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""One place as both radars see it, and where they see it together."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from plotly.graph_objects import Heatmap
from ssd_ros.bev.polar_bev import PolarGrid, views_of_panorama
from ssd_ros.evaluation.bev_cache import CachedDrive
from ssd_ros.evaluation.queries.pairs import pairs_of, poses_of
from ssd_ros.reports.charts import OURS, panels, RIGHT, UNSURE
from ssd_ros.reports.document import Chart

STRIDE = 8  # image cells from one feature to the next
# Neither, spinning radar only (gap), 4D radar only, both (joint).
_COLOURS = ('#ffffff', UNSURE, OURS, RIGHT)


def masks_chart(drives: Sequence[CachedDrive], grid: PolarGrid) -> Chart:
    """
    Draw a 4D image, the forward view of the scan nearest to it, and which blocks have returns.

    These are blocks of returns in the images: distillation takes the teacher's features and
    spreads the student's returns.
    """
    pairs = pairs_of(drives, 'single')
    if not pairs:
        return Chart('What both radars see of a place', 'No drive has both radars.')
    drive = pairs[0].query_drive
    row = len(drive.student_bevs) // 2
    scans = poses_of(drive, 'spinning').positions_m[:, :2]
    nearest = int(np.hypot(*(scans - drive.student_poses[row, :2]).T).argmin())
    student = np.asarray(drive.student_bevs[row])
    teacher = views_of_panorama(np.asarray(drive.panoramas[nearest]), grid, 1)[0]
    seen, there = _blocks(student), _blocks(teacher)
    blocks = np.kron(there + 2 * seen, np.ones((STRIDE, STRIDE), np.uint8)).astype(np.uint8)
    titles = '4D radar', 'spinning radar', 'blocks with returns'
    figure = panels(titles, 'azimuth cell, left first', 420, columns=True)
    for column, image in enumerate((student, teacher), 1):
        figure.add_trace(Heatmap(z=image, colorscale='Magma', showscale=False), 1, column)
    steps = [(place, colour) for index, colour in enumerate(_COLOURS)
             for place in (index / 4, (index + 1) / 4)]  # fmt: skip
    coloured = {'colorscale': steps, 'zmin': -0.5, 'zmax': 3.5, 'showscale': False}
    figure.add_trace(Heatmap(z=blocks, hoverinfo='skip', **coloured), 1, 3)
    figure.update_yaxes(title_text='range cell, near first', col=1)
    return Chart(
        f'What both radars see of a place of {drive.name}. Blocks of {STRIDE} x {STRIDE} cells '
        f'with returns: green of both ({(there & seen).sum()}), orange of the spinning radar '
        f'alone ({(there & ~seen).sum()}), blue of the 4D radar alone ({(seen & ~there).sum()})',
        figure,
    )


def _blocks(image: NDArray[np.uint8]) -> NDArray[np.bool_]:
    """Return which blocks hold a return."""
    rows, columns = (size // STRIDE for size in image.shape)
    whole = image[: rows * STRIDE, : columns * STRIDE]
    parts = whole.reshape(rows, STRIDE, columns, STRIDE)
    return np.asarray(parts.max(axis=(1, 3)) > 0)
